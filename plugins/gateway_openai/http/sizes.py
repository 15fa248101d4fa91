"""How many things a request may hold: counted before anything is made of them. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gateway.config.settings import LimitsConfig
from gateway.errors import InvalidRequest
from gateway.json_schema import parts_of

_SHORTEN: Final = (
    " Send fewer: leave out the oldest ones, or put a summary into one message in their place."
)
_NO_MARKS: Final = bytes(set(range(256)) - set(b'",:'))
_FILES: Final = frozenset({"image_url", "file", "image", "document"})


def check_sizes(body: Mapping[str, object], limits: LimitsConfig) -> None:
    """Raise `InvalidRequest` with the key of the limit, and the field that is over it.

    What has the wrong type counts nothing here; the wire models refuse it.
    """
    messages = _list(body, "messages")
    _check("messages", len(messages), limits.messages, "messages", "messages", advice=_SHORTEN)
    for field in ("tools", "functions"):
        _check(field, len(_list(body, field)), limits.tools, "tools", "tools")
    for param, allowed in _allowed_tools(body.get("tool_choice")):
        _check(param, len(allowed), limits.tools, "tools", "allowed tools")
    kinds = list(_kinds(messages))
    _check("messages", len(kinds), limits.parts, "parts", "content parts")
    images = sum(kind in _FILES for kind in kinds)
    _check("messages", images, limits.images, "images", "images and files")
    _check_arguments(messages, limits)
    prompts = max(1, len(_list(body, "prompt")))
    field = "n" if prompts == 1 else "prompt"
    _check(field, prompts * _count(body.get("n")), limits.choices, "choices", "choices in all")
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
        found += _marks(arguments.encode(errors="replace"), limits.json_values)
        if found > limits.json_values:
            raise InvalidRequest(
                f"The arguments of the tool calls have more than {limits.json_values} keys and list "
                "items in all (limits.json_values).",
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


def check_schema_size(schema: Mapping[str, Any], limits: LimitsConfig, param: str) -> None:
    """Raise `InvalidRequest` for the schema of an answer that is over one of the limits.

    Counted as OpenAI does: properties of all objects, values of all enums, and the characters of
    names of properties and definitions, of enum and const values, and of patterns.
    """
    properties = values = characters = 0
    for part in parts_of(schema):
        for keyword in ("properties", "patternProperties", "$defs", "definitions"):
            names = part.get(keyword)
            if isinstance(names, Mapping):
                properties += len(names) if keyword == "properties" else 0
                characters += sum(map(len, names))
        enum = part.get("enum")
        listed = enum if isinstance(enum, list) else []
        values += len(listed)
        texts = (*listed, part.get("const"), part.get("pattern"))
        characters += sum(len(text) for text in texts if isinstance(text, str))
    for found, key, what in (
        (properties, "schema_properties", "properties"),
        (values, "schema_enum_values", "enum values"),
        (characters, "schema_characters", "characters in names, enum values and patterns"),
    ):
        most: int = getattr(limits, key)
        if found > most:
            raise InvalidRequest(
                f"The schema of the answer has {found} {what}; the limit is {most} (limits.{key}).",
                param=param,
            )


def exceeds(text: bytes, most: int) -> bool:
    """Whether a JSON text has more than `most` keys and list items.

    They are counted before anything is made of them, at about 4 ms a megabyte.
    """
    return _marks(text, most) > most


def _marks(text: bytes, most: int) -> int:
    """How many commas and colons a JSON text has outside of its strings; `most` + 1 if more."""
    found = text.count(b",") + text.count(b":")
    if found <= most:
        return found
    marks = text.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _NO_MARKS)
    # every other piece is a string; each key and item has two quotes at most
    pieces = marks.split(b'"', 4 * most)
    if len(pieces) > 4 * most:
        return most + 1
    return min(sum(map(len, pieces[::2])), most + 1)


def check_depth(value: object, most: int) -> None:
    """Raise `InvalidRequest` for JSON in which more than `most` lists and objects lie in others."""
    level: list[Any] = [value]
    depth = 0
    while level:
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        depth += 1
        if depth > most:
            raise InvalidRequest(
                f"The request body is nested more than {most} levels deep (limits.json_depth)."
            )


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


def _check(param: str, found: int, most: int, key: str, what: str, *, advice: str = "") -> None:
    if found > most:
        raise InvalidRequest(
            f"The request has {found} {what}; the limit is {most} (limits.{key}).{advice}",
            param=param,
        )


def _list(body: Mapping[str, Any], field: str) -> list[Any]:
    value = body.get(field)
    return value if isinstance(value, list) else []
