"""From a function as clients describe it to the hub's tool: its name and its JSON Schema. Pure."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from gateway.errors import InvalidRequest
from gateway.types import Tool

# the pattern of OpenAI's API reference, and the dot that some clients use as well
_NAME: Final = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
_NOT_OBJECTS: Final = frozenset(("string", "number", "integer", "boolean", "array", "null"))


def function_tool(
    name: str,
    description: str | None,
    schema: Mapping[str, Any] | None,
    strict: bool | None,  # noqa: FBT001 - a field like the others
    *,
    place: str,
    schema_field: str = "parameters",
) -> Tool:
    """The tool for a function that is described at `place`, its schema in the field `schema_field`.

    Raises `InvalidRequest` for a name that no function may have, and for the schema of something
    other than an object.
    """
    check_name(name, f"{place}.name")
    place = f"{place}.{schema_field}"
    return Tool(
        name=name,
        description=description or "",
        schema=_arguments(schema, place),
        strict=strict,
        place=place,
    )


def check_name(name: str, param: str) -> None:
    """Raise `InvalidRequest` for a name that no function may have."""
    if not _NAME.fullmatch(name):
        raise InvalidRequest(
            f"{name!r} is not a valid function name: it must be 1 to 64 letters, digits, "
            "underscores, dashes or dots.",
            param=param,
        )


def check_schema(schema: Mapping[str, Any], param: str) -> None:
    """Raise `InvalidRequest` for a number that JSON can't write again, such as 1e999."""
    try:
        json.dumps(schema, allow_nan=False)
    except ValueError:
        raise InvalidRequest(f"{param!r} has a number that is too large.", param=param) from None


def _arguments(schema: Mapping[str, Any] | None, place: str) -> Mapping[str, Any]:
    """The schema of the arguments, in whatever dialect: that is left to the backend.

    Generators leave the type out, or allow null as well; the arguments are an object anyhow.
    """
    if not schema:
        return {"type": "object", "properties": {}}
    check_schema(schema, place)
    kind = schema.get("type")
    if kind in (None, []) or (isinstance(kind, list) and "object" in kind):
        return {**schema, "type": "object"}
    kinds = [name for name in (kind if isinstance(kind, list) else [kind]) if isinstance(name, str)]
    if all(name.lower() in _NOT_OBJECTS for name in kinds):  # also if there are none
        raise InvalidRequest(
            f"{place!r} must be the JSON Schema of an object, not of {kind!r}.", param=place
        )
    return schema
