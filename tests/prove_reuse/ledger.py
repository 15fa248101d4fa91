"""The conversation that a process holds, read off its pipe: independent of the backend's own books."""

import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from gateway_claude_code.process.process import CliProcess
from gateway_claude_code.protocol import Line
from gateway_claude_code.request.settings import NO_FURTHER_REQUEST
from gateway_claude_code.upstream import MessagesRequest, Reply
from tests.prove_reuse.marks import secrets_in


@dataclass(slots=True, kw_only=True, eq=False)
class Entry:
    """One step of a conversation, with the settings that were in force.

    `kind`: "seed" (a user's turn that is not answered), "said" (an assistant's), "ask", "results".
    `results` are MCP results by the ids of their calls; `own` those that the gateway gave at once.
    `asked` are the upstream requests that came of it with their replies, `costs` the sums of money
    and `usages` the counts on its `result` lines.
    """

    kind: str
    line: Line = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    own: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[MessagesRequest, Reply]] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    usages: list[Any] = field(default_factory=list)
    proven: bool = False

    @property
    def content(self) -> Any:
        """What was said."""
        return self.line.get("message", {}).get("content")

    def __str__(self) -> str:
        said = json.dumps(self.content, ensure_ascii=False)[:200]
        replies = [type(reply).__name__ for _, reply in self.asked]
        own = f", at once {list(self.own)}" if self.own else ""
        results = list(self.results) or ""
        return f"{self.kind} {said} {results}{own} -> {replies} under {self.settings}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A whole conversation of one process, as it was before it was cut or the process ended."""

    first: Mapping[str, Any]
    tools: tuple[Any, ...]
    exchanged: bool
    cuts: int
    entries: tuple[Entry, ...]

    def __str__(self) -> str:
        steps = "\n".join(f"      {number} {entry}" for number, entry in enumerate(self.entries))
        return (
            f"after {self.cuts} cuts, exchanged {self.exchanged}, {len(self.tools)} tools:\n{steps}"
        )


class Ledger:
    """Of one process. `note` is called with each whole conversation that may have to be compared."""

    def __init__(self, note: Callable[[Chain], None]) -> None:
        self._note = note
        self._first: Mapping[str, Any] = {}
        self._tools: tuple[Any, ...] = ()
        self._exchanged = False
        self._settings: dict[str, Any] = {}
        self._calls: dict[str, str] = {}
        self._rewinds: dict[str, str] = {}
        self._total = 0.0
        self.cuts = 0
        self.entries: list[Entry] = []

    # -- what is written --------------------------------------------------------------

    def sent(self, line: Line) -> Entry | None:
        """Take a line of the gateway's; the entry that asks the model, if one does."""
        match line:
            case {"type": "control_request", "request": request}:
                self._control(str(line["request_id"]), request)
            case {"type": "user"}:
                kind = "seed" if line.get("shouldQuery") is False else "ask"
                return self._add(Entry(kind=kind, line=line))
            case {"type": "assistant"}:
                self._add(Entry(kind="said", line=line))
            case {"type": "control_response", "response": response}:
                return self._mcp(response)
        return None

    def _add(self, entry: Entry) -> Entry | None:
        entry.settings = deepcopy(self._settings)
        self.entries.append(entry)
        return entry if entry.kind in ("ask", "results") else None

    def _control(self, request_id: str, request: Mapping[str, Any]) -> None:
        match request:
            case {"subtype": "initialize"}:
                self._first = dict(request)
            case {"subtype": "apply_flag_settings", "settings": settings}:
                self._apply(settings)
            case {"subtype": "rewind_conversation", "target_message_uuid": target}:
                self._rewinds[request_id] = target
            case {"subtype": "mcp_set_servers", "servers": servers}:
                self._exchanged = self._exchanged or bool(self._tools)
                if not servers:
                    self._tools = ()

    def _apply(self, settings: Mapping[str, Any]) -> None:
        """Of each line all is meant that is in it: what an earlier one left is not wanted."""
        limits = NO_FURTHER_REQUEST["env"]
        given = settings.get("env", {})
        if given and given.keys() <= limits.keys() and settings.keys() == {"env"}:
            return  # forbids or allows further requests, and leaves the rest as it is
        env = {name: value for name, value in given.items() if value != "" and name not in limits}
        wanted = {name: value for name, value in settings.items() if value is not None}
        self._settings = {**wanted, "env": env}

    def _mcp(self, response: Mapping[str, Any]) -> Entry | None:
        result = response.get("response", {}).get("mcp_response", {}).get("result", {})
        if "tools" in result:
            self._tools = tuple(result["tools"])
        if "content" not in result:
            return None
        call = self._calls.pop(str(response["request_id"]), "")
        last = self.entries[-1]
        if result.get("isError"):
            last.own[call] = result
            return None
        if last.kind == "results" and not last.asked and self._is_open(last):
            last.results[call] = result
            return last
        return self._add(Entry(kind="results", results={call: result}))

    def _is_open(self, entry: Entry) -> bool:
        return not entry.costs

    # -- what is read -----------------------------------------------------------------

    def received(self, line: Line) -> None:
        """Take a line of the CLI's."""
        match line:
            case {"type": "control_request", "request": {"message": {"method": "tools/call"}}}:
                params = line["request"]["message"]["params"]
                call = params.get("_meta", {}).get("claudecode/toolUseId")
                self._calls[str(line["request_id"])] = str(call)
            case {"type": "control_response", "response": {"request_id": request_id} as response}:
                target = self._rewinds.pop(str(request_id), None)
                content = response.get("response")
                if target and isinstance(content, dict) and content.get("rewound") is True:
                    self._cut(target)
            case {"type": "result"}:
                self._result(line)

    def _result(self, line: Line) -> None:
        total = line.get("total_cost_usd") or 0.0
        if self.entries:
            self.entries[-1].costs.append(round(total - self._total, 9))
            self.entries[-1].usages.append(line.get("usage"))
        self._total = total

    def _cut(self, uuid: str) -> None:
        place = next(i for i, entry in enumerate(self.entries) if entry.line.get("uuid") == uuid)
        self.end()
        self.cuts += 1
        del self.entries[place:]

    def end(self) -> None:
        """The conversation as it is now will not be longer."""
        if self.cuts and any(entry.asked and not entry.proven for entry in self.entries):
            for entry in self.entries:
                entry.proven = True
            self._note(
                Chain(
                    first=self._first,
                    tools=self._tools,
                    exchanged=self._exchanged,
                    cuts=self.cuts,
                    entries=tuple(replace(e, asked=list(e.asked)) for e in self.entries),
                )
            )


class Tap:
    """All processes that were started under it, by what they were last asked."""

    def __init__(self) -> None:
        self.chains: list[Chain] = []
        self.living: dict[int, Ledger] = {}
        self._entries: dict[str, Entry] = {}

    def new(self, pid: int) -> Ledger:
        """The ledger of a process that starts."""
        self.living[pid] = ledger = Ledger(self.chains.append)
        return ledger

    def closes(self, pid: int) -> None:
        """A process is about to end."""
        if (ledger := self.living.pop(pid, None)) is not None:
            ledger.end()

    def asks(self, entry: Entry, entries: Sequence[Entry]) -> None:
        """The model is about to be asked for this, the last of these.

        A demand that is made once more has no secret of its own, and is known by those of the turn
        before.
        """
        *_, before, last = [None, *(each for each in entries if each.kind != "said")]
        for each in (before, last):
            if each is not None:
                for secret in secrets_in([each.content, each.results]):
                    self._entries[secret] = entry

    def arrived(self, secret: str, request: MessagesRequest, reply: Reply) -> Entry | None:
        """The model was asked; for what, if that is known."""
        if (entry := self._entries.get(secret)) is not None:
            entry.asked.append((request, reply))
        return entry


def tapped(tap: Tap) -> type[CliProcess]:
    """The class of processes whose pipes are read along."""

    class Tapped(CliProcess):
        """A process with a ledger."""

        _ledger: Ledger | None = None

        @property
        def ledger(self) -> Ledger:
            """Its own."""
            if self._ledger is None:
                self._ledger = tap.new(self.pid)
            return self._ledger

        async def send(self, *lines: Line) -> None:
            for line in lines:
                if (entry := self.ledger.sent(line)) is not None:
                    tap.asks(entry, self.ledger.entries)
            await super().send(*lines)

        async def receive(self, within: float | None = None) -> Line | None:
            line = await super().receive(within)
            if line is not None and within is None:
                self.ledger.received(line)
            return line

        async def close(self, *, busy: bool) -> None:
            tap.closes(self.pid)
            await super().close(busy=busy)

    return Tapped
