"""Running a system's own commands for services, one after the other."""

import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from gateway.errors import ConfigurationError
from gateway.machine.command_name import command_line
from gateway.yaml_file.wording import one_line

LONGEST_SECONDS: Final = 600
"""A service that is stopped lets its answers finish, so that this may take long."""
PAUSE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class SystemCommand:
    """One command. With `patience_seconds` it is tried again for so long."""

    command: tuple[str, ...]
    may_fail: bool = False
    patience_seconds: float = 0


@dataclass(frozen=True, slots=True)
class Query:
    """A question, answered with yes if the command succeeds and its output has the pattern."""

    command: tuple[str, ...]
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The output of a command, from both streams, and whether it succeeded."""

    succeeded: bool
    output: str


Run: TypeAlias = Callable[[Sequence[str]], Answer]


def run(command: Sequence[str]) -> Answer:
    """Run a command to its end. Raises `ConfigurationError` if there is no such program."""
    try:
        done = subprocess.run(  # noqa: S603 - the commands are our own
            list(command),
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=LONGEST_SECONDS,
        )
    except FileNotFoundError:
        raise ConfigurationError(
            f"{command[0]} is missing, and services need it on this system; "
            f"`{command_line('serve')}` works without a service"
        ) from None
    except subprocess.TimeoutExpired:
        return Answer(succeeded=False, output=f"timed out after {LONGEST_SECONDS} s")
    return Answer(
        succeeded=done.returncode == 0, output=done.stdout.decode(errors="replace").strip()
    )


def perform(commands: Iterable[SystemCommand], run: Run) -> None:
    """Run all commands. Raises `ConfigurationError` with the output of the first that fails."""
    for each in commands:
        answer = _patiently(each, run)
        if not (answer.succeeded or each.may_fail):
            said = one_line(answer.output) or "no reason was given"
            raise ConfigurationError(f"`{shlex.join(each.command)}` failed: {said}")


def asked(query: Query, run: Run) -> bool:
    """Whether the answer is yes."""
    answer = run(query.command)
    return answer.succeeded and re.search(query.pattern, answer.output) is not None


def _patiently(each: SystemCommand, run: Run) -> Answer:
    end = time.monotonic() + each.patience_seconds
    while not (answer := run(each.command)).succeeded and time.monotonic() < end:
        time.sleep(PAUSE_SECONDS)
    return answer
