"""A fact of the table that is wrong: one more try at most, then right at once.

The stand-in's model is other than documented in one fact. What the gateway does not know it learns
from the refusal; where it is only too careful, a header says so.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from gateway_claude_code.facts.documented import documented
from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.upstream import offline_script, running_upstream
from tests.cells import cells
from tests.e2e.bodies import Reply, function, post
from tests.e2e.gateways import A_PROCESS_A_REQUEST, RunningGateway, running_gateway
from tests.matrix.cells import POINT

OPUS, SONNET, HAIKU = "claude-opus-4", "claude-sonnet-4", "claude-haiku-4"
OLDER, OPUS_4_5, BUDGET = "claude-opus-4-6", "claude-opus-4-5", "claude-sonnet-4-5"
TOOLS = {"tools": [function("look", {"type": "object", "properties": {}})]}
REQUIRED = {**TOOLS, "tool_choice": "required"}
LOOP = [
    {"role": "user", "content": "Look."},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
        ],
    },
    {"role": "tool", "tool_call_id": "c", "content": "Blue."},
]

Wrong = Callable[..., RunningGateway]


@pytest.fixture
def wrong_about(tmp_path: Path, cli_command: str) -> Iterator[Wrong]:
    """Starts a gateway whose upstream's models are other than documented in some facts."""
    with ExitStack() as stack:

        def start(**facts: Any) -> RunningGateway:
            def of(model: str) -> ModelFacts:
                return replace(documented(model).facts, **facts)

            upstream = stack.enter_context(running_upstream(offline_script, facts=of))
            return stack.enter_context(
                running_gateway(
                    tmp_path / "gateway",
                    upstream,
                    A_PROCESS_A_REQUEST,
                    {"DRAGOMAN_CLAUDE_COMMAND": cli_command},
                )
            )

        yield start


@dataclass(frozen=True)
class Missed:
    """A fact that is less than documented: `fields` are refused once, and then never again."""

    facts: dict[str, Any]
    model: str
    fields: dict[str, Any]
    says: str = ""


MISSED = {
    "forced tool choice": Missed(
        {"forced_tool_choice": False}, HAIKU, REQUIRED, "tool_choice=asked_for"
    ),
    "forced while thinking": Missed({"forced_while_thinking": False}, HAIKU, REQUIRED),
    "sampling": Missed({"sampling": "defaults"}, OLDER, {"temperature": 0.2}),
    "thinking off": Missed(
        {"thinking": frozenset({"adaptive"})},
        HAIKU,
        {"reasoning_effort": "none"},
        "reasoning_effort=low",
    ),
    "thinking between tools": Missed(
        {"thinking": frozenset({"adaptive"})},
        SONNET,
        {"reasoning_effort": "none"},
        "reasoning_effort=low",
    ),
    "thinking by budget": Missed(
        {"thinking": frozenset({"adaptive", "disabled"})}, BUDGET, {"reasoning_effort": "low"}
    ),
    "an effort level": Missed(
        {"efforts": ("low", "medium", "high", "xhigh")}, OPUS, {"reasoning_effort": "max"}
    ),
    "effort without thinking": Missed(
        {"effort_without_thinking": "high"},
        "claude-opus-4-8",
        {"reasoning_effort": "max", "thinking": {"type": "disabled"}},
        "reasoning_effort=high",
    ),
    "output format": Missed({"output_format": False}, SONNET, {"response_format": POINT}),
    "cache marks": Missed({"cache_marks": False}, OPUS, {}),
}
REPAIRED = {
    "adaptive thinking": Missed({"thinking": frozenset({"enabled", "disabled"})}, OLDER, {}),
    "all effort": Missed({"efforts": ()}, OLDER, {"reasoning_effort": "low"}),
    "output limit": Missed({"max_output_tokens": 64_000}, OPUS, {"max_tokens": 100_000}),
    "output limit unsaid": Missed({"max_output_tokens": 64_000}, OPUS, {}),
}
"""What the CLI takes back by itself, in the same process (seen with 2.1.330)."""


@pytest.mark.parametrize("wrong", cells(MISSED, ("forced tool choice", "cache marks")))
def test_a_refusal_costs_one_more_try_and_teaches(wrong_about: Wrong, wrong: Missed) -> None:
    gateway = wrong_about(**wrong.facts)
    first, tries = asked(gateway, wrong)
    assert (first.status, tries) == (200, 2), first.error
    second, tries = asked(gateway, wrong)
    assert (second.status, tries) == (200, 1), second.error
    assert wrong.says in second.headers.get("x-dragoman-adjusted", "")


@pytest.mark.parametrize("wrong", cells(REPAIRED, ("adaptive thinking",)))
def test_a_refusal_that_the_cli_repairs_costs_no_try_of_ours(
    wrong_about: Wrong, wrong: Missed
) -> None:
    gateway = wrong_about(**wrong.facts)
    for _ in range(2):
        reply, tries = asked(gateway, wrong)
        assert (reply.status, tries) == (200, 1), reply.error


def asked(gateway: RunningGateway, wrong: Missed) -> tuple[Reply, int]:
    """The reply, and how many processes were started for it: tries of ours, not of the CLI."""
    gateway.upstream.requests.clear()
    reply = post(gateway, model=wrong.model, **wrong.fields)
    sessions = {
        request.headers["x-claude-code-session-id"] for request in gateway.upstream.requests
    }
    return reply, len(sessions)


TOO_CAREFUL: dict[str, tuple[dict[str, Any], str, dict[str, Any], str]] = {
    "forced tool choice": (
        {"forced_tool_choice": True},
        OPUS,
        REQUIRED,
        "adjusted: tool_choice=asked_for",
    ),
    "forced while thinking": (
        {"forced_while_thinking": True},
        OLDER,
        REQUIRED,
        "adjusted: reasoning_effort=none",
    ),
    "sampling": ({"sampling": "both"}, OPUS, {"temperature": 0.2}, "ignored: temperature"),
    "both": (
        {"sampling": "both"},
        OLDER,
        {"temperature": 0.2, "top_p": 0.3},
        "ignored: top_p",
    ),
    "thinking off": (
        {"thinking": frozenset({"adaptive", "disabled"})},
        OPUS,
        {"reasoning_effort": "none"},
        "adjusted: reasoning_effort=low",
    ),
    "effort level": (
        {"efforts": ("low", "medium", "high", "xhigh", "max")},
        OLDER,
        {"reasoning_effort": "xhigh"},
        "adjusted: reasoning_effort=high",
    ),
    "effort without thinking": (
        {"effort_without_thinking": None},
        HAIKU,
        {"reasoning_effort": "max", "thinking": {"type": "disabled"}},
        "adjusted: reasoning_effort=high",
    ),
    "output limit": (
        {"max_output_tokens": 128_000},
        BUDGET,
        {"max_tokens": 100_000},
        "adjusted: max_tokens=64000",
    ),
    "thinking in a tool loop": (
        {"thinking_leads_tool_loop": False},
        BUDGET,
        {**TOOLS, "messages": LOOP},
        "adjusted: reasoning_effort=none",
    ),
}


@pytest.mark.parametrize("careful", cells(TOO_CAREFUL, ("sampling", "thinking in a tool loop")))
def test_too_much_care_is_said_in_a_header(
    wrong_about: Wrong, careful: tuple[dict[str, Any], str, dict[str, Any], str]
) -> None:
    facts, model, fields, says = careful
    reply = post(wrong_about(**facts), model=model, **fields)
    assert reply.status == 200, reply.error
    header, _, value = says.partition(": ")
    assert value in reply.headers.get(f"x-dragoman-{header}", "")


def test_a_lesson_outlives_the_gateway(tmp_path: Path, cli_command: str) -> None:
    def of(model: str) -> ModelFacts:
        return replace(documented(model).facts, forced_tool_choice=False)

    with running_upstream(offline_script, facts=of) as upstream:
        for refusals in (True, False):
            upstream.refusals.clear()
            with running_gateway(
                tmp_path,
                upstream,
                A_PROCESS_A_REQUEST,
                {"DRAGOMAN_CLAUDE_COMMAND": cli_command},
            ) as gateway:
                assert post(gateway, model=HAIKU, **REQUIRED).status == 200
            assert bool(upstream.refusals) is refusals
