"""Stands in front of the real CLI, and now and then spoils what it says: an executable.

`CHAOS_CLI` is the real one, `CHAOS_ODDS` how likely a fault is. Questions about the CLI itself
(`--version`) pass. A fault is one of: a line of garbage, half a line, or an exit, each at once or after
some lines. Without one the real CLI takes this process' place.
"""

import os
import random
import subprocess
import sys


def main() -> None:
    """Run the CLI with or without a fault."""
    real = os.environ["CHAOS_CLI"]
    fault = random.random() < float(os.environ["CHAOS_ODDS"])
    if not fault or sys.argv[1:2] != ["--print"]:
        os.execv(real, [real, *sys.argv[1:]])
    spoil(real, random.choice(["garbage", "half", "exit"]), random.choice([0, 0, 3, 6, 9]))


def spoil(real: str, fault: str, after: int) -> None:
    """Pass on so many lines, then do what the fault is."""
    process = subprocess.Popen([real, *sys.argv[1:]], stdout=subprocess.PIPE)
    assert process.stdout is not None
    out = sys.stdout.buffer
    try:
        for number, line in enumerate(process.stdout):
            if number == after:
                if fault == "garbage":
                    out.write(b"\x00\xff not a line of the protocol\n" + line)
                    out.flush()
                    continue
                if fault == "half":
                    out.write(line[: len(line) // 2])
                    out.flush()
                return
            out.write(line)
            out.flush()
    except BrokenPipeError:
        pass
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
