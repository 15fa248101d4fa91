"""A live run with a backend that answers as it is told: what is asked, what ends it, what stays."""

import json
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from gateway.context import RequestContext
from gateway.errors import (
    BackendFailed,
    ContextTooLong,
    GatewayError,
    InvalidRequest,
    ModelNotFound,
    Overloaded,
    PayloadTooLarge,
    QuotaExhausted,
)
from gateway.types import ResponseStart, StreamEvent
from gateway_claude_code.account.refusals import AccountRefusal
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.doctor.live import run as live
from gateway_claude_code.doctor.live.run import LiveRun, try_facts
from gateway_claude_code.facts.asked import AskedModel
from gateway_claude_code.process.environment import CliEnvironment
from gateway_claude_code.request.prepare import Prepared
from gateway_claude_code.response.failures import ApiRefusal

Behave = Callable[[Prepared], GatewayError | None]


class StubBackend:
    """Answers each request, unless `behave` has an error for it."""

    offered: Sequence[AskedModel] | GatewayError = ()
    behave: Behave = staticmethod(lambda _: None)
    hangs = False
    asked: list[str]

    def __init__(self, _: ClaudeCodeConfig, __: CliEnvironment) -> None:
        pass

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        yield

    async def ask_models(self) -> Sequence[AskedModel]:
        if isinstance(self.offered, GatewayError):
            raise self.offered
        return self.offered

    async def ask_once(self, prepared: Prepared, _: RequestContext) -> AsyncGenerator[StreamEvent]:
        self.asked.append(prepared.model)
        if self.hangs:
            await anyio.sleep_forever()
        if (error := self.behave(prepared)) is not None:
            raise error
        yield ResponseStart(model=prepared.model)
        pytest.fail("the answer was read on")


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[StubBackend]]:
    class Backend(StubBackend):
        asked: list[str] = []  # noqa: RUF012 - of this test

    monkeypatch.setattr(live, "ClaudeCodeBackend", Backend)
    return Backend


async def tried(home: Path, *, remember: bool = True) -> LiveRun:
    cli_environment = CliEnvironment(environ={"HOME": str(home)}, overrides={})
    return await try_facts(ClaudeCodeConfig(), cli_environment, "2.1.330", remember=remember)


def remembered(home: Path) -> dict[str, dict[str, object]]:
    file = home / ".local/state/dragoman/model-facts.json"
    if not file.exists():
        return {}
    models = json.loads(file.read_text(encoding="utf-8"))["models"]
    return {
        model: {fact: seen["value"] for fact, seen in facts.items()}
        for model, facts in models.items()
    }


def refusal(said: str) -> ApiRefusal:
    """As `errors.FailureReader` makes it of a 400."""
    return ApiRefusal(said, param=None)


def failing(model: str, error: GatewayError) -> Behave:
    return lambda prepared: error if prepared.model == model else None


async def test_each_model_is_asked_five_times_at_most(
    backend: type[StubBackend], tmp_path: Path
) -> None:
    run = await tried(tmp_path)
    assert backend.asked == ["opus"] * 5 + ["sonnet"] * 5 + ["haiku"] * 5
    assert [(model.asked, model.answered, model.refused) for model in run.models] == [(5, 5, 0)] * 3


async def test_a_refusal_that_names_nothing_known_does_not_end_it(
    backend: type[StubBackend], tmp_path: Path
) -> None:
    backend.behave = staticmethod(lambda _: refusal("no"))
    run = await tried(tmp_path)
    assert [(model.asked, model.refused) for model in run.models] == [(5, 5)] * 3
    assert {one.said for model in run.models for one in model.evidence} == {"no"}
    assert (run.stopped, remembered(tmp_path)) == (None, {})


async def test_what_is_refused_of_everything_is_left_out_once(
    backend: type[StubBackend], tmp_path: Path
) -> None:
    def no_format(prepared: Prepared) -> GatewayError | None:
        refused = "output_config" in prepared.body
        return refusal("output_config.format: not supported") if refused else None

    backend.behave = staticmethod(no_format)
    run = await tried(tmp_path)
    assert [model.asked for model in run.models] == [5, 5, 5]
    assert [model.refused for model in run.models] == [1, 1, 1]
    opus = {one.fact: one.verdict for one in run.models[0].evidence}
    assert (opus["output_format"], opus["cache_marks"]) == ("differs", "holds")
    assert "max_output_tokens" not in opus


@pytest.mark.parametrize("remember", [True, False])
async def test_what_it_shows_is_remembered_if_it_may_be(
    backend: type[StubBackend], tmp_path: Path, remember: bool
) -> None:
    run = await tried(tmp_path, remember=remember)
    assert len(backend.asked) == 15
    assert (run.remembered, bool(remembered(tmp_path))) == (remember, remember)


async def test_the_names_lead_where_the_cli_says(
    backend: type[StubBackend], tmp_path: Path
) -> None:
    backend.offered = [AskedModel(value="opus", model="claude-opus-4-6")]
    run = await tried(tmp_path)
    assert run.models[0].known.name == "claude-opus-4-6"
    assert "claude-opus-4-6" in remembered(tmp_path)


async def test_a_cli_that_lists_no_models_is_tried_by_the_documentation(
    backend: type[StubBackend], tmp_path: Path
) -> None:
    backend.offered = BackendFailed("unknown request")
    run = await tried(tmp_path)
    assert run.models[0].known.name == "claude-opus-5-5"


async def test_a_model_that_the_login_lacks_is_passed_over(
    backend: type[StubBackend], tmp_path: Path
) -> None:
    backend.behave = staticmethod(failing("opus", ModelNotFound("no such model")))
    run = await tried(tmp_path)
    assert [model.unavailable for model in run.models] == [True, False, False]
    assert run.stopped is None
    assert "claude-opus-5-5" not in remembered(tmp_path)


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (QuotaExhausted("jane's quota"), "the quota is used up"),
        (Overloaded("10.0.0.1:80 is overloaded"), "the model's API is overloaded"),
        (BackendFailed("connection refused"), "the CLI got no answer"),
        (AccountRefusal("out of extra usage", "extra_usage"), "the quota is used up"),
        (InvalidRequest("Dragoman can't send this"), "the CLI got no answer"),
        (ContextTooLong("prompt is too long"), "the CLI got no answer"),
        (PayloadTooLarge("too many bytes"), "the CLI got no answer"),
    ],
    ids=["quota", "overload", "network", "extra usage", "not sent", "too long", "too large"],
)
async def test_a_failure_ends_it_and_what_came_before_stays(
    backend: type[StubBackend], tmp_path: Path, error: GatewayError, word: str
) -> None:
    backend.behave = staticmethod(failing("sonnet", error))
    run = await tried(tmp_path)
    assert (run.stopped, run.detail) == (word, error.message)
    assert backend.asked == ["opus"] * 5 + ["sonnet"]
    assert set(remembered(tmp_path)) == {"claude-opus-5-5"}


async def test_an_answer_that_does_not_begin_ends_it(
    backend: type[StubBackend], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "ANSWER_SECONDS", 0)
    backend.hangs = True
    run = await tried(tmp_path)
    assert (run.stopped, remembered(tmp_path)) == ("no answer came in time", {})
