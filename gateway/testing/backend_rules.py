"""The rules that every backend keeps, as checks by name that raise `AssertionError`.

await check_backend(BackendCase(open=lambda: my_backend_stream(request())))
"""

from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Sequence,
)
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import anyio
import anyio.lowlevel

from gateway.errors import GatewayError
from gateway.streams import EventSource
from gateway.testing.rules import Breach, expect, expect_soon, named, within
from gateway.types import (
    PartCitation,
    PartDelta,
    PartEnd,
    PartStart,
    ResponseEnd,
    ResponseStart,
    StreamEvent,
    UsageUpdate,
)

Open: TypeAlias = Callable[[], EventSource]


@dataclass(frozen=True, kw_only=True)
class BackendCase:
    """A backend to check. Each of the functions opens a new stream.

    `open` answers in full; `fails`, where there is one, has to fail with a `GatewayError`; without
    it, "fails-with-gateway-errors" is not checked. `released` says whether everything is given back
    (a process, a connection); it is asked after each stream was closed, until it is true. Each
    wait, for a first event, a whole answer, a close or a release, ends after so many `seconds`.
    """

    open: Open
    fails: Open | None = None
    released: Callable[[], bool] = field(default=lambda: True)
    seconds: float = 30


async def check_backend(case: BackendCase, rules: Collection[str] | None = None) -> None:
    """Check all rules, or those named in `rules`.

    Raises `AssertionError` that begins with the name of the first that is broken.
    """
    names = set(BACKEND_RULES if rules is None else rules)
    for name, check in _RULES.items():
        if name not in names and _RELEASES not in names:
            continue
        with named(name) if name in names else suppress(Exception):
            await check(case)
        if _RELEASES in names:
            with named(_RELEASES):
                await _released(case, name)


def check_events(events: Iterable[StreamEvent]) -> None:
    """Check "answers-in-order" for the events of one whole answer. Raises `AssertionError`."""
    with named("answers-in-order"):
        _check_order(list(events))


def _check_order(events: Sequence[StreamEvent]) -> None:
    seen = f"the events were {', '.join(type(event).__name__ for event in events) or 'none'}"

    def check(holds: object, expected: str) -> None:
        expect(holds, f"that {expected}", seen)

    check(events and isinstance(events[0], ResponseStart), "ResponseStart comes first")
    check(isinstance(events[-1], ResponseEnd), "ResponseEnd comes last")
    check(any(isinstance(event, UsageUpdate) for event in events), "there is a UsageUpdate")
    begun: set[int] = set()
    ended: set[int] = set()
    for event in events[1:-1]:
        match event:
            case ResponseStart() | ResponseEnd():
                check(None, "there is one ResponseStart and one ResponseEnd")
            case PartStart(index=index):
                check(index not in begun, f"part {index} begins once")
                begun.add(index)
            case PartDelta(index=index) | PartCitation(index=index) | PartEnd(index=index):
                check(index in begun, f"part {index} begins before anything else of it")
                check(index not in ended, f"part {index} ends after everything else of it")
                if isinstance(event, PartEnd):
                    ended.add(index)
    check(begun == ended, "each part ends")


@asynccontextmanager
async def _opened(open_stream: Open, case: BackendCase) -> AsyncGenerator[EventSource]:
    """A stream, which is closed at the end. Where something broke before, a close breaks nothing."""
    stream = open_stream()
    try:
        yield stream
    except BaseException:
        with suppress(Exception):
            await _close(stream, case)
        raise
    await _close(stream, case)


async def _close(stream: EventSource, case: BackendCase) -> None:
    await within(case.seconds, "the stream to be closed", stream.aclose())


async def _first_of(stream: EventSource, case: BackendCase) -> None:
    await within(case.seconds, "a first event", anext(stream))


async def _whole(stream: EventSource) -> list[StreamEvent]:
    return [event async for event in stream]


async def _answers_in_order(case: BackendCase) -> None:
    async with _opened(case.open, case) as stream:
        events = await within(case.seconds, "a whole answer", _whole(stream))
    _check_order(events)


async def _closes_unread(case: BackendCase) -> None:
    async with _opened(case.open, case) as stream:
        await _close(stream, case)  # more than once is allowed


async def _closes_half_way(case: BackendCase) -> None:
    stream = case.open()
    await _first_of(stream, case)
    await _close(stream, case)
    try:
        event = await within(case.seconds, "an end of a closed stream", anext(stream))
    except StopAsyncIteration:
        return
    expect(None, "no more events of a closed stream", f"there was {event!r}")


async def _lets_cancellation_through(case: BackendCase) -> None:
    async with _opened(case.open, case) as stream:
        await _first_of(stream, case)
        await within(case.seconds, "a cancelled answer to end", _cancel(stream))


async def _cancel(stream: EventSource) -> None:
    gave_way = anyio.Event()
    async with anyio.create_task_group() as tasks:
        with anyio.CancelScope() as scope:
            scope.cancel()
            tasks.start_soon(_set, gave_way)
            async for _ in stream:
                pass
        # A stream that had everything at hand was not interrupted by anything.
        swallowed = gave_way.is_set() and not scope.cancelled_caught
    expect(not swallowed, "a cancelled answer to end as cancelled", "it ended by itself")


async def _set(event: anyio.Event) -> None:
    event.set()


async def _released(case: BackendCase, after: str) -> None:
    expected = f"all resources to be released after {after!r}"
    await expect_soon(case.released, case.seconds, expected, lambda: "something was still held")


async def _fails_with_gateway_errors(case: BackendCase) -> None:
    if case.fails is None:
        return
    seen = "it ended without one"
    async with _opened(case.fails, case) as stream:
        try:
            await within(case.seconds, "a failure", _whole(stream))
        except GatewayError:
            return
        except Breach:
            raise
        except Exception as error:  # noqa: BLE001 - it is what is seen
            seen = f"it was {error!r}"
    expect(None, "a failure to be a GatewayError", seen)


_Rule: TypeAlias = Callable[[BackendCase], Awaitable[None]]

_RULES: Final[dict[str, _Rule]] = {
    "answers-in-order": _answers_in_order,
    "closes-unread": _closes_unread,
    "closes-half-way": _closes_half_way,
    "lets-cancellation-through": _lets_cancellation_through,
    "fails-with-gateway-errors": _fails_with_gateway_errors,
}
"""The rules about a stream, each of which opens one of its own."""

_RELEASES: Final = "releases-what-it-holds"

BACKEND_RULES: Final = (*_RULES, _RELEASES)
"""The names of all rules. The last is checked after each of the others."""
