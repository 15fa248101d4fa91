"""Becomes the real CLI, perhaps late, perhaps with somebody at its pipe who spoils what it says.

An executable. `CHAOS_CLI` is the real one, and the folder `CHAOS_FOLDER` has the file `plan.json`:

- `odds`: how likely a fault is: a line of garbage, half a line, or a sudden end, each at once or after
  some lines;
- `slow`: null, or the seconds from which and up to which it sleeps before it starts;
- `seed`: with the number of the start, it decides about both.

Each start makes an empty file in the folder's `starts`, which is possible on a full disk too.
Questions about the CLI itself (`--version`) pass. The process is the CLI's in every case, as it is in
real life.
"""

import json
import os
import random
import resource
import signal
import sys
import time
from pathlib import Path


def main() -> None:
    """Become the CLI, with or without a fault."""
    real = os.environ["CHAOS_CLI"]
    if sys.argv[1:2] == ["--print"]:
        folder = Path(os.environ["CHAOS_FOLDER"])
        plan = json.loads((folder / "plan.json").read_text())
        dice = random.Random(f"{plan['seed']}/{number_of_start(folder / 'starts')}")
        odds, slow = dice.random(), plan["slow"]
        if slow is not None:
            time.sleep(dice.uniform(*slow))
        if odds < plan["odds"]:
            put_somebody_at_the_pipe(dice)
    # it dies of SIGXFSZ at a limit (2.1.330), which a full disk does not send
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    os.execv(real, [real, *sys.argv[1:]])


def number_of_start(starts: Path) -> int:
    """Note this start, and count those before it."""
    number = sum(1 for _ in starts.iterdir())
    while True:
        try:
            (starts / str(number)).touch(exist_ok=False)
        except FileExistsError:
            number += 1
        else:
            return number


def put_somebody_at_the_pipe(dice: random.Random) -> None:
    """A child, between the CLI's output and whoever reads it."""
    reading, writing = os.pipe()
    cli = os.getpid()
    if os.fork() == 0:
        os.close(writing)
        os.close(0)
        spoil(reading, cli, dice)
        os._exit(0)
    os.close(reading)
    os.dup2(writing, 1)
    os.close(writing)


def spoil(reading: int, cli: int, dice: random.Random) -> None:
    """Pass on some lines of what the CLI says, then do what the fault is."""
    fault, after = dice.choice(["garbage", "half", "end"]), dice.choice([0, 3, 6, 9])
    deadly = dice.choice([signal.SIGKILL, signal.SIGTERM])
    with os.fdopen(reading, "rb") as lines, os.fdopen(1, "wb", closefd=False) as out:
        for number, line in enumerate(lines):
            if number == after and fault == "garbage":
                out.write(b"\x00\xff not a line of the protocol\n")
            if number == after and fault == "half":
                out.write(line[: len(line) // 2])
                out.flush()
            if number == after and fault != "garbage":
                os.kill(cli, deadly)
                return
            out.write(line)
            out.flush()


if __name__ == "__main__":
    main()
