"""Becomes the real CLI, with now and then somebody at its pipe who spoils what it says: an executable.

`CHAOS_CLI` is the real one, `CHAOS_ODDS` how likely a fault is. Questions about the CLI itself
(`--version`) pass. A fault is one of: a line of garbage, half a line, or a sudden end, each at once or
after some lines. The process is the CLI's in every case, as it is in real life.
"""

import os
import random
import signal
import sys


def main() -> None:
    """Become the CLI, with or without a fault."""
    real = os.environ["CHAOS_CLI"]
    if sys.argv[1:2] == ["--print"] and random.random() < float(os.environ["CHAOS_ODDS"]):
        reading, writing = os.pipe()
        cli = os.getpid()
        if os.fork() == 0:
            os.close(writing)
            os.close(0)
            spoil(
                reading, cli, random.choice(["garbage", "half", "end"]), random.choice([0, 3, 6, 9])
            )
            os._exit(0)
        os.close(reading)
        os.dup2(writing, 1)
        os.close(writing)
    os.execv(real, [real, *sys.argv[1:]])


def spoil(reading: int, cli: int, fault: str, after: int) -> None:
    """Pass on so many lines of what the CLI says, then do what the fault is."""
    with os.fdopen(reading, "rb") as lines, os.fdopen(1, "wb", closefd=False) as out:
        for number, line in enumerate(lines):
            if number == after and fault == "garbage":
                out.write(b"\x00\xff not a line of the protocol\n")
            if number == after and fault == "half":
                out.write(line[: len(line) // 2])
                out.flush()
            if number == after and fault != "garbage":
                os.kill(cli, random.choice([signal.SIGKILL, signal.SIGTERM]))
                return
            out.write(line)
            out.flush()


if __name__ == "__main__":
    main()
