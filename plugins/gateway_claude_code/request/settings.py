"""From a request and its terms to the CLI's settings. Pure.

`CLAUDE_CODE_MAX_OUTPUT_TOKENS` and `CLAUDE_CODE_EXTRA_BODY` are read by the CLI at each upstream
request; the latter's top-level keys are merged into the body (seen with 2.1.197 and 2.1.330), and
of `output_config` the keys within (2.1.330 keeps its own `effort` beside a `format`).
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from gateway.types import ChatRequest, ToolChoice
from gateway_claude_code import cli_variables
from gateway_claude_code.request.terms import Terms, must_call
from gateway_claude_code.request.tools.tool_names import ToolNames

STRUCTURED_OUTPUT: Final = "StructuredOutput"
"""The tool by which the CLI gets an answer of a JSON Schema; its input is the answer."""

NO_FURTHER_REQUEST: Final = {"env": {cli_variables.BLOCKING_LIMIT: "1"}}
"""Settings under which the CLI asks its upstream nothing more: to it, any conversation is then too
long, and it ends the turn with `terminal_reason: blocking_limit`. A request that went out is not
affected, nor is its repetition after an overload (seen with 2.1.330)."""


def without_limit(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings, under which the CLI may ask again."""
    return {**settings, "env": {**settings.get("env", {}), cli_variables.BLOCKING_LIMIT: ""}}


def flag_settings(
    request: ChatRequest,
    names: ToolNames,
    terms: Terms,
    *,
    native_schema: Mapping[str, Any] | None = None,
    switch_to: str | None = None,
    over: Mapping[str, Any] | None = None,
    cached: bool = True,
) -> dict[str, Any]:
    """Settings that make the next upstream request carry this request's parameters.

    `native_schema` is the answer's schema in the API's own words; `over` are fields of the body
    that replace those made here. Without `cached` the CLI leaves out its marks for the prompt
    cache (`DISABLE_PROMPT_CACHING`, code.claude.com/docs/en/env-vars). With `switch_to` the
    process was perhaps not started for that model: CLI 2.1.330 then sends what it would have sent
    if it had been; 2.1.197 puts the change into the conversation.
    """
    tokens = terms.sampling.max_output_tokens
    # in its own order: the model answers in the order of the schema's properties
    body = {**extra_body(request, names, terms, native_schema), **(over or {})}
    env = {
        cli_variables.MAX_OUTPUT_TOKENS: str(tokens) if tokens else "",
        cli_variables.EXTRA_BODY: json.dumps(body),
    }
    if not cached:
        env[cli_variables.DISABLE_PROMPT_CACHING] = "1"
    settings: dict[str, Any] = {"env": env}
    if switch_to is not None:
        settings["model"] = switch_to
    if terms.effort is not None:
        settings["effortLevel"] = terms.effort
    return settings


def extra_body(
    request: ChatRequest,
    names: ToolNames,
    terms: Terms,
    native_schema: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What is merged into the body of the upstream request."""
    sampling = terms.sampling
    body: dict[str, Any] = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "stop_sequences": list(sampling.stop) or None,
    }
    if request.tools:
        body["tool_choice"] = tool_choice(request, names, terms)
    if terms.thinking is not None:
        body["thinking"] = dict(terms.thinking)
        if terms.thinking["type"] != "enabled":
            # the CLI asks for an edit of the thinking, which the API refuses when there is none
            body["context_management"] = {"edits": []}
    if native_schema is not None and terms.schema_way == "native":
        body["output_config"] = {"format": {"type": "json_schema", "schema": dict(native_schema)}}
    return {key: value for key, value in body.items() if value is not None}


def tool_choice(request: ChatRequest, names: ToolNames, terms: Terms) -> dict[str, Any] | None:
    """The API's `tool_choice`; None leaves it to the default."""
    choice = request.tool_choice
    if choice.mode == "none" and not _answers_by_tool(request, terms):
        return {"type": "none"}
    wanted: dict[str, Any] = {"type": "auto"}
    if must_call(request) and terms.forced_choice:
        wanted = _forced(choice, names)
    if not choice.parallel:
        wanted["disable_parallel_tool_use"] = True
    return None if wanted == {"type": "auto"} else wanted


def _forced(choice: ToolChoice, names: ToolNames) -> dict[str, Any]:
    if len(choice.names) == 1:
        return {"type": "tool", "name": names.to_model(choice.names[0])}
    return {"type": "any"}


def _answers_by_tool(request: ChatRequest, terms: Terms) -> bool:
    """Whether the answer comes as a call of `StructuredOutput`, which a choice of none forbids."""
    return request.response_format.schema is not None and terms.schema_way == "tool"
