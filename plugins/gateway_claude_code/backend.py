"""Answering a request with the CLI: a process, the conversation as turns, the answer as events."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from functools import partial
from typing import Any, Final

from gateway.context import RequestContext
from gateway.errors import InvalidRequest, QuotaExhausted
from gateway.load.off_loop import off_loop
from gateway.types import ChatRequest, ResponseStart, StreamEvent, Target
from gateway_claude_code.compatibility.verdict import CliVerdict
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.conversations.attempts import FIRST, held_to_choice, leaves_sound
from gateway_claude_code.conversations.continuation import AnswerSoFar
from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.conversations.turn import TurnDriver
from gateway_claude_code.conversations.turn_plan import After, TurnPlan
from gateway_claude_code.facts.asked import AskedModel, read_models
from gateway_claude_code.facts.known import KnownModels
from gateway_claude_code.knowledge.catalogue import ModelCatalogue
from gateway_claude_code.knowledge.questions import asked
from gateway_claude_code.orphans.reaper import OrphanReaper
from gateway_claude_code.pool.pool import Pool
from gateway_claude_code.pool.taker import Taker
from gateway_claude_code.process.cli_version import switches_models
from gateway_claude_code.process.environment import CliEnvironment
from gateway_claude_code.process.launch import Program, launch_for, program_of
from gateway_claude_code.request.answer_schemas.made_once import AnswerSchemas
from gateway_claude_code.request.canonical import request_digest
from gateway_claude_code.request.learning import Learning, NextTry
from gateway_claude_code.request.prepare import Prepared, WentOut, prepare
from gateway_claude_code.response.events import EventReader
from gateway_claude_code.response.failures import NotReady, ProcessGone, told

ANY_MODEL: Final = "sonnet"
"""To start a process with that is not asked anything of a model."""


class ClaudeCodeBackend:
    """Answers requests with the processes of a pool; only within `running`."""

    def __init__(
        self,
        config: ClaudeCodeConfig,
        cli_environment: CliEnvironment,
        reaper: OrphanReaper | None = None,
    ) -> None:
        self._config = config
        self._cli_environment = cli_environment
        self._usual_model: str | None = None
        self.pool = Pool(config, reaper)
        self.verdict = CliVerdict(allow_unsafe=config.allow_unsafe_cli)
        self._schemas = AnswerSchemas()
        self._prepare = partial(prepare, searches=config.web_search)
        self.known = KnownModels.of_user({**cli_environment.environ, **config.environment})
        self.learning = Learning(self.known)
        self._driver = TurnDriver(self.learning.cache_marks)
        self.catalogue = ModelCatalogue.of_user(
            cli_environment.environ, self.known, self.ask_models
        )
        self._taker = Taker(config, cli_environment, self.pool, self.verdict, self._notice)

    def running(self) -> AbstractAsyncContextManager[None]:
        """While this is open, requests are answered; processes live no longer than it."""
        return self.pool.running()

    def report(self) -> dict[str, Any]:
        """For `GET /health`: see `Pool.report`."""
        return self.pool.report()

    def forget(self, caller: str) -> None:
        """Keep no process for a caller that will not come back."""
        self.pool.forget(caller)

    def expect(self, model: str, version: str | None) -> None:
        """Have processes ready from now on: for `model`, or for all if this CLI can switch.

        Raises `BackendUnavailable`.
        """
        if switches_models(version):
            self._usual_model = model
        self.pool.expect(launch_for(self._config, self._cli_environment, model))

    async def answer(
        self, request: ChatRequest, target: Target, ctx: RequestContext
    ) -> AsyncGenerator[StreamEvent]:
        """The events of one answer. Raises `GatewayError`s only.

        A model that turns out to refuse what was sent is asked once more, without anything that
        it may refuse, and what it said is remembered.
        """
        same = partial(request_digest, request, target.name)
        self.pool.quota.check(target.name, same)
        await self.catalogue.ready()
        known, last = self.known.about(target), False
        attempt = self.learning.first_try(known.facts, request)
        schema = await self._schemas.of(request)
        make = partial(self._prepare, request, target, full_name=known.name, schema=schema)
        while True:
            prepared = await off_loop(
                ctx.body_bytes, make, facts=attempt.facts, cached=attempt.cached
            )
            started, went_out = False, WentOut()
            ask = partial(self.ask_once, ctx=ctx, went_out=went_out)
            try:
                async with aclosing(held_to_choice(prepared, ask)) as events:
                    async for event in events:
                        if isinstance(event, ResponseStart):
                            started = True
                            self._note_success(event, target, attempt, went_out)
                        yield event
                return
            except QuotaExhausted as error:
                self.pool.quota.remember(target.name, error, same)
                raise
            except InvalidRequest as error:
                again = None
                if not (started or last):
                    again = self.learning.next_try(error, prepared, went_out, target)
                if again is None:
                    raise told(error, request) from None
                attempt, last = again, True

    async def ask_once(
        self, prepared: Prepared, ctx: RequestContext, went_out: WentOut | None = None
    ) -> AsyncGenerator[StreamEvent]:
        """The events of one answer to exactly this: nothing is learnt from a refusal.

        `went_out` is told what is sent. Raises `GatewayError`s only. `attempts` says when another
        process is tried.
        """
        if self.verdict.refusal is not None:
            self.verdict.admit(program_of(self._config, self._cli_environment))
        plan = await off_loop(ctx.body_bytes, TurnPlan.of, prepared, self._usual_model)
        attempt = FIRST
        while True:
            reader = plan.reader(unlimited=attempt.unlimited)
            conversation, kept = await self._taker.take(plan, attempt, ctx)
            was_live = conversation.used
            try:
                went_out = went_out or WentOut()
                answer = self._run(plan, conversation, reader, ctx, went_out, kept=kept)
                async with aclosing(answer) as events:
                    async for event in events:
                        yield event
                return
            except (ProcessGone, NotReady) as error:
                was_spare = conversation.was_spare
                again = attempt.next(error, was_live=was_live, was_spare=was_spare)
                if reader.started or again is None:
                    raise
                attempt = again

    async def _run(
        self,
        plan: TurnPlan,
        conversation: Conversation,
        reader: EventReader,
        ctx: RequestContext,
        went_out: WentOut,
        *,
        kept: int | None,
    ) -> AsyncGenerator[StreamEvent]:
        """The answer of a process, which this owns from its start; then it is kept, or ended."""
        said = AnswerSoFar()
        after: After | None = None
        is_sound = False
        try:
            answer = self._driver.answer(plan, conversation, reader, ctx, went_out, kept=kept)
            async with aclosing(answer) as events:
                async for event in events:
                    said.add(event)
                    yield event
            is_sound = True
        except BaseException as error:
            is_sound = leaves_sound(error)
            raise
        finally:
            try:
                size = 0 if said.end is None else ctx.body_bytes
                after = await off_loop(size, plan.after, reader, said)
            finally:
                if after is not None:
                    conversation.begin_to_settle(reader.calls, thought=reader.thought)
                    conversation.held.confirm(after.prefixes, parked=bool(reader.calls))
                    self.pool.keep(conversation, after.key)
                elif is_sound:
                    self.pool.recover(conversation)
                else:
                    self.pool.retire(conversation)

    def _notice(self, program: Program) -> None:
        self.catalogue.notice(program)
        self._driver.tools.notice(program)

    def _note_success(
        self, start: ResponseStart, target: Target, attempt: NextTry, went_out: WentOut
    ) -> None:
        self.pool.quota.succeeded(target.name)
        self.known.answered(target.name, start.model)
        attempt.remember()
        self.learning.cache_marks.accepted(went_out.mark)

    async def ask_models(self) -> Sequence[AskedModel]:
        """The CLI's list of its models, from a process of its own in a slot like all others.

        Raises `GatewayError`s.
        """
        launch = launch_for(self._config, self._cli_environment, self._usual_model or ANY_MODEL)
        async with self.pool.aside(launch) as process:
            return read_models(await asked(process, {"subtype": "list_models"}))
