"""The API's own structured output: `output_config.format` of a client's schema. Pure.

platform.claude.com/docs/en/build-with-claude/structured-outputs, read in October 2026. The form of
property keys (`property_names`) is known for the top level of tools; here all keys are restricted to
it, as they are renamed there and back.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.json_schema import Schema, map_schema
from gateway_claude_code.request.answer_schemas.merge import NotNative
from gateway_claude_code.request.answer_schemas.subset import Subset
from gateway_claude_code.request.tools.property_names import names_to_send

WRAPPER: Final = "value"
"""The only property of the object around an answer that is not an object itself."""

MOST_OPTIONAL: Final = 24
MOST_UNIONS: Final = 16
"""For the whole request: optional properties, and uses of `anyOf` or of a list of types ("Explicit
limits" on platform.claude.com/docs/en/build-with-claude/structured-outputs). Counted for each use of
a definition (assumed)."""

_SIBLINGS_IGNORED: Final = re.compile(r"/draft-0[34567]/")
"""Dialects that ignore everything beside a `$ref` (json-schema.org/draft-07/json-schema-core, 8.3)."""

_REFUSALS: Final = re.compile(
    r"output_config\.format|output_format\.schema|[Ss]chema is too complex"
    r"|compiled grammar is too large"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFormat:
    """A schema in the API's subset, and the way from the model's answer to the client's.

    With `wrapped` the answer is the property `WRAPPER`. `names` are the client's names of
    properties by the ones that were sent.
    """

    schema: Schema
    wrapped: bool
    names: Mapping[str, str]

    @classmethod
    def of(cls, schema: Mapping[str, Any]) -> "OutputFormat":
        """From a valid schema. Raises `NotNative` with the reason in the client's terms."""
        try:
            names = _names(schema)
            beside_ref = not _SIBLINGS_IGNORED.search(str(schema.get("$schema")))
            subset = Subset(dict(schema), names, beside_ref=beside_ref)
            root = subset.schema(schema, "", inline=True)
            _keep_limits(root, subset)
        except RecursionError:
            raise NotNative("it is nested too deeply") from None
        # an object at the root, as for a tool's input (assumed: the page shows no other root)
        wrapped = root.get("type") != "object"
        if wrapped:
            root = {
                "type": "object",
                "properties": {WRAPPER: root},
                "required": [WRAPPER],
                "additionalProperties": False,
            }
        definitions = {"$defs": subset.definitions} if subset.definitions else {}
        sent = {name: key for key, name in names.items()}
        return cls(schema={**root, **definitions}, wrapped=wrapped, names=sent)


def is_format_refusal(message: str) -> bool:
    """Whether an error of the API (400) is about the format, and not about the rest of the request.

    Texts quoted in public issues: "output_config.format.schema: For 'array' type, property
    'maxItems' is not supported", "Schema is too complex for compilation", "The compiled grammar
    is too large, which would cause performance issues."
    """
    return _REFUSALS.search(message) is not None


def _names(schema: Mapping[str, Any]) -> dict[str, str]:
    """New names for properties whose names the API would refuse, by the old ones."""
    found: dict[str, None] = {}

    def note(part: Schema) -> Schema:
        if isinstance(properties := part.get("properties"), Mapping):
            found.update(dict.fromkeys(properties))
        return part

    map_schema(schema, note)
    return names_to_send(found)


def _keep_limits(root: Schema, subset: Subset) -> None:
    """Raises `NotNative` for more than the API takes.

    Before that, optional properties that may be null become required: null means the same.
    """
    optional, unions = _counted(root, subset.definitions)
    if optional > MOST_OPTIONAL:
        for part, name in subset.could_be_null:
            part.setdefault("required", []).append(name)
        optional, _ = _counted(root, subset.definitions)
    if optional > MOST_OPTIONAL:
        raise NotNative(f"it has {optional} optional properties, more than {MOST_OPTIONAL}")
    if unions > MOST_UNIONS:
        raise NotNative(f"it has {unions} unions, more than {MOST_UNIONS}")


def _counted(root: Schema, definitions: Mapping[str, Schema]) -> tuple[int, int]:
    """The numbers of optional properties and of unions. A definition comes after those that it uses."""
    known: dict[str, tuple[int, int]] = {}

    def count(part: Schema) -> tuple[int, int]:
        if "$ref" in part:
            return known[part["$ref"].rpartition("/")[2]]
        properties = part.get("properties", {})
        optional = len(properties) - len(part.get("required", ()))
        # `"type": ["string", "null"]` is a union too: the page's own example of "Explicit limits"
        unions = int("anyOf" in part or isinstance(part.get("type"), list))
        for inner in _parts(part):
            more = count(inner)
            optional, unions = optional + more[0], unions + more[1]
        return optional, unions

    for name, definition in definitions.items():
        known[name] = count(definition)
    return count(root)


def _parts(part: Schema) -> Iterator[Schema]:
    yield from part.get("properties", {}).values()
    yield from part.get("anyOf", ())
    if "items" in part:
        yield part["items"]
