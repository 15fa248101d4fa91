"""Answering a request with the CLI: a process, the conversation as turns, the answer as events."""

import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace
from functools import partial
from typing import Any, Final, Literal, TypeAlias

from gateway.context import RequestContext
from gateway.errors import InvalidRequest, QuotaExhausted
from gateway.load.off_loop import off_loop
from gateway.streams import AnswerBuilder
from gateway.types import (
    ChatRequest,
    ResponseEnd,
    ResponseStart,
    StreamEvent,
    Target,
)
from gateway_claude_code.agent import Agent
from gateway_claude_code.compatibility.verdict import Gate
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.conversations.answer_headers import (
    note_left_out,
    note_messages,
    note_terms,
    note_transcript,
)
from gateway_claude_code.conversations.continuation import (
    AnswerSoFar,
    Continuation,
    continuation,
    key_after,
)
from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.conversations.mcp_bridge import bridge_of
from gateway_claude_code.conversations.tool_check import tools_digest
from gateway_claude_code.facts.asked import AskedModel, read_models
from gateway_claude_code.facts.known import KnownModels
from gateway_claude_code.facts.seen import SeenFacts
from gateway_claude_code.knowledge.catalogue import ModelCatalogue
from gateway_claude_code.knowledge.questions import asked
from gateway_claude_code.knowledge.remembered import RememberedModels
from gateway_claude_code.orphans.reaper import Keeper
from gateway_claude_code.pool.pool import Pool
from gateway_claude_code.process import command
from gateway_claude_code.process.cli_version import switches_models
from gateway_claude_code.process.environment import Surroundings
from gateway_claude_code.process.launch import Launch, Program, launch_for, program_at
from gateway_claude_code.request.answer_schemas.made_once import AnswerSchemas
from gateway_claude_code.request.cache_marks import marked
from gateway_claude_code.request.canonical import Digest, LatestDigests, request_digest
from gateway_claude_code.request.history import Turn, earlier, turns
from gateway_claude_code.request.learning import Learning, nothing_learnt
from gateway_claude_code.request.prepare import Prepared, prepare
from gateway_claude_code.request.tools.demanded_choice import DemandedAnswer, asked_again
from gateway_claude_code.request.transcript import transcribed
from gateway_claude_code.response.events import EventReader, reader_of
from gateway_claude_code.response.failures import ForbiddenTooSoon, NotReady, ProcessGone, told

log = logging.getLogger("gateway_claude_code")

ProcessKind: TypeAlias = Literal["live", "spare", "cold"]

ANY_MODEL: Final = "sonnet"
"""To start a process with that is not asked anything of a model."""

TOOL_SETS: Final = 256
"""Of so many sets of tools it is remembered that the CLI has taken them."""


class ClaudeCodeBackend:
    """Answers requests with the processes of a pool; only within `running`."""

    def __init__(
        self,
        config: ClaudeCodeConfig,
        surroundings: Surroundings,
        keeper: Keeper | None = None,
    ) -> None:
        self._config = config
        self._surroundings = surroundings
        self._usual_model: str | None = None
        self._taken: dict[ProcessKind, int] = {"live": 0, "spare": 0, "cold": 0}
        self.pool = Pool(config, keeper)
        self.gate = Gate(allow_unsafe=config.allow_unsafe_cli)
        self._schemas = AnswerSchemas()
        self._tools_taken = LatestDigests(TOOL_SETS)
        self._program: Program | None = None
        self.known = KnownModels(SeenFacts.of_user(surroundings.environ))
        self.learning = Learning(self.known)
        remembered = RememberedModels.of_user(surroundings.environ)
        self.catalogue = ModelCatalogue(self.known, remembered, self.ask_models)

    def running(self) -> AbstractAsyncContextManager[None]:
        """While this is open, requests are answered; processes live no longer than it."""
        return self.pool.running()

    def report(self) -> dict[str, Any]:
        """For `GET /health`: the processes by state, the plan's quota, and what is wrong.

        `account` is there while the account is refused (`Quota.account`).

        `taken` says how many answers began with a process that had the conversation already
        ("live"), one that was started ahead ("spare"), and one that was not ("cold").
        """
        quota, account = self.pool.quota.report(), self.pool.quota.account()
        return {
            "processes": self.pool.counts,
            "taken": dict(self._taken),
            **({"quota": quota} if quota else {}),
            **({"account": account} if account else {}),
            **self.pool.starts.breaker.report(),
        }

    def expect(self, model: str, version: str | None) -> None:
        """Have processes ready from now on: for `model`, or for all if this CLI can switch.

        Raises `BackendUnavailable`.
        """
        if switches_models(version):
            self._usual_model = model
        self.pool.expect(self._launch(model, one_request=False))

    async def answer(
        self, request: ChatRequest, target: Target, ctx: RequestContext
    ) -> AsyncGenerator[StreamEvent]:
        """The events of one answer. Raises `GatewayError`s only.

        A model that turns out to refuse what was sent is asked once more, without anything that
        it may refuse, and what it said is remembered.
        """
        quota = self.pool.quota
        same = partial(request_digest, request, target.name)
        quota.check(target.name, same)
        await self.catalogue.ready()
        known, last_try = self.known.about(target), False
        learnt: Callable[[], None] = nothing_learnt
        facts = self.learning.facts_for(known.facts, request)
        cached = known.facts.cache_marks
        schema = await self._schemas.of(request)
        while True:
            prepared = await off_loop(
                ctx.body_bytes, prepare, request, target, facts, known.name, schema
            )
            prepared = replace(prepared, cached=cached)
            started = False
            try:
                async with aclosing(self._held_to_choice(prepared, ctx)) as events:
                    async for event in events:
                        if isinstance(event, ResponseStart):
                            started = True
                            quota.succeeded(target.name)
                            self.known.answered(target.name, event.model)
                            learnt()
                            self.learning.cache_marks.accepted(prepared.went_out.mark)
                        yield event
                return
            except QuotaExhausted as error:
                quota.remember(target.name, error, same)
                raise
            except InvalidRequest as error:
                lesson = (
                    None if started or last_try else self.learning.next_try(error, prepared, target)
                )
                if lesson is None:
                    raise told(error, request) from None
                facts, cached, learnt = lesson.facts, lesson.cached, lesson.remember
                last_try = True

    def ask_once(self, prepared: Prepared, ctx: RequestContext) -> AsyncGenerator[StreamEvent]:
        """The events of one answer to exactly this: nothing is learnt, nothing tried again.

        Raises `GatewayError`s only.
        """
        return self._answer_once(prepared, ctx)

    async def _held_to_choice(
        self, prepared: Prepared, ctx: RequestContext
    ) -> AsyncGenerator[StreamEvent]:
        """The answer; where a call is demanded that can't be forced, asked for twice at most."""
        if not prepared.demanded:
            async with aclosing(self._answer_once(prepared, ctx)) as events:
                async for event in events:
                    yield event
            return
        demanded = DemandedAnswer(prepared.request.tool_choice)
        while not demanded.followed:
            attempt = AnswerBuilder()
            async with aclosing(self._answer_once(prepared, ctx)) as events:
                async for event in events:
                    attempt.add(event)
                    for passed_on in demanded.feed(event):
                        yield passed_on
            if not demanded.followed:
                demanded.try_again()
                prepared = replace(
                    prepared, request=asked_again(prepared.request, prepared.names, attempt.parts())
                )

    async def _answer_once(
        self, prepared: Prepared, ctx: RequestContext
    ) -> AsyncGenerator[StreamEvent]:
        """The answer of a process that waits for this, or else of a new one.

        One that turns out to have died while it waited, or to hang, is replaced.
        """
        if self.gate.refusal is not None:
            cli = command.find_cli(self._config, self._surroundings.environ)
            self.gate.admit(program_at(cli))
        step = await off_loop(ctx.body_bytes, continuation, prepared)
        reader = reader_of(prepared)
        waiting = await self.pool.take_live(step.key) if step is not None else None
        if step is not None and waiting is not None:
            events = self._next_step(prepared, waiting, step, reader, ctx)
            try:
                async with aclosing(
                    self._followed(prepared, waiting, reader, events, ctx)
                ) as answer:
                    async for event in answer:
                        yield event
                return
            except (ProcessGone, NotReady):
                if reader.started:
                    raise
        failed: NotReady | ProcessGone | None = None
        while True:
            reader = reader_of(prepared)
            reader.unlimited = isinstance(failed, ForbiddenTooSoon)
            conversation = await self._obtain(prepared, ctx, fresh=failed is not None)
            events = self._from_the_start(prepared, conversation, reader, ctx)
            try:
                followed = self._followed(prepared, conversation, reader, events, ctx)
                async with aclosing(followed) as answer:
                    async for event in answer:
                        yield event
                return
            except (ProcessGone, NotReady) as error:
                again = conversation.was_spare or isinstance(error, ForbiddenTooSoon)
                if reader.started or failed is not None or not again:
                    raise
                failed = error

    async def _followed(
        self,
        prepared: Prepared,
        conversation: Conversation,
        reader: EventReader,
        events: AsyncGenerator[StreamEvent],
        ctx: RequestContext,
    ) -> AsyncGenerator[StreamEvent]:
        """The events, and after them what becomes of the process, which this owns from its start."""
        said = AnswerSoFar()
        key: Digest | None = None
        try:
            self._note_process(conversation, ctx)
            async with aclosing(events):
                async for event in events:
                    said.add(event)
                    if isinstance(event, ResponseEnd):
                        note_messages(reader, ctx)
                    yield event
        finally:
            try:
                size = 0 if said.end is None else ctx.body_bytes
                key = await off_loop(size, key_after, prepared, reader, said.end, said.message)
            finally:
                if key is not None:
                    conversation.begin_to_settle(reader.calls, thought=reader.thought)
                    self.pool.keep(conversation, key)
                else:
                    self.pool.retire(conversation)

    async def _next_step(
        self,
        prepared: Prepared,
        conversation: Conversation,
        step: Continuation,
        reader: EventReader,
        ctx: RequestContext,
    ) -> AsyncGenerator[StreamEvent]:
        # a turn without thinking is one that has lost it, whoever has the conversation
        seeded = step.turn is None and not conversation.thought
        terms = prepared.seeded_terms if seeded else prepared.terms
        settings = await off_loop(ctx.body_bytes, self._settings, prepared, seeded=seeded)
        await conversation.set_parameters(settings)
        prepared.went_out.terms, prepared.went_out.mark = terms, None
        ctx.mark("asked")
        if step.turn is not None:
            events = conversation.ask(step.turn, reader, once=prepared.plain)
        else:
            results = dict(zip(conversation.calls, step.results, strict=True))
            events = conversation.give_results(results, reader)
        async for event in events:
            if isinstance(event, ResponseStart):
                note_terms(prepared, terms, ctx)
                note_left_out(conversation, ctx)
            yield event

    def _note_process(self, conversation: Conversation, ctx: RequestContext) -> None:
        kind: ProcessKind = "spare" if conversation.was_spare else "cold"
        self._taken["live" if conversation.answered else kind] += 1
        conversation.report_cost = ctx.report_cost
        ctx.mark("ready")
        note_transcript(conversation, ctx)

    async def _from_the_start(
        self,
        prepared: Prepared,
        conversation: Conversation,
        reader: EventReader,
        ctx: RequestContext,
    ) -> AsyncGenerator[StreamEvent]:
        history = await off_loop(
            ctx.body_bytes, _history, prepared, transcript=conversation.transcribed
        )
        await self._set_up(prepared, conversation, ctx)
        if len(history) == 1:  # a turn of the history would tell as well
            await self._check_tools(prepared, conversation, ctx)
        await conversation.add_history(earlier(history, as_written=self._current))
        ctx.mark("asked")
        went_out = prepared.went_out
        went_out.terms = prepared.seeded_terms
        went_out.mark = self.learning.cache_marks.mark if prepared.facts.cache_marks else None
        last = marked(history[-1], went_out.mark)
        async for event in conversation.ask(last, reader, once=prepared.plain):
            if isinstance(event, ResponseStart):
                note_terms(prepared, prepared.seeded_terms, ctx)
                note_left_out(conversation, ctx)
            yield event

    async def _set_up(
        self, prepared: Prepared, conversation: Conversation, ctx: RequestContext
    ) -> None:
        settings = await off_loop(ctx.body_bytes, self._settings, prepared, seeded=True)
        await conversation.set_up(
            prepared.request.system, bridge_of(prepared), settings, prepared.json_schema
        )

    async def _check_tools(
        self, prepared: Prepared, conversation: Conversation, ctx: RequestContext
    ) -> None:
        """Once for each set of tools, as it takes some tenths of a second (2.1.330)."""
        digest = await off_loop(ctx.body_bytes, tools_digest, prepared.tools)
        if digest not in self._tools_taken:
            await conversation.check_tools()
            self._tools_taken.add(digest)

    def _settings(self, prepared: Prepared, *, seeded: bool) -> dict[str, Any]:
        return prepared.settings(seeded=seeded, switch=self._current)

    @property
    def _current(self) -> bool:
        """Whether the CLI is known to be one that `switches_models`."""
        return self._usual_model is not None

    async def _obtain(
        self, prepared: Prepared, ctx: RequestContext, *, fresh: bool
    ) -> Conversation:
        model = self._usual_model or prepared.model
        # a current CLI is told so in its turn (`further_requests`), and its answers come whole
        once = prepared.one_request and not self._current
        launch = self._launch(model, one_request=once, agent=prepared.agent)
        program = Program(launch.program, launch.stamp)
        self.gate.admit(program)
        self.catalogue.notice(program)
        if program != self._program:
            self._program, self._tools_taken = program, LatestDigests(TOOL_SETS)
        caller = prepared.request.client.caller
        earlier = any(message.role == "assistant" for message in prepared.request.messages)
        as_text = earlier and not self.gate.takes_history(program)
        conversation = await self.pool.obtain(launch, caller, ctx, fresh=fresh)
        conversation.transcribed = as_text
        return conversation

    def _launch(self, model: str, *, one_request: bool, agent: Agent | None = None) -> Launch:
        surroundings = self._surroundings
        return launch_for(
            self._config,
            surroundings.environ,
            surroundings.overrides,
            model,
            one_request=one_request,
            agent=agent,
        )

    async def ask_models(self) -> Sequence[AskedModel]:
        """What the CLI says about its models: a process of its own, in a slot like all others.

        Raises `GatewayError`s.
        """
        launch = self._launch(self._usual_model or ANY_MODEL, one_request=False)
        async with self.pool.aside(launch) as process:
            return read_models(await asked(process, {"subtype": "list_models"}))


def _history(prepared: Prepared, *, transcript: bool) -> list[Turn]:
    """All turns of a request, for a process that has none of them."""
    messages = prepared.request.messages
    return turns(transcribed(messages) if transcript else messages, prepared.names)
