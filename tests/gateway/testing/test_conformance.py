"""The rules for backends and frontends: our own keep them, and each breach is found."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from gateway.errors import GatewayError
from gateway.streams import EventSource
from gateway.testing import BackendCase, check_backend, check_events, text_answer
from gateway.types import StreamEvent
from gateway_echo.answer import EchoOptions, echo

START, BEGIN, DELTA, END, USAGE, LAST = text_answer("Hello")


async def play(*events: Any) -> AsyncGenerator[StreamEvent]:
    for event in events:
        if isinstance(event, Exception):
            raise event
        yield event


async def test_the_echo_backend_keeps_the_rules() -> None:
    await check_backend(BackendCase(open=lambda: echo("m", "Hello", EchoOptions(chunks=3))))


@pytest.mark.parametrize(
    ("events", "rule"),
    [
        ([], "ResponseStart comes first"),
        ([BEGIN, DELTA, END, USAGE, LAST], "ResponseStart comes first"),
        ([START, BEGIN, DELTA, END, USAGE], "ResponseEnd comes last"),
        ([START, BEGIN, DELTA, END, LAST], "the usage is told"),
        ([START, START, USAGE, LAST], "one ResponseStart and one ResponseEnd"),
        ([START, DELTA, USAGE, LAST], "part 0 begins before"),
        ([START, BEGIN, BEGIN, END, USAGE, LAST], "part 0 begins once"),
        ([START, BEGIN, END, DELTA, USAGE, LAST], "part 0 ends after"),
        ([START, BEGIN, USAGE, LAST], "each part ends"),
    ],
)
def test_events_out_of_order(events: list[StreamEvent], rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        check_events(events)


def whole() -> EventSource:
    return play(*text_answer("Hello"))


class _Deaf:
    """A stream that goes on after it was closed."""

    def __init__(self) -> None:
        self._events = iter(text_answer("Hello"))

    def __aiter__(self) -> "_Deaf":
        return self

    async def __anext__(self) -> StreamEvent:
        if (event := next(self._events, None)) is None:
            raise StopAsyncIteration
        return event

    async def aclose(self) -> None: ...


@pytest.mark.parametrize(
    ("case", "rule"),
    [
        (BackendCase(open=_Deaf), "a closed stream has no more events"),
        (BackendCase(open=whole, released=lambda: False, seconds=0.05), "held .* .answers_in_full"),
        (BackendCase(open=whole, fails=whole), "what fails raises"),
        (BackendCase(open=whole, fails=lambda: play(KeyError("x"))), "is a GatewayError, not Key"),
    ],
)
async def test_what_a_backend_breaks_is_named(case: BackendCase, rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        await check_backend(case)


async def test_a_backend_that_fails_well() -> None:
    await check_backend(BackendCase(open=whole, fails=lambda: play(START, GatewayError("no"))))
