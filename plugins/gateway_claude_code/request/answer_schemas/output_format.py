"""The API's own structured output: `output_config.format` of a client's schema. Pure.

Platform docs, "Structured outputs" (read in October 2026). The form of property keys
(`property_names`) is known of tools' top level; all keys are held to it here, as they are renamed
there and back.
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
"""The one property of the object that holds an answer which is not an object itself."""

MOST_OPTIONAL: Final = 24
MOST_UNIONS: Final = 16
"""Over the whole request: properties that are not required, and uses of `anyOf` or of a list of
types. Counted for each use of a definition; the documentation does not say how it counts them."""

_SIBLINGS_IGNORED: Final = re.compile(r"/draft-0[34567]/")
"""Dialects in which nothing beside a `$ref` counts."""

_REFUSALS: Final = re.compile(
    r"output_config\.format|output_format\.schema|[Ss]chema is too complex"
    r"|compiled grammar is too large"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFormat:
    """A schema in the API's subset, and how the client's answer comes out of the model's.

    With `wrapped` the answer is the property `WRAPPER`. `names` are the client's names of
    properties by the ones that were sent.
    """

    schema: Schema
    wrapped: bool
    names: Mapping[str, str]

    @classmethod
    def of(cls, schema: Mapping[str, Any]) -> "OutputFormat":
        """Of a valid schema. Raises `NotNative`, which says why in the client's words."""
        try:
            names = _names(schema)
            beside_ref = not _SIBLINGS_IGNORED.search(str(schema.get("$schema")))
            subset = Subset(dict(schema), names, beside_ref=beside_ref)
            root = subset.schema(schema, "", inline=True)
            _keep_limits(root, subset)
        except RecursionError:
            raise NotNative("it is nested too deeply") from None
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
    """Whether an error of the API (400) is about the format, and not about the request.

    Texts quoted in public issues: "output_config.format.schema: For 'array' type, property
    'maxItems' is not supported", "Schema is too complex for compilation", "The compiled grammar
    is too large, which would cause performance issues."
    """
    return _REFUSALS.search(message) is not None


def _names(schema: Mapping[str, Any]) -> dict[str, str]:
    """What to call those properties of which the API would refuse the name, by their own."""
    found: dict[str, None] = {}

    def note(part: Schema) -> Schema:
        if isinstance(properties := part.get("properties"), Mapping):
            found.update(dict.fromkeys(properties))
        return part

    map_schema(schema, note)
    return names_to_send(found)


def _keep_limits(root: Schema, subset: Subset) -> None:
    """Raises `NotNative` for more than the API takes.

    Optional properties that may be null are required before that: null says the same.
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
    """Optional properties and unions. A definition follows those that it refers to."""
    known: dict[str, tuple[int, int]] = {}

    def count(part: Schema) -> tuple[int, int]:
        if "$ref" in part:
            return known[part["$ref"].rpartition("/")[2]]
        properties = part.get("properties", {})
        optional = len(properties) - len(part.get("required", ()))
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
