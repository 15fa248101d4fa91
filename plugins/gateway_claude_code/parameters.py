"""From a request's parameters to the CLI's settings. Pure.

`CLAUDE_CODE_MAX_OUTPUT_TOKENS` and `CLAUDE_CODE_EXTRA_BODY` are read by the CLI at each upstream
request; the latter's top-level keys are merged into the body (seen with 2.1.197 and 2.1.330).
"""

import json
import re
from typing import Any, Final

from gateway.types import ChatRequest, Effort, ToolChoice
from gateway_claude_code.limits import HIGHEST_TEMPERATURE
from gateway_claude_code.tool_names import ToolNames

EFFORT_LEVELS: Final[dict[Effort, str]] = {
    "none": "low",
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "xhigh",
    "max": "max",
}

STRUCTURED_OUTPUT: Final = "StructuredOutput"
"""The tool by which the CLI gets an answer of a JSON Schema; its input is the answer."""

WITHOUT_THINKING: Final = re.compile("claude-3-")
"""Models for which the CLI asks for no thinking at all."""

LAST_REQUEST: Final = {"env": {"CLAUDE_CODE_EXTRA_BODY": json.dumps({"max_tokens": 0})}}
"""Settings that make the API refuse whatever the CLI may ask for next: it costs nothing."""

SMALLEST_THINKING_BUDGET: Final = 1024
"""Tokens. Models with a thinking budget refuse an output limit that is not above this."""


def flag_settings(
    request: ChatRequest, names: ToolNames, model: str = "", *, switch: bool = False
) -> dict[str, Any]:
    """Settings that make the next upstream request carry this request's parameters.

    With `switch` the process was perhaps not started for `model`: CLI 2.1.330 then sends what it
    would have sent if it had been; 2.1.197 puts the change into the conversation.
    """
    tokens = request.sampling.max_output_tokens
    body = extra_body(request, names, model)
    env = {
        "CLAUDE_CODE_MAX_OUTPUT_TOKENS": str(tokens) if tokens else "",
        "CLAUDE_CODE_EXTRA_BODY": json.dumps(body, sort_keys=True),
    }
    settings: dict[str, Any] = {"env": env}
    if switch:
        settings["model"] = model
    if request.effort is not None:
        settings["effortLevel"] = EFFORT_LEVELS[request.effort]
    return settings


def extra_body(request: ChatRequest, names: ToolNames, model: str = "") -> dict[str, Any]:
    """What is merged into the body of the upstream request to `model`."""
    sampling = request.sampling
    temperature = sampling.temperature
    body: dict[str, Any] = {
        "temperature": None if temperature is None else min(temperature, HIGHEST_TEMPERATURE),
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "stop_sequences": list(sampling.stop) or None,
    }
    if must_answer_by_schema(request):
        body["tool_choice"] = {"type": "tool", "name": STRUCTURED_OUTPUT}
    elif request.tools and (choice := tool_choice(request.tool_choice, names)) is not None:
        body["tool_choice"] = choice
    if not _may_think(request) and not WITHOUT_THINKING.search(model):
        body["thinking"] = {"type": "disabled"}
        # the CLI asks for an edit of the thinking, which the API refuses when there is none
        body["context_management"] = {"edits": []}
    return {key: value for key, value in body.items() if value is not None}


def may_answer_by_schema(request: ChatRequest) -> bool:
    """Whether the answer may be of the schema: not while it has to be a call of a tool."""
    must_call = bool(request.tools) and request.tool_choice.mode == "required"
    return request.response_format.schema is not None and not must_call


def must_answer_by_schema(request: ChatRequest) -> bool:
    """Whether a schema is all that the model may use: then it gets no choice of answering in prose.

    A forced choice excludes thinking; where an effort is asked for, the model is asked again
    instead if it answers in prose.
    """
    if request.tools:
        return may_answer_by_schema(request) and request.tool_choice.mode == "none"
    return may_answer_by_schema(request) and request.effort is None


def tool_choice(choice: ToolChoice, names: ToolNames) -> dict[str, Any] | None:
    """The API's `tool_choice`; None leaves it to the default."""
    if choice.mode == "none":
        return {"type": "none"}
    wanted: dict[str, Any] = {"type": "any" if choice.mode == "required" else "auto"}
    if choice.mode == "required" and len(choice.names) == 1:
        wanted = {"type": "tool", "name": names.to_model(choice.names[0])}
    if not choice.parallel:
        wanted["disable_parallel_tool_use"] = True
    return None if wanted == {"type": "auto"} else wanted


def _may_think(request: ChatRequest) -> bool:
    """Not if it is not to. A forced tool choice, a temperature or a small output limit excludes thinking upstream."""
    if request.thinking is False:
        return False
    if request.tools and request.tool_choice.mode == "required":
        return False
    if must_answer_by_schema(request):
        return False
    if request.sampling.temperature is not None or request.sampling.top_p is not None:
        return False
    tokens = request.sampling.max_output_tokens
    return tokens is None or tokens > SMALLEST_THINKING_BUDGET
