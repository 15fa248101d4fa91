"""How many things a request may hold: counted before anything is made of them. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from gateway.config.settings import LimitsConfig
from gateway.errors import InvalidRequest
from gateway.frontend import check_count, check_schema_size, count_values

_SHORTEN: Final = " Send fewer: leave out the oldest ones, or replace them with a summary."
_FILES: Final = frozenset({"input_image", "input_file"})


def check_sizes(
    body: Mapping[str, object],
    earlier: Sequence[Mapping[str, Any]],
    limits: LimitsConfig,
    referenced: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Raise `InvalidRequest` with the key of the limit, and the field that is over it.

    `earlier` are the items before those of the request, and `referenced` those that it names by id. Values of the wrong type are not counted;
    the wire models reject them.
    """
    check = partial(check_count, limits)
    own = _list(body, "input")
    items = [*earlier, *own]
    check("messages", len(items), "items", "input", advice=_SHORTEN)
    for param, tools in _tools(body, own):
        check("tools", len(tools), "tools", param)
    choice = body.get("tool_choice")
    allowed = _list(choice, "tools") if isinstance(choice, Mapping) else []
    check("tools", len(allowed), "allowed tools", "tool_choice.tools")
    kinds = list(_kinds([*items, *referenced]))
    check("parts", len(kinds), "content parts", "input")
    check("images", sum(kind in _FILES for kind in kinds), "images and files", "input")
    _check_arguments(own, limits)
    _check_answer_schema(body.get("text"), limits)


def _tools(body: Mapping[str, object], items: Sequence[Any]) -> Iterator[tuple[str, Sequence[Any]]]:
    """All tools together, and those of each namespace."""
    every = _list(body, "tools")
    for item in items:
        if isinstance(item, dict) and item.get("type") == "additional_tools":
            every = [*every, *_list(item, "tools")]
    inner = [tool for each in every if isinstance(each, dict) for tool in _list(each, "tools")]
    yield "tools", [*every, *inner]


def _check_arguments(items: Sequence[Any], limits: LimitsConfig) -> None:
    """The arguments of calls are JSON within a string, so the body's own count leaves them out."""
    found = 0
    for index, item in enumerate(items):
        match item:
            case {"type": "function_call", "arguments": str(arguments)}:
                found += count_values(arguments.encode(errors="replace"), limits.json_values)
        if found > limits.json_values:
            raise InvalidRequest(
                f"The arguments of the tool calls have more than {limits.json_values} keys and "
                "list items in total (limits.json_values).",
                param=f"input[{index}].arguments",
            )


def _check_answer_schema(text: Any, limits: LimitsConfig) -> None:  # noqa: ANN401
    match text:
        case {"format": {"schema": dict(schema)}}:
            check_schema_size(schema, limits, "text.format.schema")


def _kinds(items: Sequence[Any]) -> Iterator[str]:
    """The types of all content parts, those of outputs among them."""
    for item in items:
        if isinstance(item, dict):
            for part in (*_list(item, "content"), *_list(item, "output")):
                kind = part.get("type") if isinstance(part, dict) else None
                yield kind if isinstance(kind, str) else ""


def _list(body: Mapping[str, Any], field: str) -> list[Any]:
    value = body.get(field)
    return value if isinstance(value, list) else []
