"""New names for an object's properties, wherever its schema mentions them. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from gateway.json_schema import Schema

_LISTS: Final = ("allOf", "anyOf", "oneOf")
_SCHEMAS: Final = ("not", "if", "then", "else")
"""Keywords whose schemas apply to the same object."""


def renamed(schema: Mapping[str, Any], names: Mapping[str, str]) -> Schema:
    """The schema with these names for its properties; targets of references stay unchanged.

    A renamed property gets its own name as its title, as the tool's description may use it.
    `propertyNames` is left out, as it is about the client's names.
    """

    def name_of(own: str) -> str:
        return names.get(own, own)

    def again(value: Any) -> Any:  # noqa: ANN401
        return renamed(value, names) if isinstance(value, Mapping) else value

    changes: Mapping[str, Callable[[Any], Any]] = {
        "properties": lambda value: {
            name_of(own): _titled(inner, own) if own in names else inner
            for own, inner in value.items()
        },
        "required": lambda value: [name_of(own) for own in value],
        "dependentRequired": lambda value: {
            name_of(own): [name_of(needed) for needed in needs] for own, needs in value.items()
        },
        "dependentSchemas": lambda value: {
            name_of(own): again(inner) for own, inner in value.items()
        },
        **dict.fromkeys(_SCHEMAS, again),
        **dict.fromkeys(_LISTS, lambda value: [again(branch) for branch in value]),
    }
    return {
        keyword: changes[keyword](value) if keyword in changes else value
        for keyword, value in schema.items()
        if keyword != "propertyNames"
    }


def _titled(schema: Any, own: str) -> Any:  # noqa: ANN401
    if not isinstance(schema, Mapping):
        return {"title": own} if schema is True else schema
    return {"title": own, **schema}
