"""What a model's entry makes of a request: defaults, limits, system text, thinking."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import ConfigurationError
from gateway.models.defaults import with_entry, without_entry
from gateway.models.entry import ModelEntry
from gateway.models.splits import pick
from gateway.pipeline.gateway import CoreGateway
from gateway.startup.build import build_gateway
from gateway.streams import collect
from gateway.testing import SCRIPTED, ScriptedBackend
from gateway.types import ChatRequest, Message, Sampling, Text
from tests.gateway.core_support import context, request_for


def changed(entry: dict[str, Any], **asked: Any) -> tuple[ChatRequest, dict[str, object]]:
    request, lowered = with_entry(
        replace(request_for(), **asked), ModelEntry.model_validate({"backend": "b", **entry})
    )
    return request, dict(lowered)


@pytest.mark.parametrize(
    ("entry", "asked", "tokens", "lowered"),
    [
        ({}, None, None, {}),
        ({}, 9, 9, {}),
        ({"defaults": {"max_output_tokens": 5}}, None, 5, {}),
        ({"defaults": {"max_output_tokens": 5}}, 9, 9, {}),
        ({"limits": {"max_output_tokens": 5}}, None, 5, {}),
        ({"limits": {"max_output_tokens": 5}}, 4, 4, {}),
        ({"limits": {"max_output_tokens": 5}}, 9, 5, {"max_tokens": 5}),
    ],
)
def test_output_tokens(
    entry: dict[str, Any], asked: int | None, tokens: int | None, lowered: dict[str, object]
) -> None:
    request, said = changed(entry, sampling=Sampling(max_output_tokens=asked))
    assert (request.sampling.max_output_tokens, said) == (tokens, lowered)


@pytest.mark.parametrize(
    ("entry", "asked", "effort", "lowered"),
    [
        ({}, None, None, {}),
        ({"defaults": {"effort": "low"}}, None, "low", {}),
        ({"defaults": {"effort": "low"}}, "max", "max", {}),
        ({"limits": {"effort": "medium"}}, "max", "medium", {"reasoning_effort": "medium"}),
        ({"limits": {"effort": "medium"}}, "low", "low", {}),
        pytest.param({"limits": {"effort": "low"}}, None, "low", {}, id="a backend may do more"),
        pytest.param({"limits": {"effort": "max"}}, None, None, {}, id="a limit raises nothing"),
    ],
)
def test_effort(
    entry: dict[str, Any], asked: Any, effort: str | None, lowered: dict[str, object]
) -> None:
    request, said = changed(entry, effort=asked)
    assert (request.effort, said) == (effort, lowered)


def test_zero_is_a_temperature() -> None:
    entry = {"defaults": {"temperature": 0.5, "top_p": 0.9, "top_k": 3}}
    request, _ = changed(entry, sampling=Sampling(temperature=0))
    assert request.sampling == Sampling(temperature=0, top_p=0.9, top_k=3)


@pytest.mark.parametrize(
    ("prefix", "asked", "system"),
    [(None, "b", "b"), ("a", "", "a"), ("a", "b", "a\n\nb"), (None, "", "")],
)
def test_system_text_comes_first(prefix: str | None, asked: str, system: str) -> None:
    assert changed({"system": prefix}, system=asked)[0].system == system


@pytest.mark.parametrize(("said", "thinking"), [("off", False), (False, False), ("auto", None)])
def test_thinking(said: object, thinking: bool | None) -> None:
    assert changed({"thinking": said})[0].thinking is thinking


async def test_what_was_lowered_is_said_in_a_header(
    gateway_with: Callable[..., CoreGateway],
) -> None:
    backend = ScriptedBackend()
    limits = {"max_output_tokens": 5, "effort": "low"}
    entry = {"backend": SCRIPTED, "limits": limits}
    gateway = gateway_with(backend, config={"models": {"test-model": entry}})
    ctx = context()
    asked = replace(request_for(), sampling=Sampling(max_output_tokens=9), effort="high")
    await collect(await gateway.open(asked, ctx))
    assert ctx.headers == {"x-dragoman-adjusted": "max_tokens=5,reasoning_effort=low"}
    assert backend.requests[0].effort == "low"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("defaults: {efort: low}", "unknown key 'efort' in 'models.m.defaults'; did you mean 'eff"),
        ("limits: {max_output_tokens: 0}", "Input should be greater than or equal to 1"),
        ("thinking: on", "must be off or auto in 'models.m.thinking'"),
        (
            "defaults: {max_output_tokens: 9}\n    limits: {max_output_tokens: 5}",
            "the default 'max_output_tokens' is above its limit in 'models.m'",
        ),
        (
            "defaults: {effort: max}\n    limits: {effort: low}",
            "the default 'effort' is above its limit in 'models.m'",
        ),
        (
            "sampling: false\n    defaults: {top_p: 0.5}",
            "a default 'top_p' has no effect with `sampling: false`",
        ),
        ("split: {other: 1}", "a split can't have 'backend': set it on the target models"),
    ],
)
def test_a_mistake_in_an_entry_is_said(entry: str, said: str, write: Callable[..., Path]) -> None:
    with pytest.raises(ConfigurationError) as refused:
        build_gateway(write(f"models:\n  m:\n    backend: b\n    {entry}\n"))
    assert said in str(refused.value)


# -- splits -------------------------------------------------------------------------------

SPLIT = "models:\n  a: {backend: b}\n  c: {backend: b}\n  s:\n    split:\n"


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ("      a: 1\n      x: 1", "line 7: the split 's' points to 'x', which is not a model"),
        ("      a: 1\n      s: 1", "line 7: the split 's' points to 's', which is not a model"),
        ("      a: -1\n      c: 2", "weights must be ≥ 0, at least one positive"),
        ("      a: 0", "weights must be ≥ 0, at least one positive"),
    ],
)
def test_a_split_that_can_t_be_is_refused(
    weights: str, said: str, write: Callable[..., Path]
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        build_gateway(write(SPLIT + weights))
    assert said in str(refused.value)


async def test_a_conversation_stays_with_its_model(
    gateway_with: Callable[..., CoreGateway],
) -> None:
    backend = ScriptedBackend()
    models = {
        "a": {"backend": SCRIPTED},
        "c": {"backend": SCRIPTED},
        "s": {"split": {"a": 50, "c": 50}},
    }
    gateway = gateway_with(backend, config={"models": models})
    for text in map(str, range(20)):
        first = request_for("s", text)
        later = replace(first, messages=(*first.messages, *request_for(text="more").messages))
        for request in (first, later):
            await collect(await gateway.open(request, context()))
    asked = [target.model for target in backend.targets]
    assert asked[::2] == asked[1::2]
    assert set(asked) == {"a", "c"}


def test_weights_are_proportions_and_few_move_when_they_change() -> None:
    keys = [str(number) for number in range(2000)]
    before = [pick({"a": 90, "c": 10}, key) for key in keys]
    after = [pick({"a": 80, "c": 20}, key) for key in keys]
    assert 140 < before.count("c") < 260
    assert {new for old, new in zip(before, after, strict=True) if old == "c"} == {"c"}
    assert pick({"a": 0, "c": 1}, "x") == "c"


def test_another_model_gets_nothing_of_the_first_ones_entry() -> None:
    first = ModelEntry.model_validate(
        {
            "backend": "b",
            "system": "First.",
            "thinking": "off",
            "defaults": {"temperature": 0.1, "max_output_tokens": 50, "effort": "low"},
        }
    )
    asked = ChatRequest(
        model="m",
        system="Mine.",
        messages=(Message(role="user", parts=(Text(text="Hi"),)),),
        sampling=Sampling(top_p=0.5),
    )
    filled, _ = with_entry(asked, first)
    assert filled != asked
    assert without_entry(filled, asked, filled) == asked


def test_changes_made_in_between_stay() -> None:
    first = ModelEntry.model_validate(
        {"backend": "b", "system": "First.", "defaults": {"top_k": 3}}
    )
    asked = ChatRequest(model="m", system="Mine.", messages=())
    filled, _ = with_entry(asked, first)
    changed = replace(
        filled,
        model="other",
        system=f"{filled.system} And more.",
        sampling=replace(filled.sampling, top_k=9, temperature=0.7),
    )
    left = without_entry(changed, asked, filled)
    assert (left.model, left.system) == ("other", "Mine. And more.")
    assert (left.sampling.top_k, left.sampling.temperature) == (9, 0.7)
