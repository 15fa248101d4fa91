"""A process's standard error is read to its end, and what may be of the debug log is not kept."""

import asyncio
import contextlib
import json
import os
import stat
import sys
from pathlib import Path

import anyio
import pytest
import uvloop

from gateway_claude_code.process.error_pipe import LONGEST_LINE, ErrorPipe
from gateway_claude_code.process.process import CliProcess

ENTRY = "2026-11-27T08:52:00.116Z [ERROR]"


async def lines_of(written: bytes) -> list[str]:
    """What is read of a pipe into which this was written."""
    pipe = await ErrorPipe.open()

    def write() -> None:
        with os.fdopen(pipe.writing, "wb") as file:
            file.write(written)

    writing = asyncio.create_task(asyncio.to_thread(write))
    lines = [line async for line in pipe.lines()]
    await writing
    pipe.close()
    return lines


async def said(path: Path, program: str) -> CliProcess:
    """A process that is gone, and all of its standard error was read."""
    command = [sys.executable, "-c", f"import sys\nsay = sys.stderr.write\n{program}"]
    process = await CliProcess.start(command, {}, path, close_seconds=10)
    await process.exit_code()
    await process.close(busy=False)
    return process


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        (b"one\ntwo\n", ["one", "two"]),
        (b"one\n\nthree", ["one", "", "three"]),
        (b"\xff\r\n", ["\ufffd"]),
        (b"x" * LONGEST_LINE + b"\nend\n", ["x" * LONGEST_LINE, "end"]),
        (b"x" * (3 * LONGEST_LINE) + b"\nend", ["x" * LONGEST_LINE, "end"]),
        (b"end\n" + b"x" * (LONGEST_LINE + 1), ["end", "x" * LONGEST_LINE]),
    ],
    ids=["lines", "no last line break", "no text", "as long as may be", "too long", "and last"],
)
async def test_lines(written: bytes, lines: list[str]) -> None:
    assert await lines_of(written) == lines


async def test_what_is_written_before_the_log_is_kept(tmp_path: Path) -> None:
    process = await said(tmp_path, r"say('one\ntwo\n')")
    assert process.last_stderr == "one\ntwo"


async def test_an_entry_of_several_lines_is_not_kept(tmp_path: Path) -> None:
    process = await said(
        tmp_path, rf"say('one\n{ENTRY} Error: no\n  at the secret\n\nmore of it\n')"
    )
    assert process.last_stderr == "one"


async def test_an_entry_that_is_too_long_is_not_kept(tmp_path: Path) -> None:
    long = 3 * LONGEST_LINE
    process = await said(tmp_path, rf"say('{ENTRY} ' + 'secret' * {long} + '\nmore\n')")
    assert process.last_stderr == ""


async def test_a_long_sentence_of_the_api_is_read_whole(tmp_path: Path) -> None:
    sentence = "no " * 100_000 + "end"
    body = json.dumps({"error": {"message": "WORDS"}})
    entry = f"{ENTRY} API error (attempt 1/2): 400 400 {body}\n"
    program = f"say({entry!r}.replace('WORDS', 'no ' * 100_000 + 'end'))"
    process = await said(tmp_path, program)
    assert await process.api_sentence() == sentence


def open_pipes() -> set[int]:
    found = set()
    for number in range(1024):
        with contextlib.suppress(OSError):
            if stat.S_ISFIFO(os.fstat(number).st_mode):
                found.add(number)
    return found


async def left_by_one_called_off() -> set[int]:
    before = open_pipes()
    with anyio.CancelScope() as scope:
        scope.cancel()
        pipe = await ErrorPipe.open()
        pipe.close_writing()
        pipe.close()
    for _ in range(5):
        await asyncio.sleep(0)
    return open_pipes() - before


def test_nothing_stays_open_of_one_that_is_called_off() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as the gateway runs
        assert runner.run(left_by_one_called_off()) == set()
