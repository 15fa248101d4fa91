"""The settings in force in a process: they survive from turn to turn, and from conversation to conversation."""

from collections.abc import Mapping
from typing import Any

from gateway_claude_code import protocol
from gateway_claude_code.channel.lines import CliLines
from gateway_claude_code.conversations.further_requests import FurtherRequests
from gateway_claude_code.conversations.turn_lines import is_applied
from gateway_claude_code.protocol import Line
from gateway_claude_code.request.settings import as_before


class Parameters:
    """Applies settings to one process; `further` is whether it may ask its upstream again."""

    def __init__(self, lines: CliLines) -> None:
        self._lines = lines
        self._settings: Mapping[str, Any] = {}
        self._are_certain = False
        self.further = FurtherRequests()

    def needs(self, settings: Mapping[str, Any]) -> bool:
        """Whether anything has to be sent for these."""
        return (
            self.further.forbidden
            or not self._are_certain
            or as_before(settings, self._settings) != self._settings
        )

    async def apply(self, settings: Mapping[str, Any], *before: Line) -> None:
        """Send these, and wait until they hold. Raises `BackendFailed` where they are refused."""
        self._settings, self._are_certain = as_before(settings, self._settings), False
        await self._send(self.further.allow(self._settings), *before)
        self._are_certain = True

    async def renew(self) -> None:
        """Send them once more, as another request of the CLI's is wanted."""
        await self.apply(self._settings)

    async def settle(self) -> None:
        """Lift what forbade further requests, now rather than when the next turn waits for it."""
        if self.further.forbidden:
            await self._send(self.further.allow({}))

    async def _send(self, settings: Mapping[str, Any], *before: Line) -> None:
        request_id = self._lines.next_id()
        await self._lines.send(*before, protocol.apply_settings(request_id, settings))
        while not is_applied(await self._lines.next(), request_id):
            pass
