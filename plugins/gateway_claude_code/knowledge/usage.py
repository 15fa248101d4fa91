"""The plan's windows, asked of the CLI when somebody reads them; never by asking a model.

`get_usage` has the CLI make one `GET https://api.anthropic.com/api/oauth/usage` (seen with 2.1.330),
and only with a login of claude.ai: with an API key or a token from the environment there is nothing
to know. It is asked in a process of its own: it needs the traffic that the processes for requests
are told to leave out.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Final

import anyio

from gateway.errors import GatewayError
from gateway_claude_code import cli_variables, protocol
from gateway_claude_code.knowledge.questions import asked
from gateway_claude_code.process.process import CliProcess

log = logging.getLogger("gateway_claude_code")

Window = dict[str, float | None]
Windows = dict[str, Window]

ASK_EVERY: Final = 300.0
"""Seconds. Not more often, however often somebody looks."""
WITH_WINDOWS: Final = "claude.ai"
"""`authMethod` of the logins whose windows the CLI can ask for (`claude auth status`, 2.1.330)."""

_ONLY_THIS: Final = {
    # otherwise `rate_limits` is null
    cli_variables.DISABLE_NONESSENTIAL_TRAFFIC: "",
    cli_variables.DISABLE_TELEMETRY: "1",
    cli_variables.DISABLE_ERROR_REPORTING: "1",
}
_PERCENT: Final = 100


class PlanUsage:
    """Has the windows asked for, in the background, at most once in `ASK_EVERY` seconds.

    `ask` asks the CLI and may raise `GatewayError`; `note` takes what it found.
    """

    def __init__(
        self,
        ask: Callable[[], Awaitable[Windows]],
        note: Callable[[Windows], None],
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._note = note
        self._elapsed = elapsed
        self._asked: float | None = None
        self._wanted = anyio.Event()

    def want(self) -> None:
        """Somebody reads the windows now; what is known is from before."""
        if self._asked is None or self._elapsed() - self._asked >= ASK_EVERY:
            self._wanted.set()

    async def keep_up(self) -> None:
        """Ask whenever that is wanted, until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted = anyio.Event()
            self._asked = self._elapsed()
            try:
                self._note(await self._ask())
            except GatewayError as error:
                log.info("the plan's usage is not available: %s", error.message)


async def ask_windows(process: CliProcess) -> Windows:
    """Ask a process that was told nothing yet; empty if it does not say. Raises `BackendFailed`."""
    settings = protocol.apply_settings("settings", {"env": _ONLY_THIS})
    question = {"subtype": "get_usage", "skip_behaviors": True}
    return windows_of(await asked(process, question, settings))


def windows_of(answer: object) -> Windows:
    """The windows in an answer to `get_usage`: `utilization` from 0 to 1, `resets_at` in Unix time.

    Nothing else of it is kept: it says what the account costs.
    """
    limits = answer.get("rate_limits") if isinstance(answer, Mapping) else None
    if not isinstance(limits, Mapping):
        return {}
    found = {str(name): _window(value) for name, value in limits.items()}
    return {name: window for name, window in found.items() if window is not None}


def _window(value: Any) -> Window | None:  # noqa: ANN401 - whatever the CLI says
    used = value.get("utilization") if isinstance(value, Mapping) else None
    if not isinstance(used, int | float):
        return None
    return {"utilization": used / _PERCENT, "resets_at": _unix_time(value.get("resets_at"))}


def _unix_time(text: object) -> float | None:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return None
