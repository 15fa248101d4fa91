"""The rules for backends: a sound one keeps them, and each breach is found by the rule's name."""

from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from gateway.errors import GatewayError
from gateway.streams import EventSource
from gateway.testing import (
    BACKEND_RULES,
    BackendCase,
    check_backend,
    check_events,
    text_answer,
)
from gateway.types import StreamEvent
from gateway_echo.answer import EchoOptions, echo

START, BEGIN, DELTA, END, USAGE, LAST = text_answer("Hello")


async def play(*events: Any) -> AsyncGenerator[StreamEvent]:
    for event in events:
        if isinstance(event, Exception):
            raise event
        yield event


def whole() -> EventSource:
    return play(*text_answer("Hello"))


def failing() -> EventSource:
    return play(START, GatewayError("no"))


async def test_the_echo_backend_keeps_the_rules() -> None:
    await check_backend(BackendCase(open=lambda: echo("m", "Hello", EchoOptions(chunks=3))))


async def test_a_backend_that_fails_well() -> None:
    await check_backend(BackendCase(open=whole, fails=failing))


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], "ResponseStart comes first, but the events were none"),
        ([BEGIN, DELTA, END, USAGE, LAST], "ResponseStart comes first"),
        ([START, BEGIN, DELTA, END, USAGE], "ResponseEnd comes last"),
        ([START, BEGIN, DELTA, END, LAST], "there is a UsageUpdate"),
        ([START, START, USAGE, LAST], "there is one ResponseStart and one ResponseEnd"),
        ([START, DELTA, USAGE, LAST], "part 0 begins before"),
        ([START, BEGIN, BEGIN, END, USAGE, LAST], "part 0 begins once"),
        ([START, BEGIN, END, DELTA, USAGE, LAST], "part 0 ends after"),
        ([START, BEGIN, USAGE, LAST], "each part ends, but the events were ResponseStart, PartSt"),
    ],
)
def test_events_out_of_order(events: list[StreamEvent], expected: str) -> None:
    with pytest.raises(AssertionError, match=f"^answers-in-order: expected that {expected}"):
        check_events(events)


class Stream:
    """A stream that does as it should."""

    def __init__(self) -> None:
        self._events = iter(text_answer("Hello"))
        self._closed = False

    def __aiter__(self) -> "Stream":
        return self

    async def __anext__(self) -> StreamEvent:
        await anyio.lowlevel.checkpoint()
        if self._closed or (event := next(self._events, None)) is None:
            raise StopAsyncIteration
        return event

    async def aclose(self) -> None:
        self._closed = True


class OnceUnread(Stream):
    """Can't be closed twice, if it was never read."""

    def __init__(self) -> None:
        super().__init__()
        self._read = False

    async def __anext__(self) -> StreamEvent:
        self._read = True
        return await super().__anext__()

    async def aclose(self) -> None:
        if self._closed and not self._read:
            raise RuntimeError("closed twice")
        await super().aclose()


class GoesOn(Stream):
    async def aclose(self) -> None: ...


class Uncancelled(Stream):
    """Takes a cancellation for its end."""

    async def __anext__(self) -> StreamEvent:
        try:
            return await super().__anext__()
        except anyio.get_cancelled_exc_class():
            raise StopAsyncIteration from None


class Endless(Stream):
    async def __anext__(self) -> StreamEvent:
        await anyio.lowlevel.checkpoint()
        return START


class StaysOpen(Stream):
    async def aclose(self) -> None:
        await anyio.sleep_forever()


class Uninterrupted(Uncancelled):
    """Goes on after a cancellation."""

    async def __anext__(self) -> StreamEvent:
        try:
            return await super().__anext__()
        except StopAsyncIteration:
            await anyio.sleep_forever()
            raise


class Hanging(Stream):
    async def __anext__(self) -> StreamEvent:
        await anyio.sleep_forever()
        raise StopAsyncIteration


QUICK = 0.05
BROKEN: dict[str, tuple[BackendCase, str]] = {
    "answers-in-order": (
        BackendCase(open=lambda: play(START, BEGIN, DELTA, END, LAST)),
        "that there is a UsageUpdate, but the events were",
    ),
    "closes-unread": (
        BackendCase(open=OnceUnread),
        r"no exception, but saw RuntimeError\('closed twice'\)",
    ),
    "closes-half-way": (
        BackendCase(open=GoesOn),
        "no more events of a closed stream, but there was PartStart",
    ),
    "lets-cancellation-through": (
        BackendCase(open=Uncancelled),
        "a cancelled answer to end as cancelled, but it ended by itself",
    ),
    "fails-with-gateway-errors": (
        BackendCase(open=whole, fails=lambda: play(KeyError("x"))),
        r"a failure to be a GatewayError, but it was KeyError\('x'\)",
    ),
    "releases-what-it-holds": (
        BackendCase(open=whole, released=lambda: False, seconds=QUICK),
        "all resources to be released after 'answers-in-order' within 0.05 s, but something",
    ),
}


def test_each_rule_has_a_backend_that_breaks_it() -> None:
    assert set(BROKEN) == set(BACKEND_RULES)


@pytest.mark.parametrize("name", BACKEND_RULES)
async def test_a_breach_is_found_by_its_rule_and_no_other(name: str) -> None:
    case, expected = BROKEN[name]
    with pytest.raises(AssertionError, match=f"^{name}: expected {expected}"):
        await check_backend(case)
    await check_backend(case, [other for other in BACKEND_RULES if other != name])


async def test_a_rule_can_be_checked_alone() -> None:
    case, expected = BROKEN["releases-what-it-holds"]
    with pytest.raises(AssertionError, match=expected):
        await check_backend(case, ["releases-what-it-holds"])
    await check_backend(case, ["answers-in-order"])


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (
            BackendCase(open=Hanging, seconds=QUICK),
            "^answers-in-order: expected a whole answer within 0.05 s, but it did not come",
        ),
        (
            BackendCase(open=Endless, seconds=QUICK),
            "^answers-in-order: expected a whole answer within 0.05 s, but it did not come",
        ),
        (
            BackendCase(open=whole, fails=Hanging, seconds=QUICK),
            "^fails-with-gateway-errors: expected a failure within 0.05 s, but it did not come",
        ),
        (
            BackendCase(open=whole, fails=whole),
            "^fails-with-gateway-errors: .* but it ended without one",
        ),
    ],
)
async def test_the_message_says_what_was_seen(case: BackendCase, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        await check_backend(case)


@pytest.mark.parametrize("stream", [Hanging, Endless, StaysOpen, Uninterrupted])
@pytest.mark.parametrize("name", BACKEND_RULES)
async def test_no_wait_is_longer_than_the_case_allows(name: str, stream: type[Stream]) -> None:
    case = BackendCase(open=stream, fails=stream, seconds=QUICK)
    waits = 9 if name != "releases-what-it-holds" else 9 * len(BACKEND_RULES)
    with anyio.fail_after(QUICK * waits), suppress(AssertionError):
        await check_backend(case, [name])
