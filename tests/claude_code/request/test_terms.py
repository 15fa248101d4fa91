"""What a request gets of its model: every parameter by its effect on each kind of model."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.types import (
    ChatRequest,
    Message,
    ResponseFormat,
    Sampling,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
)
from gateway_claude_code.facts.documented import MODELS, documented
from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.request.terms import Terms, careful, terms_for
from tests.claude_code.claude_code_support import a_request

OPUS, SONNET, HAIKU = "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"
OLDER, BUDGET, EFFORT_AND_BUDGET = "claude-opus-4-6", "claude-sonnet-4-5", "claude-opus-4-5"
EVERY = [row.name for row in MODELS]

OFF = {"type": "disabled"}
TOOLS = (Tool(name="look"),)
REQUIRED = {"tools": TOOLS, "tool_choice": ToolChoice(mode="required")}


def facts(model: str) -> ModelFacts:
    return documented(model).facts


def terms(model: str, *, seeded: bool = False, **fields: Any) -> Terms:
    return terms_for(a_request(**fields), facts(model), seeded=seeded)


@pytest.mark.parametrize("model", EVERY)
def test_a_plain_request_changes_nothing(model: str) -> None:
    assert terms(model) == Terms(
        sampling=Sampling(),
        forced_choice=facts(model).forced_tool_choice,
        schema_way="tool",
    )


# -- output limit -------------------------------------------------------------------------


@pytest.mark.parametrize("model", EVERY)
def test_an_output_limit_above_the_models_is_lowered(model: str) -> None:
    most = facts(model).max_output_tokens
    found = terms(model, sampling=Sampling(max_output_tokens=most + 1))
    assert found.sampling.max_output_tokens == most
    assert found.adjusted == {"max_tokens": most}


@pytest.mark.parametrize("model", EVERY)
def test_a_small_output_limit_ends_thinking_only_where_a_budget_has_no_room(model: str) -> None:
    found = terms(model, sampling=Sampling(max_output_tokens=100))
    off = facts(model).thinks_by_budget
    assert (found.thinking, found.sampling.max_output_tokens) == (OFF if off else None, 100)
    assert found.adjusted == ({"reasoning_effort": "none"} if off else {})


# -- sampling -----------------------------------------------------------------------------


@pytest.mark.parametrize("model", EVERY)
@pytest.mark.parametrize(
    "sampling", [Sampling(temperature=1), Sampling(top_p=1), Sampling(temperature=1, top_p=1)]
)
def test_the_defaults_are_neither_sent_nor_reported(model: str, sampling: Sampling) -> None:
    found = terms(model, sampling=sampling)
    assert (found.sampling, found.thinking, found.ignored) == (Sampling(), None, ())


@pytest.mark.parametrize("model", EVERY)
@pytest.mark.parametrize(
    ("given", "sent", "ignored"),
    [
        ({"temperature": 0.0}, {"temperature": 0.0}, ()),
        ({"top_p": 0.5}, {"top_p": 0.5}, ()),
        ({"top_k": 3}, {"top_k": 3}, ()),
        ({"temperature": 0.2, "top_p": 0.5}, {"temperature": 0.2}, ("top_p",)),
    ],
)
def test_sampling_goes_to_models_that_take_it(
    model: str, given: dict[str, Any], sent: dict[str, Any], ignored: tuple[str, ...]
) -> None:
    found = terms(model, sampling=Sampling(**given))
    if facts(model).sampling == "defaults":
        assert (found.sampling, found.thinking) == (Sampling(), None)
        assert found.ignored == tuple(given)
    else:
        assert (found.sampling, found.thinking) == (Sampling(**sent), OFF)
        assert found.ignored == ignored


def test_a_temperature_above_the_highest_is_the_highest_and_so_the_default() -> None:
    found = terms(BUDGET, sampling=Sampling(temperature=2))
    assert (found.sampling.temperature, found.adjusted) == (None, {"temperature": 1.0})


def test_an_explicit_effort_wins_over_a_temperature() -> None:
    found = terms(OLDER, effort="low", sampling=Sampling(temperature=0.1))
    assert (found.effort, found.thinking) == ("low", None)
    assert found.ignored == ("temperature",)


def test_no_effort_and_a_temperature_go_together() -> None:
    found = terms(OLDER, effort="none", sampling=Sampling(temperature=0.1))
    assert (found.thinking, found.sampling.temperature, found.ignored) == (OFF, 0.1, ())


def test_a_model_that_takes_both_gets_both() -> None:
    both = Sampling(temperature=0.1, top_p=0.2)
    found = terms_for(a_request(sampling=both), replace(facts(OLDER), sampling="both"))
    assert (found.sampling, found.ignored) == (both, ())


# -- thinking and effort ------------------------------------------------------------------


@pytest.mark.parametrize("wish", [{"effort": "none"}, {"thinking": False}])
@pytest.mark.parametrize(
    ("model", "thinking", "effort", "adjusted"),
    [
        (OPUS, None, "low", {"reasoning_effort": "low"}),
        (SONNET, {"type": "between_tools"}, None, {"reasoning_effort": "between_tools"}),
        (HAIKU, OFF, None, {}),
        (OLDER, OFF, None, {}),
        (BUDGET, OFF, None, {}),
    ],
)
def test_no_thinking_where_the_model_can_be_without_else_the_least(
    model: str,
    thinking: object,
    effort: str | None,
    adjusted: dict[str, str],
    wish: dict[str, Any],
) -> None:
    found = terms(model, **wish)
    assert (found.thinking, found.effort, dict(found.adjusted)) == (thinking, effort, adjusted)


@pytest.mark.parametrize(
    ("model", "asked", "level", "adjusted"),
    [
        (OPUS, "minimal", "low", "low"),
        (OPUS, "low", "low", None),
        (OPUS, "xhigh", "xhigh", None),
        (OPUS, "max", "max", None),
        (OLDER, "xhigh", "high", "high"),
        (OLDER, "max", "max", None),
        (EFFORT_AND_BUDGET, "max", "high", "high"),
    ],
)
def test_effort_is_what_the_model_has_of_it(
    model: str, asked: Any, level: str, adjusted: str | None
) -> None:
    found = terms(model, effort=asked)
    assert (found.effort, found.adjusted.get("reasoning_effort")) == (level, adjusted)


@pytest.mark.parametrize(
    ("asked", "tokens", "budget"),
    [("low", None, 2048), ("medium", None, 8192), ("high", None, 16384), ("low", 1500, 1024)],
)
def test_effort_is_a_budget_where_the_model_has_no_effort(
    asked: Any, tokens: int | None, budget: int
) -> None:
    found = terms(BUDGET, effort=asked, sampling=Sampling(max_output_tokens=tokens))
    assert found.thinking == {"type": "enabled", "budget_tokens": budget}
    assert found.adjusted == {"reasoning_effort": f"{budget}_tokens"}


def test_the_highest_effort_of_such_a_model_is_the_clis_own_budget() -> None:
    assert terms(BUDGET, effort="max").thinking is None


def test_without_thinking_an_effort_stays_below_what_that_excludes() -> None:
    found = terms(HAIKU, effort="max", thinking=False)
    assert (found.thinking, found.effort) == (OFF, "high")
    assert found.adjusted == {"reasoning_effort": "high"}


def test_no_thinking_beside_an_effort_is_ignored_where_the_model_always_thinks() -> None:
    found = terms(OPUS, effort="high", thinking=False)
    assert (found.thinking, found.effort, found.ignored) == (None, "high", ("thinking",))


def test_no_thinking_beside_an_effort_leaves_room_for_a_temperature() -> None:
    found = terms(OLDER, effort="high", thinking=False, sampling=Sampling(temperature=0.1))
    assert (found.thinking, found.effort, found.sampling.temperature) == (OFF, "high", 0.1)


def test_an_effort_that_gives_way_is_said_once() -> None:
    found = terms(BUDGET, effort="high", sampling=Sampling(max_output_tokens=1000))
    assert (found.adjusted, found.ignored) == ({"reasoning_effort": "none"}, ())


# -- tool choice --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "forced", "thinking"),
    [(OPUS, False, None), (SONNET, False, None), (HAIKU, True, None), (OLDER, True, OFF)],
)
def test_a_required_call_is_forced_where_the_model_takes_that(
    model: str, forced: bool, thinking: object
) -> None:
    found = terms(model, **REQUIRED)
    assert (found.forced_choice, found.thinking) == (forced, thinking)
    without = {"reasoning_effort": "none"} if thinking == OFF else {}
    assert found.adjusted == (without if forced else {"tool_choice": "asked_for"})


def test_a_choice_that_excludes_thinking_is_not_forced_where_thinking_stays() -> None:
    stubborn = replace(facts(OLDER), thinking=frozenset({"adaptive"}))
    found = terms_for(a_request(**REQUIRED), stubborn)
    assert (found.forced_choice, found.thinking) == (False, None)


# -- a tool loop without its thinking -----------------------------------------------------

CALL = ToolCall(id="c1", name="look")
RESULT = Message(role="user", parts=(ToolResult(call_id="c1", parts=(Text(text="x"),)),))


def in_a_loop(*parts: Any) -> ChatRequest:
    asked = a_request("Look").messages
    return replace(
        a_request(tools=TOOLS), messages=(*asked, Message(role="assistant", parts=parts), RESULT)
    )


@pytest.mark.parametrize("model", EVERY)
def test_thinking_is_off_in_a_seeded_tool_loop_that_has_lost_it(model: str) -> None:
    found = terms_for(in_a_loop(CALL), facts(model), seeded=True)
    wanted = OFF if facts(model).thinking_leads_tool_loop else None
    assert found.thinking == wanted


@pytest.mark.parametrize(
    "after",
    [
        (),
        (RESULT,),
        (RESULT, Message(role="user", parts=(Text(text="And?"),))),
        (RESULT, Message(role="user", parts=(Text(text="Psst.", speaker="system"),))),
        (Message(role="user", parts=(Text(text="Never mind."),)),),
    ],
    ids=["no result", "a result", "and a question", "and a note", "a question"],
)
def test_a_loop_goes_on_as_long_as_the_last_turn_has_calls(after: tuple[Message, ...]) -> None:
    request = in_a_loop(Thinking(text="hm", signature="s"), CALL)
    request = replace(request, messages=(*request.messages[:2], *after))
    found = terms_for(request, facts(BUDGET), seeded=True)
    assert (found.thinking, found.adjusted) == (OFF, {"reasoning_effort": "none"})


def test_thinking_stays_on_where_it_is_not_lost() -> None:
    assert terms_for(in_a_loop(CALL), facts(BUDGET)).thinking is None
    done = (*in_a_loop(CALL).messages, Message(role="assistant", parts=(Text(text="Done."),)))
    more = replace(in_a_loop(CALL), messages=(*done, *a_request("More").messages))
    assert terms_for(more, facts(BUDGET), seeded=True).thinking is None


@pytest.mark.parametrize(
    ("thinking", "seeded", "ignored"),
    [
        (Thinking(text="hm", signature="s"), True, ("thinking",)),
        (Thinking(text="hm", signature="s"), False, ()),
        (Thinking(text="hm"), True, ()),
    ],
    ids=["signed and seeded", "signed and still there", "unsigned"],
)
def test_signed_thinking_that_a_new_process_does_not_get_is_said(
    thinking: Thinking, seeded: bool, ignored: tuple[str, ...]
) -> None:
    request = in_a_loop(thinking, CALL)
    assert terms_for(request, facts("claude-sonnet-5-5"), seeded=seeded).ignored == ignored


# -- what is other than the CLI thinks ----------------------------------------------------


def test_a_limit_below_the_clis_own_is_always_said() -> None:
    lower = replace(facts(OPUS), max_output_tokens=64_000)
    found = terms_for(a_request(), lower, usual=facts(OPUS))
    assert (found.sampling.max_output_tokens, found.adjusted) == (64_000, {})


def test_thinking_that_the_cli_would_ask_for_in_vain_gets_a_budget() -> None:
    found = terms_for(
        a_request(), replace(facts(OLDER), thinking=frozenset({"enabled"})), usual=facts(OLDER)
    )
    assert found.thinking == {"type": "enabled", "budget_tokens": 8192}


def test_an_effort_that_the_cli_would_ask_for_in_vain_is_replaced() -> None:
    found = terms_for(a_request(), replace(facts(OPUS), efforts=("low", "max")))
    assert found.effort == "low"


# -- schemas ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("takes", "fits", "way"),
    [(True, True, "native"), (True, False, "tool"), (False, True, "tool")],
)
def test_a_schema_goes_natively_where_model_and_schema_allow(
    takes: bool, fits: bool, way: str
) -> None:
    asked = a_request(response_format=ResponseFormat(kind="json_schema", schema={}))
    model = replace(facts(OPUS), output_format=takes)
    assert terms_for(asked, model, native_schema=fits).schema_way == way


# -- one more try -------------------------------------------------------------------------


@pytest.mark.parametrize("model", EVERY)
@pytest.mark.parametrize(
    "fields",
    [
        {"sampling": Sampling(temperature=0.1, top_p=0.2, top_k=3)},
        {"effort": "none"},
        {"effort": "max"},
        {"thinking": False},
        REQUIRED,
    ],
)
def test_a_careful_request_sends_nothing_that_can_be_refused(
    model: str, fields: dict[str, Any]
) -> None:
    found = terms_for(a_request(**fields), careful(facts(model)))
    assert found.sampling == Sampling()
    assert found.effort is None
    assert not found.forced_choice
    by_budget = facts(model).thinks_by_budget
    assert found.thinking is None or by_budget


def test_thinking_that_can_not_be_off_gets_room() -> None:
    few = a_request(sampling=Sampling(max_output_tokens=100))
    found = terms_for(few, replace(facts(BUDGET), thinking=frozenset({"enabled"})))
    assert found.sampling.max_output_tokens == 2048
    assert found.adjusted["max_tokens"] == 2048


@pytest.mark.parametrize("model", EVERY)
def test_a_careful_request_is_without_thinking_in_a_loop_that_has_lost_it(model: str) -> None:
    found = terms_for(in_a_loop(CALL), careful(facts(model)), seeded=True)
    assert found.thinking == (OFF if facts(model).thinking_leads_tool_loop else None)
