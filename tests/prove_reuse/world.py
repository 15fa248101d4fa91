"""Eight callers over one backend, whose every upstream request is checked as it arrives."""

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import anyio

from gateway.context import RequestContext
from gateway.errors import GatewayError
from gateway.streams import AnswerBuilder
from gateway.types import StreamEvent
from gateway_claude_code.backend import ClaudeCodeBackend
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.process import launch
from gateway_claude_code.process.environment import CliEnvironment
from gateway_claude_code.request.prepare import Prepared, WentOut
from gateway_claude_code.upstream import Failure, MessagesRequest, Reply, Upstream
from tests.prove_reuse.callers.asked import Asked
from tests.prove_reuse.callers.caller import Caller, Habits, visible
from tests.prove_reuse.ledger import Tap, tapped
from tests.prove_reuse.leftovers import MOST_MORE, descriptors
from tests.prove_reuse.marks import newest
from tests.prove_reuse.meaning import wrong

CALLERS: Final = 8
SECONDS: Final = 120
"""How long any request may take."""
TAKEN_BACK: Final = ("messages.system_role",)
"""Rules that the CLI breaks by itself, and then asks again: a note that one model refuses."""


@dataclass(slots=True)
class Findings:
    """What was done, and what is wrong."""

    problems: list[str] = field(default_factory=list)
    did: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    upstream: int = 0


class Recorded(ClaudeCodeBackend):
    """The backend, with a note of what each request was made into."""

    def __init__(self, config: ClaudeCodeConfig, environment: CliEnvironment) -> None:
        super().__init__(config, environment)
        self.asked: dict[str, Asked] = {}

    async def ask_once(
        self, prepared: Prepared, ctx: RequestContext, went_out: WentOut | None = None
    ) -> AsyncGenerator[StreamEvent]:
        """The same as of any backend."""
        self.asked[ctx.request_id].prepared.append(prepared)
        async with aclosing(super().ask_once(prepared, ctx, went_out)) as events:
            async for event in events:
                yield event


class World:
    """Callers, the backend, the upstream, and what is known of each request."""

    def __init__(
        self, folder: Path, config: ClaudeCodeConfig, seed: str, habits: Habits, tap: Tap
    ) -> None:
        self._folder, self._config = folder, config
        self.tap = tap
        self.findings = Findings()
        self.callers = [Caller(number, seed, habits) for number in range(CALLERS)]
        self._asked: dict[str, Asked] = {}
        self._all: list[Asked] = []
        self._upstream: Upstream | None = None
        self.backend: Recorded | None = None
        self._requests = 0

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """While this is open, there is a backend."""
        async with Upstream(self._script, record=True) as upstream:
            self._upstream = upstream
            offline = CliEnvironment.offline(upstream.url, self._folder / "home")
            temporary = {"TMPDIR": str(self._folder / "tmp")}
            environment = replace(offline, environ={**offline.environ, **temporary})
            self.backend = Recorded(self._config, environment)
            async with self.backend.running():
                self.backend.expect("sonnet", "2.1.330")
                yield

    @property
    def taken(self) -> dict[str, int]:
        """How many answers began with a process of each kind: see `Pool.report`."""
        assert self.backend is not None
        taken: dict[str, int] = self.backend.report()["taken"]
        return taken

    def check_open(self) -> None:
        """No process may have much more open than another, however often it was cut."""
        counts = {
            pid: (len(descriptors(pid)), ledger.cuts)
            for pid, ledger in self.tap.living.items()
            if ledger.cuts  # one that only starts has not opened all
        }
        numbers = [number for number, _ in counts.values() if number]
        if numbers and max(numbers) > min(numbers) + MOST_MORE:
            self._problem(f"open files, and cuts, by process: {counts}")

    def check_costs(self) -> None:
        """Each request was told what its own turns cost, no more and no less."""
        for asked in dict.fromkeys(self._all):
            told, spent = asked.cost, sum(sum(entry.costs) for entry in asked.entries)
            if abs(told - spent) > 1e-9:
                self._problem(f"cost: told {told}, spent {spent}: {asked.told}")

    # -- the model --------------------------------------------------------------------

    def _script(self, request: MessagesRequest) -> Reply:
        assert self._upstream is not None
        self._upstream.requests.clear()
        self.findings.upstream += 1
        secret = newest(request.body.get("messages"), self._asked)
        asked = self._asked.get(secret or "")
        if asked is None or secret is None:
            self._problem(f"a request of nobody's: {request.messages}")
            return Failure(400, "invalid_request_error", "whose is this?")
        asked.upstream.append(request)
        thoughts = {k: v for caller in self.callers for k, v in caller.replies.thoughts.items()}
        if asked.is_further(request):
            self.findings.did["further requests of the CLI's own"] += 1
        for each in wrong(asked, request, thoughts):
            self._problem(f"{each}\n    {asked.told}")
        entry = self.tap.arrived(secret, request, asked.reply)
        if entry is not None and entry not in asked.entries:
            asked.entries.append(entry)
        asked.reached.set()
        return asked.reply

    def _problem(self, text: str) -> None:
        self.findings.problems.append(text)

    # -- the callers ------------------------------------------------------------------

    async def play(self, sequences: int) -> None:
        """So many sequences, each caller one after another."""
        async with anyio.create_task_group() as tasks:
            for place, caller in enumerate(self.callers):
                tasks.start_soon(self._sequences, caller, len(range(place, sequences, CALLERS)))

    async def _sequences(self, caller: Caller, count: int) -> None:
        for _ in range(count):
            for several in caller.sequence():
                async with anyio.create_task_group() as tasks:
                    for asked in several:
                        tasks.start_soon(self._ask, asked)

    async def _ask(self, asked: Asked) -> None:
        assert self.backend is not None
        assert self._upstream is not None
        self._requests += 1
        self._all.append(asked)
        for secret in asked.keys:
            self._asked[secret] = asked
        name = f"r{self._requests}"
        self.backend.asked[name] = asked
        try:
            with anyio.move_on_after(SECONDS) as limit:
                await self._until_left(asked, name)
            if limit.cancelled_caught:
                self._problem(f"not over in time: {asked.told}")
        finally:
            del self.backend.asked[name]
        for refused in self._upstream.refusals:
            if refused.rule not in TAKEN_BACK:
                self._problem(f"refused: {refused.broken.refusal.message} {refused.request.body}")
        self._upstream.refusals.clear()
        self.findings.did[asked.name] += 1
        self.findings.ended[asked.ending or asked.error or "left"] += 1

    async def _until_left(self, asked: Asked, name: str) -> None:
        if asked.leaves is None:
            await self._answer(asked, name)
            return
        async with anyio.create_task_group() as tasks:

            async def leave() -> None:
                if not asked.at_once:
                    await asked.reached.wait()
                await anyio.sleep(asked.leaves or 0)
                tasks.cancel_scope.cancel()

            tasks.start_soon(leave)
            await self._answer(asked, name)
            tasks.cancel_scope.cancel()

    async def _answer(self, asked: Asked, name: str) -> None:
        assert self.backend is not None
        builder = AnswerBuilder()

        def report_cost(cost: float) -> None:
            asked.cost += cost

        ctx = RequestContext(request_id=name, report_cost=report_cost)
        try:
            async with aclosing(self.backend.answer(asked.request, asked.target, ctx)) as events:
                async for event in events:
                    builder.add(event)
            answer = builder.build()
            asked.parts, asked.usage = visible(answer.parts), answer.usage
            asked.ending = answer.stop_reason
        except GatewayError as error:
            asked.error = f"{type(error).__name__}: {error.message}"


@asynccontextmanager
async def world(
    folder: Path, config: ClaudeCodeConfig, seed: str, habits: Habits
) -> AsyncGenerator[World]:
    """One whose processes are all read along."""
    tap = Tap()
    usual = launch.CliProcess
    launch.CliProcess = tapped(tap)  # type: ignore[misc]
    try:
        made = World(folder, config, seed, habits, tap)
        async with made.running():
            yield made
    finally:
        launch.CliProcess = usual  # type: ignore[misc]
