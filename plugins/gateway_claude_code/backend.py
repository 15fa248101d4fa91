"""Answering a request with the CLI: a process, the conversation as turns, the answer as events."""

import os
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from gateway.context import RequestContext
from gateway.errors import (
    BackendFailed,
    BackendUnavailable,
    InvalidRequest,
    QuotaExhausted,
    TimedOut,
)
from gateway.streams import AnswerBuilder
from gateway.types import (
    ChatRequest,
    Message,
    ResponseEnd,
    ResponseStart,
    StreamEvent,
    Target,
    Text,
    ToolCall,
)
from gateway_claude_code import command
from gateway_claude_code.agent import Agent
from gateway_claude_code.cache_marks import CacheMarks
from gateway_claude_code.canonical import Digest
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.continuation import Continuation, continuation
from gateway_claude_code.conversation import Conversation
from gateway_claude_code.errors import NotReady, ProcessGone, told
from gateway_claude_code.events import EventReader
from gateway_claude_code.gate import Gate
from gateway_claude_code.history import turns
from gateway_claude_code.keeper import Keeper
from gateway_claude_code.launch import Launch, Program, launch_for, program_at
from gateway_claude_code.limits import adjustments
from gateway_claude_code.parameters import flag_settings
from gateway_claude_code.pool import Pool
from gateway_claude_code.prepare import Prepared, prepare
from gateway_claude_code.sampling import SamplingSupport
from gateway_claude_code.start_breaker import StartBreaker
from gateway_claude_code.transcript import transcribed

ProcessKind: TypeAlias = Literal["live", "spare", "cold"]

SWITCHES_MODELS: Final = (2, 1, 330)
"""The first version of the CLI that was seen to take another model cleanly; 2.1.197 does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the CLI runs in: the environment that it is built from, and what overrides it."""

    environ: Mapping[str, str]
    overrides: Mapping[str, str]

    @classmethod
    def of_user(cls) -> "Surroundings":
        """The gateway's own environment, with the user's login and settings."""
        return cls(environ=dict(os.environ), overrides={})

    @classmethod
    def offline(cls, url: str, home: Path) -> "Surroundings":
        """Nothing of the user's: an empty home, a made-up key and the stand-in's address."""
        environ = {"HOME": str(home), "PATH": os.environ.get("PATH", os.defpath)}
        if named := os.environ.get(command.COMMAND_VARIABLE):
            environ[command.COMMAND_VARIABLE] = named
        overrides = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "offline"}
        return cls(environ=environ, overrides=overrides)


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
        self._sampling = SamplingSupport()
        self._cache_marks = CacheMarks()
        self._starts = StartBreaker()
        self._usual_model: str | None = None
        self._taken: dict[ProcessKind, int] = {"live": 0, "spare": 0, "cold": 0}
        self.pool = Pool(config, keeper)
        self.gate = Gate(allow_unsafe=config.allow_unsafe_cli)

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
            **self._starts.report(),
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

        A model that turns out to refuse a sampling parameter, or a mark for the prompt cache, is
        asked once more without it.
        """
        asked, quota = request, self.pool.quota
        quota.check(target.name)
        while True:
            request = self._sampling.supported(asked, target, ctx)
            started = False
            try:
                async with aclosing(self._answer_once(prepare(request, target), ctx)) as events:
                    async for event in events:
                        if isinstance(event, ResponseStart):
                            started = True
                            quota.succeeded(target.name)
                            note_adjustments(request, event.model, ctx)
                        yield event
                return
            except QuotaExhausted as error:
                quota.remember(target.name, error)
                raise
            except InvalidRequest as error:
                if started or not (
                    self._sampling.learn(request, target, error) or self._cache_marks.learn(error)
                ):
                    raise told(error, asked) from None

    async def _answer_once(
        self, prepared: Prepared, ctx: RequestContext
    ) -> AsyncGenerator[StreamEvent]:
        """The answer of a process that waits for this, or else of a new one.

        One that turns out to have died while it waited, or to hang, is replaced.
        """
        if self.gate.refusal is not None:
            cli = command.find_cli(self._config, self._surroundings.environ)
            self.gate.admit(program_at(cli))
        step = continuation(prepared)
        waiting = await self.pool.take_live(step.key) if step is not None else None
        if step is not None and waiting is not None:
            self._note_process("live", waiting, ctx)
            reader = prepared.reader()
            events = self._next_step(prepared, waiting, step, reader, ctx)
            try:
                async with aclosing(self._followed(prepared, waiting, reader, events)) as answer:
                    async for event in answer:
                        yield event
                return
            except (ProcessGone, NotReady):
                if reader.started:
                    raise
        while True:
            conversation = await self._obtain(prepared)
            self._note_process("spare" if conversation.was_spare else "cold", conversation, ctx)
            reader = prepared.reader()
            events = self._from_the_start(prepared, conversation, reader, ctx)
            try:
                followed = self._followed(prepared, conversation, reader, events)
                async with aclosing(followed) as answer:
                    async for event in answer:
                        yield event
                return
            except (ProcessGone, NotReady):
                if reader.started or not conversation.was_spare:
                    raise

    async def _followed(
        self,
        prepared: Prepared,
        conversation: Conversation,
        reader: EventReader,
        events: AsyncGenerator[StreamEvent],
    ) -> AsyncGenerator[StreamEvent]:
        """The events, and after them what becomes of the process."""
        builder = AnswerBuilder()
        try:
            async with aclosing(events):
                async for event in events:
                    builder.add(event)
                    yield event
        finally:
            answer = Message(role="assistant", parts=builder.parts())
            key = key_after(prepared, reader, builder.end, answer)
            if key is not None:
                conversation.begin_to_settle(reader.calls)
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
        await conversation.set_parameters(self._settings(prepared))
        ctx.mark("asked")
        if step.turn is not None:
            events = conversation.ask(step.turn, reader, once=prepared.plain)
        else:
            results = dict(zip(conversation.calls, step.results, strict=True))
            events = conversation.give_results(results, reader)
        async for event in events:
            yield event

    def _note_process(
        self, kind: ProcessKind, conversation: Conversation, ctx: RequestContext
    ) -> None:
        self._taken[kind] += 1
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
        messages = prepared.request.messages
        if conversation.transcribed:
            messages = transcribed(messages)
        history = turns(messages, prepared.names)
        await self._set_up(prepared, conversation)
        await conversation.add_history(history[:-1])
        ctx.mark("asked")
        once = prepared.plain and not prepared.one_request
        last = self._cache_marks.put(history[-1])
        async for event in conversation.ask(last, reader, once=once):
            yield event

    async def _set_up(self, prepared: Prepared, conversation: Conversation) -> None:
        try:
            await conversation.set_up(
                prepared.request.system,
                prepared.bridge(),
                self._settings(prepared),
                prepared.json_schema,
            )
        except (BackendFailed, TimedOut) as error:
            if not conversation.was_spare:  # that may have died of anything, long ago
                self._starts.failed(error)
            raise
        self._starts.succeeded()

    def _settings(self, prepared: Prepared) -> dict[str, Any]:
        switch = self._usual_model is not None
        return flag_settings(prepared.request, prepared.names, prepared.model, switch=switch)

    async def _obtain(self, prepared: Prepared) -> Conversation:
        model = self._usual_model or prepared.model
        launch = self._launch(model, one_request=prepared.one_request, agent=prepared.agent)
        program = Program(launch.program, launch.stamp)
        self.gate.admit(program)
        client = prepared.request.client
        self._starts.check()
        try:
            conversation = await self.pool.obtain(launch, client.key or client.address or "")
        except BackendUnavailable as error:
            self._starts.failed(error)
            raise
        earlier = any(message.role == "assistant" for message in prepared.request.messages)
        conversation.transcribed = earlier and not self.gate.takes_history(program)
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


def key_after(
    prepared: Prepared, reader: EventReader, end: ResponseEnd | None, answer: Message
) -> Digest | None:
    """What the process can be found by for what follows this answer; None if it must not be."""
    if not may_go_on(prepared, reader, end, answer):
        return None
    try:
        return prepared.key((*prepared.request.messages, answer), parked=bool(reader.calls))
    except RecursionError:  # arguments that are nested very deeply
        return None


def may_go_on(
    prepared: Prepared, reader: EventReader, end: ResponseEnd | None, answer: Message
) -> bool:
    """Whether the process now holds exactly the conversation that the client has.

    An answer of several texts is one text to the client, but not to the CLI; and one that goes on
    from the assistant's own words follows a turn that the client has not (`history.turns`).
    An agent's process holds more than the client has: what it did for the answer, which is good
    to keep.
    """
    if end is None or prepared.one_request:
        return False
    if prepared.request.messages[-1].role == "assistant":
        return False
    if prepared.agent is not None:
        return end.stop_reason == ("tool_calls" if reader.calls else "end")
    if not reader.verbatim:
        return False
    texts = sum(isinstance(part, Text) for part in answer.parts)
    calls = sum(isinstance(part, ToolCall) for part in answer.parts)
    if end.stop_reason == "tool_calls":
        return texts <= 1 and 0 < calls == len(reader.calls)
    return end.stop_reason == "end" and texts == 1 and calls == 0


def switches_models(version: str | None) -> bool:
    """Whether a running process can take another model without a trace: seen with 2.1.330."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version or "")
    return found is not None and tuple(map(int, found.groups())) >= SWITCHES_MODELS


def note_transcript(conversation: Conversation, ctx: RequestContext) -> None:
    """Say in a header if the process did not get the earlier turns as turns."""
    if conversation.transcribed:
        ctx.headers["x-dragoman-history"] = "transcript"


def note_adjustments(request: ChatRequest, model: str | None, ctx: RequestContext) -> None:
    """Say in a header which parameters were lowered to what the model takes."""
    ctx.adjust(adjustments(request.sampling, model))
