"""From a client's JSON Schema to the one that the CLI is given for the answer. Pure.

The CLI makes a tool's input schema of it, and compiles it with Ajv in its strict mode. Seen with
2.1.197 and 2.1.330: what Ajv refuses (the keywords and dialects of draft 2020-12, any unknown
keyword, a repeated name in `required`) makes the CLI leave the schema out without a word. The
model's API wants an object at the root, without `anyOf` and the like beside it. So the CLI's
schema says as much as both take, and the answer is held against the client's own in the end.

The API's own structured output takes another subset: `output_format`. It comes first, and the
CLI's tool is for schemas that do not fit it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from gateway.content.schema_check import CheckedSchema
from gateway.json_schema import Schema, distinct, map_schema, resolve
from gateway_claude_code.request.answer_schemas.merge import NotNative
from gateway_claude_code.request.answer_schemas.output_format import WRAPPER, OutputFormat

__all__ = ["WRAPPER", "AnswerSchema"]

_KEPT: Final = frozenset(
    ("type", "enum", "const", "properties", "required", "additionalProperties", "items",
     "minItems", "maxItems", "uniqueItems", "contains", "minProperties", "maxProperties",
     "propertyNames", "anyOf", "oneOf", "allOf", "not", "$ref", "$defs", "definitions", "title",
     "description", "default", "examples", "format", "minimum", "maximum", "exclusiveMinimum",
     "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern"),
)  # fmt: skip
"""What Ajv's default dialect (draft 7) and draft 2020-12 both have, with the same meaning."""

_UNIONS: Final = ("anyOf", "oneOf", "allOf", "not", "enum", "const")
_SHAPES: Final = ("properties", "required", "additionalProperties", "minProperties")

_COMMON_PATTERN: Final = re.compile(
    r"(?:[^\\()\[\]{}]|\)|\((?!\?)|\(\?(?:[:=!]|<[=!])|\{\d+(?:,\d*)?\}"
    r"|\[(?:[^\\\[\]]|\\[dDwWsSnrtfv^$\\.*+?()\[\]{}|/-])*\]"
    r"|\\[dDwWsSbBnrtfv^$\\.*+?()\[\]{}|/])*"
)
"""Patterns that mean the same to JavaScript with its `u` flag, which Ajv sets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSchema:
    """What the CLI is given, and what the answer is held against.

    With `wrapped` the input of the CLI's tool is an object whose `WRAPPER` is the client's answer.
    `format` is for the API's own structured output; None where the schema does not fit, and
    `not_native` then says why.
    """

    for_cli: Schema
    checked: CheckedSchema
    wrapped: bool
    format: OutputFormat | None = None
    not_native: str = ""

    @classmethod
    def of(cls, schema: Mapping[str, Any]) -> "AnswerSchema":
        """Raises `InvalidSchema`."""
        checked = CheckedSchema(schema)
        common = map_schema(schema, _common)
        root = _root_object(common)
        answer = cls(
            for_cli=_wrapped(common) if root is None else root,
            checked=checked,
            wrapped=root is None,
        )
        try:
            return replace(answer, format=OutputFormat.of(schema))
        except NotNative as problem:
            return replace(answer, not_native=str(problem))

    @property
    def native(self) -> Schema | None:
        """The schema for `output_config.format`, if the client's fits the API's subset."""
        return self.format.schema if self.format is not None else None


def _root_object(schema: Schema) -> Schema | None:
    """The schema with an object at its root, if that is what it describes."""
    seen = set()
    while isinstance(reference := schema.get("$ref"), str) and reference not in seen:
        seen.add(reference)
        target = resolve(schema, reference)
        if not isinstance(target, dict):
            return None
        schema = {**{key: schema[key] for key in schema if key != "$ref"}, **target}
    if "$ref" in schema or any(keyword in schema for keyword in _UNIONS):
        return None
    if schema.get("type") == "object":
        return schema
    describes_object = any(keyword in schema for keyword in _SHAPES)
    says_nothing = not set(schema) - {
        "title",
        "description",
        "default",
        "examples",
        "$defs",
        "definitions",
    }
    if "type" not in schema and (describes_object or says_nothing):
        return {**schema, "type": "object"}
    return None


def _wrapped(schema: Schema) -> Schema:
    """An object with the schema as its only property; references lead to where things are now."""

    def moved(part: Schema) -> Schema:
        reference = part.get("$ref")
        if isinstance(reference, str) and not reference.startswith(("#/$defs/", "#/definitions/")):
            return {**part, "$ref": f"#/properties/{WRAPPER}{reference[1:]}"}
        return part

    inner = map_schema(schema, moved)
    shared: Schema = {key: inner.pop(key) for key in ("$defs", "definitions") if key in inner}
    return {
        "type": "object",
        "properties": {WRAPPER: inner},
        "required": [WRAPPER],
        "additionalProperties": False,
        **shared,
    }


def _common(part: Schema) -> Schema:
    """One schema in the words that both the CLI and the API take."""
    kept = {key: value for key, value in part.items() if key in _KEPT}
    if (items := _list_items(part)) is not None:
        kept["items"] = items
    if part.get("nullable") is True and isinstance(kept.get("type"), str):
        kept["type"] = [kept["type"], "null"]
    for key in ("required", "enum", "type"):
        if isinstance(kept.get(key), list):
            kept[key] = distinct(kept[key])
    if kept.get("enum") == []:
        del kept["enum"]
    for key in ("exclusiveMinimum", "exclusiveMaximum"):
        if isinstance(kept.get(key), bool):
            del kept[key]
    if not _is_common_pattern(str(kept.get("pattern", ""))):
        kept["description"] = _sentence(kept.get("description"), f"Pattern: {kept.pop('pattern')}")
    return kept


def _is_common_pattern(pattern: str) -> bool:
    if not _COMMON_PATTERN.fullmatch(pattern):
        return False
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return False
    return True


def _list_items(part: Schema) -> Schema | None:
    """The items of a tuple as any of its kinds, which is what both dialects can say."""
    first, rest = part.get("prefixItems"), part.get("items")
    if first is None and isinstance(rest, list):  # draft 7
        first, rest = rest, part.get("additionalItems")
    if not isinstance(first, list):
        return None
    kinds = distinct([kind for kind in (*first, rest) if isinstance(kind, dict)])
    if True in first or not kinds:
        return {}
    return kinds[0] if len(kinds) == 1 else {"anyOf": kinds}


def _sentence(description: object, more: str) -> str:
    return f"{description} {more}" if description else more
