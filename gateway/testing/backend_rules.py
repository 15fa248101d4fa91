"""What the gateway expects of every backend, as checks that raise `AssertionError`.

await check_backend(BackendCase(open=lambda: my_backend_stream(request())))
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

import anyio

from gateway.errors import GatewayError
from gateway.streams import EventSource
from gateway.types import (
    PartDelta,
    PartEnd,
    PartStart,
    ResponseEnd,
    ResponseStart,
    StreamEvent,
    UsageUpdate,
)

POLL_SECONDS = 0.01

Open: TypeAlias = Callable[[], EventSource]


@dataclass(frozen=True, kw_only=True)
class BackendCase:
    """What to check a backend with. Each of the functions opens a new stream.

    `open` answers in full; `fails`, where there is one, has to fail with a `GatewayError`.
    `released` says whether nothing is held any more (a process, a connection); it is asked
    after each stream was closed, until it is true. Each check may take so many `seconds`.
    """

    open: Open
    fails: Open | None = None
    released: Callable[[], bool] = field(default=lambda: True)
    seconds: float = 30


async def check_backend(case: BackendCase) -> None:
    """Run all checks. Raises `AssertionError` with the rule that is broken."""
    for check in (_answers_in_full, _closes_before_its_first_event, _closes_half_way, _cancels):
        with anyio.fail_after(case.seconds):
            await check(case)
        await _released(case, check.__name__.strip("_"))
    if case.fails is not None:
        with anyio.fail_after(case.seconds):
            await _fails_as_the_gateway_can_tell(case.fails)
        await _released(case, "fails")


def check_events(events: Iterable[StreamEvent]) -> None:
    """Hold the events of one whole answer to their order. Raises `AssertionError`."""
    seen = list(events)
    _rule(bool(seen) and isinstance(seen[0], ResponseStart), "ResponseStart comes first")
    _rule(isinstance(seen[-1], ResponseEnd), "ResponseEnd comes last")
    _rule(any(isinstance(event, UsageUpdate) for event in seen), "the usage is told")
    begun: set[int] = set()
    ended: set[int] = set()
    for event in seen[1:-1]:
        match event:
            case ResponseStart() | ResponseEnd():
                _rule(False, "there is one ResponseStart and one ResponseEnd")  # noqa: FBT003
            case PartStart(index=index):
                _rule(index not in begun, f"part {index} begins once")
                begun.add(index)
            case PartDelta(index=index) | PartEnd(index=index):
                _rule(index in begun, f"part {index} begins before anything else of it")
                _rule(index not in ended, f"part {index} ends after everything else of it")
                if isinstance(event, PartEnd):
                    ended.add(index)
    _rule(begun == ended, "each part ends")


async def _released(case: BackendCase, after: str) -> None:
    with anyio.move_on_after(case.seconds):
        while not case.released():  # noqa: ASYNC110 - a process tells nobody that it is gone
            await anyio.sleep(POLL_SECONDS)
        return
    raise AssertionError(f"broken: nothing is held when a stream is closed ({after})")


def _rule(holds: bool, rule: str) -> None:  # noqa: FBT001
    if not holds:
        raise AssertionError(f"broken: {rule}")


async def _answers_in_full(case: BackendCase) -> None:
    stream = case.open()
    try:
        check_events([event async for event in stream])
    finally:
        await stream.aclose()
    await stream.aclose()  # more than once is allowed


async def _closes_before_its_first_event(case: BackendCase) -> None:
    await case.open().aclose()


async def _closes_half_way(case: BackendCase) -> None:
    stream = case.open()
    await anext(stream)
    await stream.aclose()
    try:
        await anext(stream)
    except StopAsyncIteration:
        return
    raise AssertionError("broken: a closed stream has no more events")


async def _cancels(case: BackendCase) -> None:
    stream = case.open()
    with anyio.CancelScope() as scope:
        try:
            async for _ in stream:
                scope.cancel()
                await anyio.lowlevel.checkpoint()
        finally:
            with anyio.CancelScope(shield=True):
                await stream.aclose()
    _rule(scope.cancelled_caught, "a cancellation is let through")


async def _fails_as_the_gateway_can_tell(fails: Open) -> None:
    stream = fails()
    try:
        async for _ in stream:
            pass
    except GatewayError:
        return
    except Exception as error:
        raise AssertionError(f"broken: a failure is a GatewayError, not {error!r}") from error
    finally:
        await stream.aclose()
    raise AssertionError("broken: what fails raises")
