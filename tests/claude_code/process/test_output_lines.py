"""A process's lines: as long as they are, and read no further ahead than somebody wants them."""

import asyncio
from typing import Any

import pytest

from gateway.errors import BackendFailed
from gateway_claude_code.process.output_lines import READ_AHEAD, OutputLines


class Pipe:
    """Stands for the pipe that the reader pauses."""

    def __init__(self) -> None:
        self.is_paused = False

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False


def reader(*chunks: bytes) -> Any:
    made: Any = asyncio.StreamReader(limit=READ_AHEAD)
    made.set_transport(Pipe())
    for chunk in chunks:
        made.feed_data(chunk)
    made.feed_eof()
    return made


async def every(lines: OutputLines) -> list[bytes]:
    found = []
    while line := await lines.next():
        found.append(line)
    return found


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([], []),
        ([b"a\nb\n"], [b"a\n", b"b\n"]),
        ([b"a", b"b\n\nc"], [b"ab\n", b"\n", b"c"]),
        ([b"x" * 3 * READ_AHEAD, b"\ny\n"], [b"x" * 3 * READ_AHEAD + b"\n", b"y\n"]),
    ],
)
async def test_lines_of_any_length(chunks: list[bytes], expected: list[bytes]) -> None:
    lines = OutputLines(reader(*chunks))
    assert await every(lines) == expected
    assert lines.ended


async def test_a_process_has_to_wait_for_who_reads_its_lines() -> None:
    ahead: Any = asyncio.StreamReader(limit=READ_AHEAD)
    ahead.set_transport(pipe := Pipe())
    lines = OutputLines(ahead)
    ahead.feed_data(b"line\n" * READ_AHEAD)
    assert pipe.is_paused
    for _ in range(READ_AHEAD):
        assert await lines.next() == b"line\n"
    assert not pipe.is_paused


async def test_a_line_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway_claude_code.process.output_lines.LONGEST_LINE", 1000)
    with pytest.raises(BackendFailed, match="too long"):
        await OutputLines(reader(b"x" * 2000)).next()


async def test_what_is_discarded_is_read_to_the_end() -> None:
    lines = OutputLines(whole := reader(b"a\nb\n" * READ_AHEAD))
    await lines.next()
    await lines.discard()
    assert whole.at_eof()
    assert lines.ended
