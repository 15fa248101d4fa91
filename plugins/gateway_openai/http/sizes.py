"""How many things a request may hold: counted before anything is made of them. Pure."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from gateway.config.settings import LimitsConfig
from gateway.errors import InvalidRequest
from gateway.frontend import check_count, check_schema_size, count_values

_SHORTEN: Final = " Send fewer: leave out the oldest ones, or replace them with a summary."
_FILES: Final = frozenset({"image_url", "file", "image", "document"})


def check_sizes(body: Mapping[str, object], limits: LimitsConfig) -> None:
    """Raise `InvalidRequest` with the key of the limit, and the field that is over it.

    Values of the wrong type are not counted; the wire models reject them.
    """
    check = partial(check_count, limits)
    messages = _list(body, "messages")
    check("messages", len(messages), "messages", "messages", advice=_SHORTEN)
    for field in ("tools", "functions"):
        check("tools", len(_list(body, field)), "tools", field)
    for param, allowed in _allowed_tools(body.get("tool_choice")):
        check("tools", len(allowed), "allowed tools", param)
    kinds = list(_kinds(messages))
    check("parts", len(kinds), "content parts", "messages")
    check("images", sum(kind in _FILES for kind in kinds), "images and files", "messages")
    _check_arguments(messages, limits)
    prompts = max(1, len(_list(body, "prompt")))
    field = "n" if prompts == 1 else "prompt"
    check("choices", prompts * _count(body.get("n")), "choices in total", field)
    _check_answer_schema(body.get("response_format"), limits)


def _allowed_tools(choice: Any) -> Iterator[tuple[str, list[Any]]]:  # noqa: ANN401
    match choice:
        case {"allowed_tools": {"tools": list(allowed)}}:
            yield "tool_choice.allowed_tools.tools", allowed
    match choice:
        case {"tools": list(allowed)}:  # as in the Responses API
            yield "tool_choice.tools", allowed


def _check_arguments(messages: list[Any], limits: LimitsConfig) -> None:
    """The arguments of calls are JSON within a string, so the body's own count leaves them out."""
    found = 0
    for param, arguments in _arguments(messages):
        found += count_values(arguments.encode(errors="replace"), limits.json_values)
        if found > limits.json_values:
            raise InvalidRequest(
                f"The arguments of the tool calls have more than {limits.json_values} keys and "
                "list items in total (limits.json_values).",
                param=param,
            )


def _arguments(messages: list[Any]) -> Iterator[tuple[str, str]]:
    for index, message in enumerate(messages):
        if not isinstance(message, dict):
            continue
        for number, call in enumerate(_list(message, "tool_calls")):
            match call:
                case {"function": {"arguments": str(arguments)}}:
                    place = f"messages[{index}].tool_calls[{number}].function.arguments"
                    yield place, arguments
        for number, part in enumerate(_list(message, "content")):
            match part:
                case {"type": "tool_use", "input": str(arguments)}:
                    yield f"messages[{index}].content[{number}].input", arguments
        match message:
            case {"function_call": {"arguments": str(arguments)}}:
                yield f"messages[{index}].function_call.arguments", arguments


def _check_answer_schema(response_format: Any, limits: LimitsConfig) -> None:  # noqa: ANN401
    match response_format:
        case {"json_schema": {"schema": dict(schema)}}:
            check_schema_size(schema, limits, "response_format.json_schema.schema")


def _count(n: object) -> int:
    if isinstance(n, float) and n.is_integer():
        n = int(n)
    return n if isinstance(n, int) and n > 1 else 1


def _kinds(messages: list[Any]) -> Iterator[str]:
    """The types of all content parts; the results of tools have parts of their own."""
    for message in messages:
        if isinstance(message, dict):
            for part in _list(message, "content"):
                kind = part.get("type") if isinstance(part, dict) else None
                yield kind if isinstance(kind, str) else ""
                if kind == "tool_result":
                    yield from _kinds([part])


def _list(body: Mapping[str, Any], field: str) -> list[Any]:
    value = body.get(field)
    return value if isinstance(value, list) else []
