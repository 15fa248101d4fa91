"""A schema of any dialect, translated to draft 2020-12 with the same meaning to the model. Pure.

Known dialects: drafts 3 to 2019-09, OpenAPI 3.0, Gemini's (types in capitals), and frequent mistakes
of generators. A keyword that can't be kept is noted in the schema's description. A valid schema
stays unchanged, except for keywords of other dialects. Each part is repaired by itself, before the
parts within it, in one walk without recursion.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from gateway.json_schema import Schema, distinct
from gateway_claude_code.request.tool_schemas.keywords import (
    NAMED_SCHEMAS,
    ONE_SCHEMA,
    SCHEMAS,
    UNUSABLE,
    JsonValue,
    repaired_value,
)
from gateway_claude_code.request.tool_schemas.type_names import TYPES, typed

FOREIGN: Final = frozenset(
    ("additionalItems", "dependencies", "disallow", "divisibleBy", "extends", "nullable",
     "x-nullable", "$recursiveRef"),
)  # fmt: skip
"""Keywords without a meaning in draft 2020-12, which allows any keyword."""

_OTHERWISE_WRITTEN: Final = FOREIGN | {"items", "exclusiveMinimum", "exclusiveMaximum"}
_LATEST: Final = re.compile(r"https?://json-schema\.org/draft/2020-12/schema#?")
_REF_ALONE: Final = re.compile(r"json-schema\.org/draft-0[34567]/")
"""Dialects that ignore everything beside a `$ref` (json-schema.org/draft-07/json-schema-core, 8.3)."""
_BESIDE_REF: Final = frozenset(
    ("$ref", "$schema", "$id", "$defs", "definitions", "$comment", "title", "description",
     "default", "examples", "deprecated", "readOnly", "writeOnly", "nullable", "x-nullable"),
)  # fmt: skip
_SAYS_NOTHING: Final[tuple[object, ...]] = (None, False, "", [], {})


def repaired(schema: Mapping[str, Any]) -> Schema:
    """The schema in draft 2020-12: a copy that shares nothing with the original."""
    ref_alone = _REF_ALONE.search(str(schema.get("$schema"))) is not None
    root = _Part(schema, ref_alone=ref_alone).schema
    left = [root]
    while left:
        part = left.pop()
        for holder, key in _places(part):
            holder[key] = inner = _schema_of(holder[key], ref_alone=ref_alone)
            if isinstance(inner, dict):
                left.append(inner)
    if "$schema" in root and not _LATEST.fullmatch(root["$schema"]) and root != schema:
        del root["$schema"]  # the repaired schema is of draft 2020-12
    return root


def _places(part: Schema) -> Iterator[tuple[Any, Any]]:
    """The places of the schemas directly within this one: their container and key."""
    for keyword, value in part.items():
        if keyword in ONE_SCHEMA:
            yield part, keyword
        elif keyword in SCHEMAS:
            yield from ((value, index) for index in range(len(value)))
        elif keyword in NAMED_SCHEMAS:
            yield from ((value, name) for name in value)


def _schema_of(value: JsonValue, *, ref_alone: bool) -> Schema | bool:
    match value:
        case bool():
            return value
        case Mapping():
            return _Part(value, ref_alone=ref_alone).schema
        case str() | list():
            return _Part({"type": value}, ref_alone=False).schema
        case _:
            return {}


class _Part:
    """One schema by itself: `schema` is the result, with the inner schemas unchanged."""

    def __init__(self, given: Mapping[str, Any], *, ref_alone: bool) -> None:
        self.schema: Schema = {}
        self._notes: list[str] = []
        if ref_alone and isinstance(given.get("$ref"), str):
            given = {key: value for key, value in given.items() if key in _BESIDE_REF}
        for keyword, value in given.items():
            if keyword == "type":
                self._type(value)
                continue
            usable = repaired_value(keyword, value)
            if usable is not UNUSABLE:
                self._put(keyword, _own(keyword, usable))
            elif value not in _SAYS_NOTHING and keyword != "required":
                self._note(keyword, value)
        if "properties" in given:
            self._required(given)
        if not _OTHERWISE_WRITTEN.isdisjoint(given):
            self._bounds()
            self._tuple()
            self._dependencies()
            self._draft_3()
            self._recursive()
            self._nullable()
        if self._notes:
            said = [self.schema["description"]] if self.schema.get("description") else []
            self.schema["description"] = "\n".join([*said, *self._notes])

    def _put(self, keyword: str, value: JsonValue) -> None:
        """Set it, beside what the type has already put there."""
        if keyword == "allOf" and keyword in self.schema:
            self.schema[keyword] += value
        elif keyword == "anyOf" and keyword in self.schema:
            self.schema.setdefault("allOf", []).append({keyword: value})
        else:
            self.schema[keyword] = value

    def _note(self, keyword: str, value: JsonValue) -> None:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        self._notes.append(f"({keyword}: {text})")

    def _type(self, value: JsonValue) -> None:
        match value:
            case str():
                self._name(value)
            case list() if value:
                self._types(value)
            case Mapping():  # a whole schema in place of its type
                self._put("allOf", [value])
            case _ if value not in _SAYS_NOTHING:
                self._note("type", value)

    def _name(self, name: str) -> None:
        keywords = typed(name)
        if keywords is None:
            self._note("type", name)
        for keyword, value in (keywords or {}).items():
            self.schema.setdefault(keyword, value)

    def _types(self, values: list[Any]) -> None:
        """Several types; in draft 3 one of them may be a schema, and a null is YAML's reading of a name."""
        found = [
            value if isinstance(value, Mapping) else typed("null" if value is None else str(value))
            for value in values
        ]
        known = [keywords for keywords in found if keywords is not None]
        if not known or {} in known:
            if not known:
                self._note("type", values)
            return
        if all(
            keywords.keys() == {"type"} and str(keywords["type"]).lower() in TYPES
            for keywords in known
        ):
            kinds = list(dict.fromkeys(str(keywords["type"]).lower() for keywords in known))
            self.schema["type"] = kinds
        else:
            self._put("anyOf", known)

    def _required(self, given: Mapping[str, Any]) -> None:
        """In draft 3 a property itself has `required: true`; 2.1.330 would drop the tool."""
        properties = self.schema.get("properties")
        if properties is None:
            return
        names = properties.get("required")
        known = isinstance(names, list) and all(
            isinstance(name, str) and name in properties for name in names
        )
        if names and known:
            self._require(properties.pop("required"))
        of_itself = [
            name
            for name, inner in properties.items()
            if isinstance(inner, Mapping) and inner.get("required") in (True, "true")
        ]
        self._require(of_itself)
        if not isinstance(given.get("properties"), Mapping) and not properties:
            del self.schema["properties"]

    def _require(self, names: list[str]) -> None:
        if names:
            self.schema["required"] = distinct([*self.schema.get("required", ()), *names])

    def _bounds(self) -> None:
        """In draft 4 `exclusiveMinimum` is a boolean beside `minimum`; 2.1.330 would drop the tool."""
        for exclusive, limit in (
            ("exclusiveMinimum", "minimum"),
            ("exclusiveMaximum", "maximum"),
        ):
            if isinstance(flag := self.schema.get(exclusive), bool):
                del self.schema[exclusive]
                if flag and limit in self.schema:
                    self.schema[exclusive] = self.schema.pop(limit)

    def _tuple(self) -> None:
        """Until draft 2019-09 `items` may be a list by position, and `additionalItems` is for the rest."""
        items = self.schema.get("items")
        if not isinstance(items, list):
            self.schema.pop("additionalItems", None)  # without a list it has no meaning
            return
        del self.schema["items"]
        if items:
            self.schema.setdefault("prefixItems", items)
        beyond = self.schema.pop("additionalItems", None)
        if beyond is not None:
            self.schema["items"] = beyond

    def _dependencies(self) -> None:
        """Until draft 7 a property may depend on names or on a schema, under one keyword."""
        dependencies = self.schema.pop("dependencies", None)
        if not isinstance(dependencies, Mapping):
            return
        for name, needed in dependencies.items():
            if isinstance(needed, Mapping | bool):
                self.schema.setdefault("dependentSchemas", {}).setdefault(name, needed)
            elif isinstance(names := repaired_value("required", needed), list):
                self.schema.setdefault("dependentRequired", {}).setdefault(name, names)

    def _draft_3(self) -> None:
        schema = self.schema
        # other names since draft 4: json-schema.org/draft-04/json-schema-validation
        if (step := schema.pop("divisibleBy", None)) is not None:
            schema.setdefault("multipleOf", step)
        extended = schema.pop("extends", None)
        for base in extended if isinstance(extended, list) else [extended]:
            if isinstance(base, Mapping):
                self._put("allOf", [base])
        if (disallowed := schema.pop("disallow", None)) is not None:
            schema.setdefault("not", {"type": disallowed})

    def _recursive(self) -> None:
        """Draft 2019-09 has a keyword of its own for a reference to the root."""
        reference = self.schema.pop("$recursiveRef", None)
        if isinstance(reference, str):
            self.schema.setdefault("$ref", reference)

    def _nullable(self) -> None:
        """OpenAPI 3.0: "nullable: true" adds null to the type."""
        schema = self.schema
        flags = [schema.pop(keyword, None) for keyword in ("nullable", "x-nullable")]
        if True not in flags:
            return
        # spec.openapis.org/oas/v3.0.3: null must be listed too, which few generators do
        if "enum" in schema and None not in schema["enum"]:
            schema["enum"] = [*schema["enum"], None]
        if "type" in schema:
            kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
            schema["type"] = distinct([*kinds, "null"])
            return
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema and {"type": "null"} not in schema[keyword]:
                schema[keyword] = [*schema[keyword], {"type": "null"}]
                return
        # neither has a type to add null to, so null becomes a branch of its own
        for keyword in ("$ref", "allOf", "const"):
            if keyword in schema:
                schema["anyOf"] = [{keyword: schema.pop(keyword)}, {"type": "null"}]
                return


def _own(keyword: str, value: JsonValue) -> JsonValue:
    """A writable copy of a container of inner schemas."""
    if keyword in SCHEMAS or (keyword == "items" and isinstance(value, list)):
        return list(value)
    return dict(value) if keyword in NAMED_SCHEMAS else value
