"""From a request and its terms to the CLI's settings. Pure.

The CLI reads `CLAUDE_CODE_MAX_OUTPUT_TOKENS` and `CLAUDE_CODE_EXTRA_BODY` at each upstream request,
and merges the latter's top-level keys into the body (seen with 2.1.197 and 2.1.330); of
`output_config` the inner keys (2.1.330 keeps its own `effort` beside a `format`).
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from gateway.types import ChatRequest, ToolChoice
from gateway_claude_code import cli_variables
from gateway_claude_code.request.terms import Terms, must_call
from gateway_claude_code.request.tools.tool_names import ToolNames

STRUCTURED_OUTPUT: Final = "StructuredOutput"
"""The CLI's tool for an answer by a JSON Schema; its input is the answer (doctor: structured_output)."""

NO_FURTHER_REQUEST: Final = {"env": {cli_variables.BLOCKING_LIMIT: "1"}}
"""Settings that keep the CLI from further upstream requests: it finds any conversation too long, and
ends the turn with `terminal_reason: blocking_limit`. A request on its way is not affected, nor its
repetition after an overload (seen with 2.1.330)."""


def as_before(settings: Mapping[str, Any], earlier: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings with everything taken back that only the earlier ones set.

    The CLI keeps what it is not told anew; "" and null are its own values again (seen with 2.1.330:
    `effortLevel` takes null only).
    """
    env = {**dict.fromkeys(earlier.get("env", {}), ""), **settings.get("env", {})}
    taken_back = {"effortLevel": None} if "effortLevel" in earlier else {}
    return {**taken_back, **settings, **({"env": env} if env else {})}


def without_limit(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings, with further requests allowed again."""
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
    """Settings that give the next upstream request this request's parameters.

    `native_schema` is the answer's schema in the API's subset; `over` are fields of the body that
    replace those made here. Without `cached` the CLI omits its marks for the prompt cache
    (`DISABLE_PROMPT_CACHING`, code.claude.com/docs/en/env-vars). With `switch_to` the process may
    have been started for another model: CLI 2.1.330 then sends the body of a process started for
    this one; 2.1.197 writes the change into the conversation.
    """
    tokens = terms.sampling.max_output_tokens
    # not sorted: the answer has its properties in the schema's order, required ones first
    # (platform.claude.com/docs/en/build-with-claude/structured-outputs, "Property ordering")
    body = {**extra_body(request, names, terms, native_schema), **(over or {})}
    env = {
        # "" is the CLI's own limit again (seen with 2.1.330; doctor: output_limit, taken_back)
        cli_variables.MAX_OUTPUT_TOKENS: str(tokens) if tokens else "",
        # always sent, as the fields of the last request stay otherwise (doctor: taken_back)
        cli_variables.EXTRA_BODY: json.dumps(body),
    }
    if not cached:
        env[cli_variables.DISABLE_PROMPT_CACHING] = "1"
    settings: dict[str, Any] = {"env": env}
    if switch_to is not None:
        settings["model"] = switch_to
    if terms.effort is not None:
        # not `output_config.effort` of the body: 2.1.330 also puts its level beside messages, and
        # with "between_tools" the two must not differ, says
        # platform.claude.com/docs/en/build-with-claude/effort-per-message
        settings["effortLevel"] = terms.effort
    return settings


def extra_body(
    request: ChatRequest,
    names: ToolNames,
    terms: Terms,
    native_schema: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The fields that are merged into the body of the upstream request (doctor: sampling)."""
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
            # 2.1.330 adds the edit `clear_thinking`, which the API refuses for a request that does
            # not think (platform.claude.com/docs/en/build-with-claude/context-editing)
            body["context_management"] = {"edits": []}
    # with the schema here the CLI adds neither its own tool nor a forced choice, and the JSON
    # streams as text (seen with 2.1.330; doctor: output_format)
    if native_schema is not None and terms.schema_way == "native":
        body["output_config"] = {"format": {"type": "json_schema", "schema": dict(native_schema)}}
    return {key: value for key, value in body.items() if value is not None}


def tool_choice(request: ChatRequest, names: ToolNames, terms: Terms) -> dict[str, Any] | None:
    """The API's `tool_choice`; None leaves it to the default."""
    choice = request.tool_choice
    # the tools stay in the body, as part of the cached prefix
    # (platform.claude.com/docs/en/build-with-claude/prompt-caching)
    if choice.mode == "none" and not _answers_by_tool(request, terms):
        return {"type": "none"}
    wanted: dict[str, Any] = {"type": "auto"}
    if must_call(request) and terms.forced_choice:
        wanted = _forced(choice, names)
    if not choice.parallel:
        # a field of the choice, not of the request (platform.claude.com/docs/en/agents-and-tools/
        # tool-use/parallel-tool-use)
        wanted["disable_parallel_tool_use"] = True
    return None if wanted == {"type": "auto"} else wanted


def _forced(choice: ToolChoice, names: ToolNames) -> dict[str, Any]:
    if len(choice.names) == 1:
        return {"type": "tool", "name": names.to_model(choice.names[0])}
    return {"type": "any"}


def _answers_by_tool(request: ChatRequest, terms: Terms) -> bool:
    """Whether the answer comes as a call of `StructuredOutput`, which the choice "none" forbids."""
    return request.response_format.schema is not None and terms.schema_way == "tool"
