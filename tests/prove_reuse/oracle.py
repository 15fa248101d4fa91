"""The remaining conversation of a reused process, lived through by a new one."""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import anyio

from gateway_claude_code import protocol
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.process.command import MCP_SERVER
from gateway_claude_code.process.environment import CliEnvironment
from gateway_claude_code.process.launch import launch_for
from gateway_claude_code.process.process import CliProcess
from gateway_claude_code.protocol import Line
from gateway_claude_code.request.settings import as_before
from gateway_claude_code.upstream import Answer, Failure, MessagesRequest, Reply, Upstream
from tests.prove_reuse.differences import differences
from tests.prove_reuse.ledger import Chain, Entry

SECONDS: Final = 60
"""How long any step may take."""


class Oracle:
    """Replays conversations, each in a process of its own, one after another."""

    def __init__(self, upstream: Upstream, config: ClaudeCodeConfig, folder: Path) -> None:
        self._upstream = upstream
        environment = CliEnvironment.offline(upstream.url, folder / "home")
        self._launch = launch_for(config, environment, "sonnet")
        self.replayed = self.compared = 0

    async def judge(self, chain: Chain) -> list[str]:
        """What the reused process sent otherwise."""
        process = await self._launch.start(2)
        try:
            return await self._replay(Life(process, self._upstream, chain))
        except TimeoutError:
            return ["the new process did not do the same in time"]
        finally:
            with anyio.CancelScope(shield=True):
                await process.close(busy=True)

    async def _replay(self, life: "Life") -> list[str]:
        self.replayed += 1
        found: list[str] = []
        await life.begin()
        for number, entry in enumerate(life.chain.entries):
            is_last = number + 1 == len(life.chain.entries)
            arrived = await life.live(entry, to_its_end=not is_last)
            if len(arrived) != len(entry.asked):
                found.append(
                    f"step {number}: asked {len(entry.asked)} times | fresh: {len(arrived)}"
                )
            for place, ((reused, _), fresh) in enumerate(zip(entry.asked, arrived, strict=False)):
                self.compared += 1
                found += [
                    f"step {number}, request {place}: {each}" for each in differences(reused, fresh)
                ]
            if not is_last:
                found += life.counts_differ(number, entry)
        return found


class Life:
    """One new process that lives through a conversation."""

    def __init__(self, process: CliProcess, upstream: Upstream, chain: Chain) -> None:
        self._process = process
        self._upstream = upstream
        self.chain = chain
        self._settings: Mapping[str, Any] = {}
        self._number = 0
        self._pending: dict[str, Line] = {}
        self._own = {call: own for entry in chain.entries for call, own in entry.own.items()}
        self._total = 0.0
        self._costs: list[float] = []
        self._usages: list[Any] = []
        self._arrived: list[MessagesRequest] = []
        self._replies: list[Reply] = []
        self._news = anyio.Event()
        upstream.script = self._answer

    def _answer(self, request: MessagesRequest) -> Reply:
        self._arrived.append(request)
        self._news.set()
        number = len(self._arrived) - 1
        if number < len(self._replies):
            return self._replies[number]
        return Failure(400, "invalid_request_error", "one request more than before")

    async def begin(self) -> None:
        """Set the process up."""
        first = dict(self.chain.first)
        first.pop("sdkMcpServers", None)
        if self.chain.tools:
            first["sdkMcpServers"] = [MCP_SERVER]
        await self._control(first)

    async def live(self, entry: Entry, *, to_its_end: bool) -> list[MessagesRequest]:
        """Do this as it was done; the requests that come of it."""
        self._arrived, self._replies = [], [reply for _, reply in entry.asked]
        self._costs, self._usages = [], []
        wanted = self._as_fresh(entry.settings)
        if entry.kind != "said" and as_before(wanted, self._settings) != self._settings:
            self._settings = as_before(wanted, self._settings)
            await self._control({"subtype": "apply_flag_settings", "settings": self._settings})
        match entry.kind:
            case "said":
                await self._process.send(entry.line)
            case "seed":
                await self._process.send(entry.line)
                await self._until_result()
            case "ask":
                await self._process.send(entry.line)
            case "results":
                await self._process.send(*self._results(entry))
        if entry.asked:
            await self._until_asked(len(entry.asked), until_waiting=to_its_end)
        return self._arrived[: len(entry.asked)]

    def _as_fresh(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The settings without what only a process whose tools were exchanged needs."""
        settings = deepcopy(dict(settings))
        if self.chain.exchanged and "env" in settings:
            name = "CLAUDE_CODE_EXTRA_BODY"
            body = json.loads(settings["env"].get(name, "{}"))
            body.pop("tools", None)
            settings["env"][name] = json.dumps(body)
        return settings

    def _results(self, entry: Entry) -> list[Line]:
        lines = []
        for call, result in entry.results.items():
            line = self._pending.pop(call)
            message = line["request"]["message"]
            rpc = {"jsonrpc": "2.0", "id": message["id"], "result": result}
            lines.append(protocol.mcp_response(line["request_id"], rpc))
        return lines

    def counts_differ(self, number: int, entry: Entry) -> list[str]:
        """Usage and cost of a turn that is over."""
        found = []
        if self._costs and [round(c, 9) for c in entry.costs] != self._costs:
            found.append(f"step {number}: cost {entry.costs} | fresh: {self._costs}")
        if self._usages and entry.usages != self._usages:
            found.append(f"step {number}: usage {entry.usages} | fresh: {self._usages}")
        return found

    # -- lines ------------------------------------------------------------------------

    async def _control(self, request: Mapping[str, Any]) -> None:
        self._number += 1
        request_id = f"oracle-{self._number}"
        await self._process.send(protocol.control_request(request_id, request))
        while True:
            response = (await self._next()).get("response")
            if isinstance(response, dict) and response.get("request_id") == request_id:
                return

    async def _until_result(self) -> None:
        while (await self._next()).get("type") != "result":
            pass

    async def _until_asked(self, times: int, *, until_waiting: bool) -> None:
        with anyio.fail_after(SECONDS):
            if until_waiting:
                await self._until_waiting()
                return
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._read_on)
                while len(self._arrived) < times:
                    self._news = anyio.Event()
                    await self._news.wait()
                tasks.cancel_scope.cancel()

    async def _read_on(self) -> None:
        while True:
            await self._next()

    async def _until_waiting(self) -> None:
        """Until the turn is over, or all of its calls wait."""
        reply = self._replies[-1]
        blocks = reply.blocks if isinstance(reply, Answer) else ()
        calls = {block.id for block in blocks if hasattr(block, "input")} - set(self._own)
        while not calls or self._pending.keys() != calls:
            if (await self._next()).get("type") == "result":
                return

    async def _next(self) -> Line:
        with anyio.fail_after(SECONDS):
            line = await self._process.receive()
        if line is None:
            raise TimeoutError
        if line.get("type") == "control_request":
            await self._serve(line)
        elif line.get("type") == "result":
            total = line.get("total_cost_usd") or 0.0
            self._costs.append(round(total - self._total, 9))
            self._usages.append(line.get("usage"))
            self._total = total
        return line

    async def _serve(self, line: Line) -> None:
        message = line["request"].get("message", {})
        match message.get("method"):
            case "initialize":
                result: dict[str, Any] = {
                    "protocolVersion": message["params"]["protocolVersion"],
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": "client-tools", "version": "1"},
                }
            case "tools/list":
                result = {"tools": list(self.chain.tools)}
            case "tools/call":
                call = str(message["params"].get("_meta", {}).get("claudecode/toolUseId"))
                if call not in self._own:
                    self._pending[call] = line
                    return
                result = self._own[call]
            case _:
                result = {}
        rpc = {"jsonrpc": "2.0", "id": message.get("id"), "result": result}
        await self._process.send(protocol.mcp_response(line["request_id"], rpc))


@asynccontextmanager
async def oracle(config: ClaudeCodeConfig, folder: Path) -> AsyncGenerator[Oracle]:
    """One with an upstream of its own."""
    async with Upstream(lambda _: Failure(500, "api_error", "nothing"), record=False) as upstream:
        yield Oracle(upstream, config, folder)
