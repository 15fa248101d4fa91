"""The plan's windows: what the CLI answers, and how often it is asked."""

from typing import Any

import anyio
import anyio.lowlevel
import pytest

from gateway.errors import BackendFailed
from gateway_claude_code.knowledge.usage import (
    ASK_EVERY,
    PlanUsage,
    Windows,
    ask_windows,
    windows_of,
)

pytestmark = pytest.mark.anyio

ANSWER = {
    "subscription_type": "max",
    "rate_limits_available": True,
    "rate_limits": {
        "five_hour": {"utilization": 37, "resets_at": "2026-11-27T12:00:00+00:00"},
        "seven_day": {"utilization": 12.5, "resets_at": None},
        "seven_day_opus": None,
        "extra_usage": {"is_enabled": True, "monthly_limit": 5000, "utilization": 2.0},
        "limits": [1],
    },
}
"""As CLI 2.1.330 answered against a stand-in for `/api/oauth/usage`."""

WINDOWS: Windows = {
    "five_hour": {"utilization": 0.37, "resets_at": 1_795_780_800.0},
    "seven_day": {"utilization": 0.125, "resets_at": None},
    "extra_usage": {"utilization": 0.02, "resets_at": None},
}


def test_the_windows_of_an_answer_and_nothing_else_of_it() -> None:
    assert windows_of(ANSWER) == WINDOWS


@pytest.mark.parametrize("answer", [None, {}, {"rate_limits": None}, {"rate_limits": []}, "no"])
def test_an_answer_without_windows(answer: object) -> None:
    assert windows_of(answer) == {}


class Process:
    """Answers control lines as the CLI does."""

    def __init__(self, *lines: dict[str, Any] | None) -> None:
        self.lines = list(lines)
        self.sent: list[dict[str, Any]] = []

    async def send(self, *lines: dict[str, Any]) -> None:
        self.sent += lines

    async def receive(self) -> dict[str, Any] | None:
        return self.lines.pop(0)


def response(request_id: str, value: object) -> dict[str, Any]:
    return {
        "type": "control_response",
        "response": {"request_id": request_id, "response": value},
    }


async def test_the_cli_is_asked_without_a_turn() -> None:
    process = Process(response("settings", None), {"type": "system"}, response("question", ANSWER))
    assert await ask_windows(process) == WINDOWS  # type: ignore[arg-type]
    subtypes = [line["request"]["subtype"] for line in process.sent]
    assert subtypes == ["apply_flag_settings", "get_usage"]
    assert process.sent[1]["request"]["skip_behaviors"] is True


async def test_a_cli_that_ends_says_nothing() -> None:
    assert await ask_windows(Process(None)) == {}  # type: ignore[arg-type]


class Asking:
    """Counts the questions and keeps what was noted."""

    def __init__(self) -> None:
        self.asked = 0
        self.now = 0.0
        self.noted: list[Windows] = []
        self.error: BackendFailed | None = None
        self.usage = PlanUsage(self.ask, self.noted.append, lambda: self.now)

    async def ask(self) -> Windows:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return WINDOWS


async def settled() -> None:
    for _ in range(5):
        await anyio.lowlevel.checkpoint()


async def test_nobody_asks_unless_somebody_looks_and_then_seldom() -> None:
    asking = Asking()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(asking.usage.keep_up)
        await settled()
        assert asking.asked == 0
        for elapsed, asked in ((0, 1), (ASK_EVERY - 1, 1), (ASK_EVERY, 2), (ASK_EVERY + 1, 2)):
            asking.now = elapsed
            asking.usage.want()
            await settled()
            assert asking.asked == asked
        tasks.cancel_scope.cancel()
    assert asking.noted == [WINDOWS, WINDOWS]


async def test_a_failure_is_no_reason_to_ask_more_often() -> None:
    asking = Asking()
    asking.error = BackendFailed("gone")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(asking.usage.keep_up)
        for _ in range(3):
            asking.usage.want()
            await settled()
        tasks.cancel_scope.cancel()
    assert (asking.asked, asking.noted) == (1, [])
