"""The fields of a request that its response returns."""

from collections.abc import Mapping
from typing import Any, Final

_AS_GIVEN: Final = (
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "previous_response_id",
    "prompt_cache_key",
    "safety_identifier",
    "temperature",
    "top_p",
    "user",
)

_FUNCTION: Final = {"description": None, "parameters": None, "strict": None}


def echoed(body: Mapping[str, Any], *, kept: bool) -> dict[str, Any]:
    """As `openai.types.responses.Response` has them; `kept` is whether the response is."""
    given = {name: value for name, value in body.items() if value is not None}
    return {
        **{name: given.get(name) for name in _AS_GIVEN},
        "metadata": given.get("metadata", {}),
        "model": given["model"],
        "parallel_tool_calls": given.get("parallel_tool_calls", True),
        "reasoning": {"effort": None, "summary": None, **given.get("reasoning", {})},
        "service_tier": "default",
        "store": kept,
        "text": {"format": {"type": "text"}, "verbosity": "medium", **_set(given.get("text", {}))},
        "tool_choice": given.get("tool_choice", "auto"),
        "tools": [_tool(tool) for tool in given.get("tools", ())],
        "top_logprobs": 0,
        "truncation": given.get("truncation", "disabled"),
    }


def _tool(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**_FUNCTION, **tool} if tool.get("type") == "function" else tool


def _set(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
