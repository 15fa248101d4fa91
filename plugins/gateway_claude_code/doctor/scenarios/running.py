"""Scenario: one process from its start to its end, with one short question."""

import time
from collections.abc import Sequence
from typing import Final

from gateway.errors import BackendFailed
from gateway.machine.process_facts import resident_bytes
from gateway.types import PartDelta, StreamEvent
from gateway_claude_code.conversations.turn_plan import reader_of
from gateway_claude_code.doctor.scenarios.rig import Rig, asking, message, prepared
from gateway_claude_code.doctor.scenarios.talk import set_up, settled
from gateway_claude_code.pool.admission import PROCESS_BYTES
from gateway_claude_code.process.process import CliProcess
from gateway_claude_code.request.history import turns
from gateway_claude_code.response.failures import ProcessGone
from gateway_claude_code.upstream import text_answer

SYSTEM: Final = "Be brief."
PIECES: Final = ("Hello", " there", ".")
LARGEST_REQUEST: Final = 2500
"""Bytes for "Hello". With the CLI's own system prompt and tools it would be 50 KB and more."""

LONGEST_START: Final = 6
"""Seconds. 0.6 is usual; the limit is half of a process's default."""

EXIT_SECONDS: Final = 1
MEGABYTE: Final = 1024 * 1024


async def one_process(rig: Rig) -> None:
    """Start, "Hello", the answer, and the end of input."""
    began = time.monotonic()
    asked = prepared(asking(message("user", "Hello"), system=SYSTEM))
    (turn,) = turns(asked.request.messages, asked.names)
    rig.upstream.script = lambda _: text_answer(*PIECES)
    async with rig.process() as (process, talk):
        await set_up(talk, asked)
        _note_memory(rig, process)
        reader = reader_of(asked)
        try:
            events = [event async for event in talk.ask(turn, reader)]
        except BackendFailed as error:
            if rig.requests and not isinstance(error, ProcessGone):
                rig.differs("streaming", f"the upstream answered, but: {error.message}")
            raise
        talk.begin_to_settle(reader.calls)
        _note_request(rig, rig.requests[0].received - began)
        _note_streaming(rig, events)
        if await settled(talk):
            await _note_exit(rig, process)


def _note_request(rig: Rig, seconds: float) -> None:
    request = rig.requests[0]
    rig.note("start_up", seconds < LONGEST_START, f"{seconds:.2f} s")
    rig.note("small_request", request.size < LARGEST_REQUEST, f"{request.size:,} bytes")
    rig.note("system_prompt", request.system_text == SYSTEM, f"{request.system_text!r:.80} arrived")


def _note_streaming(rig: Rig, events: Sequence[StreamEvent]) -> None:
    pieces = tuple(event.text for event in events if isinstance(event, PartDelta))
    seen = f"{len(PIECES)} pieces arrived as {len(pieces)}"
    if "".join(pieces) != "".join(PIECES):
        seen = f"{''.join(PIECES)!r} arrived as {''.join(pieces)!r:.80}"
    rig.note("streaming", pieces == PIECES, seen)


def _note_memory(rig: Rig, process: CliProcess) -> None:
    size = resident_bytes(process.pid)
    if size is None:
        return  # the system does not say, so it stays unknown
    most = PROCESS_BYTES // MEGABYTE
    seen = f"{size // MEGABYTE} MB resident; the process limit assumes {most} MB"
    rig.note("memory", size <= PROCESS_BYTES, seen)


async def _note_exit(rig: Rig, process: CliProcess) -> None:
    began = time.monotonic()
    await process.close(busy=False)
    seconds = time.monotonic() - began
    code = await process.exit_code()
    ended = code == 0 and seconds < EXIT_SECONDS
    seen = (
        f"it exited after {seconds:.2f} s" if ended else f"it did not exit on its own (code {code})"
    )
    rig.note("exit_at_end", ended, seen)
