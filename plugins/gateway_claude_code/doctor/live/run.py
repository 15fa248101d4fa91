"""Sends the probes with the user's own CLI and login, and remembers their results."""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final

import anyio

from gateway.context import RequestContext
from gateway.errors import (
    BackendFailed,
    GatewayError,
    ModelNotFound,
    NotAllowed,
    NotAuthenticated,
    Overloaded,
    QuotaExhausted,
    RateLimited,
    TimedOut,
)
from gateway.types import ResponseStart, Target
from gateway_claude_code.backend import ClaudeCodeBackend
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.doctor.live.evidence import (
    Accepted,
    Evidence,
    Outcome,
    Refused,
    judge,
    settled,
)
from gateway_claude_code.doctor.live.probes import MODELS, MOST_PER_MODEL, Probe, everything, plan
from gateway_claude_code.facts.asked import AskedModel
from gateway_claude_code.facts.known import KnownModel, KnownModels
from gateway_claude_code.facts.seen import SeenFacts
from gateway_claude_code.process.cli_version import switches_models
from gateway_claude_code.process.environment import CliEnvironment
from gateway_claude_code.request.lessons import Lesson, lesson_of
from gateway_claude_code.response.failures import ApiRefusal

ANSWER_SECONDS: Final = 120
"""The most seconds before an answer begins; beyond that something else is wrong."""

STOPS: Final[tuple[tuple[type[GatewayError], str], ...]] = (
    (NotAuthenticated, "the login was refused"),
    (NotAllowed, "the login may not do this"),
    (QuotaExhausted, "the quota is used up"),
    (RateLimited, "too many requests for this login"),
    (Overloaded, "the model's API is overloaded"),
    (TimedOut, "no answer came in time"),
)
"""Words for the report: an error's own may contain an address or an account."""


class StoppedEarly(Exception):
    """The run can't continue. `word` is for the report, `detail` only for the user."""

    def __init__(self, word: str, detail: str) -> None:
        super().__init__(word)
        self.word = word
        self.detail = detail


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTried:
    """The findings about one model: `name` was requested, `known` is the table's row.

    `answered_by` is the model's own name; None without an answer. With `unavailable` this login
    does not have it.
    """

    name: str
    known: KnownModel
    evidence: tuple[Evidence, ...] = ()
    asked: int = 0
    answered: int = 0
    refused: int = 0
    answered_by: str | None = None
    unavailable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRun:
    """All models that were tried; `stopped` says why the run ended early, with its `detail`.

    `remembered` is False if its results must not be remembered.
    """

    models: Sequence[ModelTried]
    remembered: bool
    stopped: str | None = None
    detail: str = ""


async def try_facts(
    config: ClaudeCodeConfig,
    cli_environment: CliEnvironment,
    version: str | None,
    tell: Callable[[str], None] = lambda _: None,
    *,
    remember: bool,
) -> LiveRun:
    """Send all probes, one after the other, and `remember` their results.

    Only Anthropic's own API proves anything: a gateway in between may drop fields that it does not
    know.
    """
    backend = ClaudeCodeBackend(_one_at_a_time(config), cli_environment)
    seen = SeenFacts.of_user(cli_environment.environ)
    found: list[ModelTried] = []
    async with backend.running():
        table = KnownModels(None, await _offered(backend))
        for name in MODELS:
            trial = _ModelTrial(backend, name, table, system_note=switches_models(version))
            tell(f"asking {name} ({trial.tried.known.name}) …")
            stop = None
            try:
                await trial.run()
            except StoppedEarly as error:
                stop = error
            found.append(trial.tried)
            if remember:
                _remember(seen, trial.tried)
            if stop is not None:
                return LiveRun(
                    models=found, remembered=remember, stopped=stop.word, detail=stop.detail
                )
    return LiveRun(models=found, remembered=remember)


def _one_at_a_time(config: ClaudeCodeConfig) -> ClaudeCodeConfig:
    """A process for each request, and no idle one."""
    return config.model_copy(update={"min_spares": 0, "max_spares": 0, "max_live": 0})


async def _offered(backend: ClaudeCodeBackend) -> Sequence[AskedModel]:
    try:
        return await backend.ask_models()
    except GatewayError:  # an older CLI without this request; the documentation has to suffice
        return ()


def _remember(seen: SeenFacts, tried: ModelTried) -> None:
    for fact, (value, said) in settled(tried.evidence).items():
        seen.note(tried.known.name, fact, value, how="confirmed", said=said)


class _ModelTrial:
    """The probes of one model. `tried` grows with each."""

    def __init__(
        self, backend: ClaudeCodeBackend, name: str, table: KnownModels, *, system_note: bool
    ) -> None:
        self._backend = backend
        self._system_note = system_note
        self._target = Target(model=name, backend="claude-code", name=name)
        self.tried = ModelTried(name=name, known=table.about(self._target))

    async def run(self) -> None:
        """Send all probes. Raises `StoppedEarly`.

        If a part of the combined request is refused, the rest is sent once more, in place of the
        last probe.
        """
        facts = self.tried.known.facts
        first, *others = plan(facts, system_note=self._system_note)
        try:
            outcome = await self._try(first)
            if isinstance(outcome, Refused) and outcome.lesson is not None:
                await self._try_the_rest(first, outcome.lesson)
            for probe in others[: MOST_PER_MODEL - self.tried.asked]:
                await self._try(probe)
        except ModelNotFound:
            self.tried = replace(self.tried, unavailable=True)

    async def _try(self, probe: Probe) -> Outcome:
        outcome = await self._ask(probe)
        known = self.tried.evidence
        found = judge(probe, self.tried.known.facts, outcome)
        fresh = (one for one in found if not any(one.repeats(other) for other in known))
        self.tried = replace(self.tried, evidence=(*known, *fresh))
        return outcome

    async def _try_the_rest(self, first: Probe, lesson: Lesson) -> None:
        rest = everything(
            replace(first.facts, **{lesson.fact: lesson.value}), system_note=self._system_note
        )
        fresh = tuple(trial for trial in rest.trials if trial.fact != lesson.fact)
        # facts that could not be seen have better evidence now
        known = tuple(one for one in self.tried.evidence if one.seen is not None)
        self.tried = replace(self.tried, evidence=known)
        await self._try(replace(rest, trials=fresh))

    async def _ask(self, probe: Probe) -> Outcome:
        """One request, aborted as soon as an answer begins."""
        self.tried = replace(self.tried, asked=self.tried.asked + 1)
        context = RequestContext(request_id="doctor")
        try:
            with anyio.fail_after(ANSWER_SECONDS):
                events = self._backend.ask_once(probe.prepared(self._target), context)
                async with aclosing(events):
                    async for event in events:
                        if isinstance(event, ResponseStart):
                            return self._accepted(event)
            raise BackendFailed("The answer ended before it started.")
        except TimeoutError as error:
            raise StoppedEarly("no answer came in time", str(error)) from None
        except ModelNotFound:
            raise
        except GatewayError as error:
            return self._refused(error, probe)

    def _accepted(self, start: ResponseStart) -> Accepted:
        self.tried = replace(self.tried, answered=self.tried.answered + 1, answered_by=start.model)
        return Accepted(model=start.model)

    def _refused(self, error: GatewayError, probe: Probe) -> Refused:
        """The API's refusal of the request, in its own words. Raises `StoppedEarly` for other errors."""
        if not isinstance(error, ApiRefusal):
            words = (word for kind, word in STOPS if isinstance(error, kind))
            raise StoppedEarly(next(words, "the CLI got no answer"), error.message) from None
        self.tried = replace(self.tried, refused=self.tried.refused + 1)
        lesson = lesson_of(error.message, probe.sent(self._target))
        return Refused(said=error.message, lesson=lesson)
