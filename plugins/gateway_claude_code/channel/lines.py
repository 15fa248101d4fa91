"""The lines to and from one process: questions and their answers, and whatever comes between."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import anyio

from gateway.errors import GatewayError
from gateway_claude_code import protocol
from gateway_claude_code.channel.mcp_bridge import McpBridge
from gateway_claude_code.channel.turn_cost import TurnCost
from gateway_claude_code.process.process import CliProcess
from gateway_claude_code.protocol import Line
from gateway_claude_code.response.failures import NotReady, exited, is_final_retry, removes_media

COST_SECONDS: Final = 1
"""How long a process that is to end may take to say what its turn cost."""


class CliLines:
    """Asks one process, and takes care of what it asks and says by the way.

    `bridge` has the process's tools, and `cost` is told of each turn's. `note_quota` is told each
    `rate_limit_info`.
    """

    def __init__(self, process: CliProcess, note_quota: Callable[[object], None]) -> None:
        self._process = process
        self._note_quota = note_quota
        self._requests = 0
        self.bridge: McpBridge | None = None
        self.cost = TurnCost()

    def offer(self, bridge: McpBridge | None) -> None:
        """From now on, these are the process's tools."""
        self.bridge = bridge

    async def send(self, *lines: Line) -> None:
        """Write lines; see `CliProcess.send`."""
        await self._process.send(*lines)

    def next_id(self) -> str:
        """The id of the next control request."""
        self._requests += 1
        return f"dragoman-{self._requests}"

    async def next(
        self, *, started: bool = False, within: float | None = None, parked: bool = False
    ) -> Line:
        """The next line that is not the tools' server's business.

        With `parked`, the calls of tools that come late are also returned. Raises `TimeoutError`
        if the process is silent for longer than `within`, in seconds; `ProcessGone` at its end,
        which is worse if an answer has `started`; and `BackendFailed`.
        """
        while True:
            line = await self._process.receive(within)
            if line is None:
                raise exited(await self._process.exit_code(), started=started)
            match line.get("type"):
                case "rate_limit_event":
                    self._note_quota(line.get("rate_limit_info"))
                case "result":
                    self.cost.note(line.get("total_cost_usd"))
                case "system" if line.get("subtype") == "init" and self.bridge is not None:
                    # the CLI begins every turn with it, also those of a history, before it asks
                    self.bridge.check(line.get("tools") or ())
            if line.get("type") != "control_request":
                return line
            if self.bridge is not None and (answer := self.bridge.take(line)) is not None:
                await self._process.send(answer)
            elif parked:
                return line

    async def ask(self, request: Mapping[str, Any]) -> Line:
        """The CLI's answer to a control request; lines before it are passed over.

        Raises what `next` raises.
        """
        request_id = self.next_id()
        await self._process.send(protocol.control_request(request_id, request))
        while True:
            response = (await self.next(started=True)).get("response")
            if isinstance(response, dict) and response.get("request_id") == request_id:
                return response

    async def demand(self, request: Mapping[str, Any]) -> Line:
        """The content of the answer to a request that has to succeed. Raises `NotReady` if not."""
        response = await self.ask(request)
        content = response.get("response")
        if response.get("subtype") != "success" or not isinstance(content, dict):
            raise NotReady("The Claude Code CLI rejected a control request.")
        return content

    async def interrupt(self) -> None:
        """Call the present turn off."""
        await self.send(protocol.control_request(self.next_id(), {"subtype": "interrupt"}))

    async def hear_cost(self) -> bool:
        """Call the present turn off, and read on until the CLI says what it cost; whether it did."""
        try:
            with anyio.move_on_after(COST_SECONDS):
                await self.interrupt()
                while (await self.next(started=True)).get("type") != "result":
                    pass
                return True
        except GatewayError:
            return False
        finally:
            self.cost.end()
        return False

    async def api_sentence(self, line: Line) -> str | None:
        """The API's own sentence, for a line that announces another request and does not quote it.

        A request that is not to be made is called off at once: a retry goes out half a second
        later. One without the media that the API refused may be on its way already.
        """
        without_media = removes_media(line)
        if line.get("subtype") != "api_retry" and not without_media:
            return None
        if without_media or is_final_retry(line):
            await self.interrupt()
        return await self._process.api_sentence()
