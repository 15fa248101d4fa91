"""From a client's JSON Schema to the one that the CLI gets for the answer. Pure.

The CLI uses it as a tool's input schema, and compiles it with Ajv in strict mode. Seen with 2.1.197
and 2.1.330: if Ajv refuses it (keywords and dialects of draft 2020-12, an unknown keyword, a repeated
name in `required`), the CLI silently omits the schema. The model's API requires an object at the
root, without `anyOf` and the like beside it. So the CLI's schema has what both accept, and the
answer is checked against the client's own.

The API's own structured output has another subset: `output_format`. It is preferred; the CLI's tool
is for schemas that do not fit it.
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
"""Keywords with the same meaning in draft 7, Ajv's default (ajv.js.org/json-schema.html), and draft
2020-12."""

_UNIONS: Final = ("anyOf", "oneOf", "allOf", "not", "enum", "const")
_SHAPES: Final = ("properties", "required", "additionalProperties", "minProperties")

_COMMON_PATTERN: Final = re.compile(
    r"(?:[^\\()\[\]{}]|\)|\((?!\?)|\(\?(?:[:=!]|<[=!])|\{\d+(?:,\d*)?\}"
    r"|\[(?:[^\\\[\]]|\\[dDwWsSnrtfv^$\\.*+?()\[\]{}|/-])*\]"
    r"|\\[dDwWsSbBnrtfv^$\\.*+?()\[\]{}|/])*"
)
"""Patterns with the same meaning in JavaScript with the flag `u`, which Ajv sets (ajv.js.org/options.html,
`unicodeRegExp`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSchema:
    """The CLI's schema, and the client's that the answer is checked against.

    With `wrapped` the input of the CLI's tool is an object whose `WRAPPER` is the client's answer.
    `format` is for the API's own structured output; None if the schema does not fit, for the
    reason `not_native`.
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
    """The schema with an object at its root, if it describes one."""
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
    # these keywords apply to objects alone (json-schema.org/draft/2020-12/json-schema-validation)
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
    """An object with the schema as its only property; references lead to the new places."""

    def moved(part: Schema) -> Schema:
        reference = part.get("$ref")
        # definitions move to the new root, and everything else is one level deeper
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
    """One schema in the keywords that both the CLI and the API accept."""
    kept = {key: value for key, value in part.items() if key in _KEPT}
    if (items := _list_items(part)) is not None:
        kept["items"] = items
    # spec.openapis.org/oas/v3.0.3, "Schema Object"; neither dialect has it
    if part.get("nullable") is True and isinstance(kept.get("type"), str):
        kept["type"] = [kept["type"], "null"]
    # Ajv refuses repeated values (seen with 2.1.330, in `required`)
    for key in ("required", "enum", "type"):
        if isinstance(kept.get(key), list):
            kept[key] = distinct(kept[key])
    # the draft allows it ("SHOULD have at least one element"), and Ajv refuses it
    if kept.get("enum") == []:
        del kept["enum"]
    # draft 4: a boolean beside the limit
    for key in ("exclusiveMinimum", "exclusiveMaximum"):
        if isinstance(kept.get(key), bool):
            del kept[key]
    # one pattern that JavaScript cannot compile costs the whole schema
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
    """The items of a tuple as any of its kinds: all that both dialects can express."""
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
