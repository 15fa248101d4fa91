"""From a JSON Schema to the subset that the API compiles to a grammar. Pure.

The subset (platform.claude.com/docs/en/build-with-claude/structured-outputs, "JSON Schema
limitations", read in October 2026): every object closed by `additionalProperties: false`, no limits
on numbers, lengths and sizes beyond `minItems` 0 or 1, no recursion, plain values in `enum`, ten
string formats, simple patterns. A value of the result is valid for the client's schema too, except
for the limits that are only said in words.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import nullcontext, suppress
from typing import Any, Final, TypeAlias

from gateway.json_schema import Schema, distinct, resolve
from gateway_claude_code.request.answer_schemas.merge import (
    ANNOTATIONS,
    Never,
    NotNative,
    merged,
    plain,
)
from gateway_claude_code.request.answer_schemas.words import FORMATS, is_simple_pattern, words

LARGEST: Final = 5000
"""Schemas within a schema, each counted for every use."""

_UNIONS: Final = ("anyOf", "oneOf")
_ELSEWHERE: Final = ("$dynamicRef", "$recursiveRef")
_MAY_BREAK: Final = ("dependentRequired", "dependentSchemas", "dependencies", "maxProperties",
                     "if", "not")  # fmt: skip
"""Keywords under which one more property can make an object invalid."""

_BY_KEYWORD: Final[dict[str, tuple[str, ...]]] = {
    "object": ("properties", "required", "additionalProperties", "minProperties", "maxProperties",
               "patternProperties", "propertyNames", "dependentRequired", "dependentSchemas",
               "unevaluatedProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"),
    "string": ("minLength", "maxLength", "pattern", "format", "contentEncoding",
               "contentMediaType"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}  # fmt: skip

_Part: TypeAlias = Mapping[str, Any] | bool


class Subset:
    """Translates one client's schema.

    `definitions` are the result's `$defs`. `could_be_null` are optional properties (the object
    and the property's name) that may be null: they can be required instead. `names` are the names
    of properties in the result.
    """

    def __init__(self, root: Schema, names: Mapping[str, str], *, beside_ref: bool = True) -> None:
        self.definitions: dict[str, Schema] = {}
        self.could_be_null: list[tuple[Schema, str]] = []
        self._root = root
        self._names = names
        self._beside_ref = beside_ref
        self._defined: dict[str, str] = {}
        self._open: set[str] = set()
        self._left = LARGEST

    def schema(self, part: _Part, place: str, *, inline: bool = False) -> Schema:
        """The translation of the schema at `place`, a path of properties. Raises `NotNative`."""
        self._count()
        if isinstance(part, bool):
            # a grammar for any JSON would be recursive, and recursion is not supported
            raise (
                NotNative(f"{_at(place)} may be any JSON")
                if part
                else Never(f"{_at(place)} is false")
            )
        said = plain(dict(part))
        if "$ref" in said and not inline and not self._has_more(said):
            return self._reference(said["$ref"], place)
        entered: list[str] = []
        try:
            return self._translated(self._flat(said, place, entered), place)
        finally:
            self._open.difference_update(entered)

    def _translated(self, part: Schema, place: str) -> Schema:
        if any(key in part for key in _UNIONS):
            return self._union(part, place)
        if "enum" in part:
            return _literal(part, place)  # checked before types, which an enum makes redundant
        kinds = _kinds(part, place)
        if len(kinds) == 1:
            return self._of_type(kinds[0], part, place)
        # a list of types needs no `anyOf`; both count as one union ("Explicit limits")
        bare = not set(part) - {"type"} - ANNOTATIONS
        if bare and not {"object", "array"} & set(kinds):
            return {"type": kinds, **_annotations(part, words(part, ""))}
        typed = [{**_without(part, ANNOTATIONS), "type": [kind]} for kind in kinds]
        return self._any_of(typed, part, place)

    def _of_type(self, kind: str, part: Schema, place: str) -> Schema:
        match kind:
            case "object":
                return self._object(part, place)
            case "array":
                return self._array(part, place)
            case "string":
                return _string(part)
        return {"type": kind, **_annotations(part, words(part, kind))}

    # -- unions ---------------------------------------------------------------------------

    def _union(self, part: Schema, place: str) -> Schema:
        if all(key in part for key in _UNIONS):
            raise NotNative(f"{_at(place)} combines anyOf and oneOf")
        # `oneOf` is not in the subset: as `anyOf` it is wider, and the answer is checked at the end
        union = next(key for key in _UNIONS if key in part)
        rest = _without(part, {union, *ANNOTATIONS})
        branches = part[union]
        if rest:
            branches = [{"allOf": [rest, branch]} for branch in branches]
        return self._any_of(branches, part, place)

    def _any_of(self, branches: Iterable[_Part], part: Schema, place: str) -> Schema:
        found = []
        for branch in branches:
            with suppress(Never):
                found.append(self.schema(branch, place))
        found = distinct(found)
        if not found:
            raise Never(f"{_at(place)} contradicts itself")
        # a union of one would count towards the limit of 16 unions
        if len(found) == 1:
            return _described(found[0], part)
        union = _as_enum(found) or {"anyOf": found}
        return {**union, **_annotations(part, words(part, ""))}

    # -- objects and arrays ---------------------------------------------------------------

    def _object(self, part: Schema, place: str) -> Schema:
        _refuse_open(part, place)
        given: Mapping[str, _Part] = part.get("properties", {})
        wanted = dict.fromkeys(part.get("required", ()))
        if missing := [name for name in wanted if name not in given]:
            problem = f"{_at(_within(place, missing[0]))} is required and not described"
            raise Never(problem) if "additionalProperties" in part else NotNative(problem)
        properties: dict[str, Schema] = {}
        for name, value in given.items():
            with nullcontext() if name in wanted else suppress(Never):
                properties[self._sent(name)] = self.schema(value, _within(place, name))
        explained = [
            f'"{self._sent(name)}" is short for {json.dumps(name, ensure_ascii=False)}.'
            for name in given
            if name in self._names and self._sent(name) in properties
        ]
        required = [self._sent(name) for name in wanted]
        translated = {
            "type": "object",
            "properties": properties,
            **({"required": required} if required else {}),
            "additionalProperties": False,  # required of every object in the subset
            **_annotations(part, (*words(part, "object"), *explained)),
        }
        if not any(key in part for key in _MAY_BREAK):
            self.could_be_null += [
                (translated, self._sent(name))
                for name in given
                if name not in wanted and self._takes_null(properties.get(self._sent(name), {}))
            ]
        return translated

    def _takes_null(self, translated: Schema) -> bool:
        if "$ref" in translated:
            translated = self.definitions[translated["$ref"].rpartition("/")[2]]
        branches = translated.get("anyOf", ())
        return (
            translated.get("type") == "null"
            or "null" in translated.get("type", ())
            or None in translated.get("enum", ())
            or translated.get("const", 0) is None
            or any(self._takes_null(branch) for branch in branches)
        )

    def _sent(self, name: str) -> str:
        return self._names.get(name, name)

    def _array(self, part: Schema, place: str) -> Schema:
        first, rest = part.get("prefixItems"), part.get("items")
        if first is None and isinstance(rest, list):  # drafts 4 to 2019-09
            first, rest = rest, part.get("additionalItems")
        # "Array `minItems` (only values 0 and 1 supported)"; the rest is said in words
        minimum = {"minItems": min(int(part["minItems"]), 1)} if "minItems" in part else {}
        exact = minimum.get("minItems") == part.get("minItems")
        said = list(words(part, "array", without=("minItems",) if exact else ()))
        if isinstance(first, list):
            kinds = [*first, *([rest] if isinstance(rest, Mapping) else [])]
            # `prefixItems` is not in the subset: any of these, and their order is said in words
            items = self._any_of(kinds, {}, f"{place}[]")
            said.append(f"The items in this order: {json.dumps(first, ensure_ascii=False)}")
        else:
            items = self.schema(True if rest is None else rest, f"{place}[]")
        return {"type": "array", "items": items, **minimum, **_annotations(part, said)}

    # -- references -----------------------------------------------------------------------

    def _has_more(self, part: Schema) -> bool:
        """Whether there is more beside a `$ref` than can be left out."""
        more = set(part) - {"$ref", "title"}
        if part.get("default") is None:
            more.discard("default")
        return bool(more if self._beside_ref else more & ANNOTATIONS)

    def _reference(self, reference: str, place: str) -> Schema:
        if reference not in self._defined:
            self._enter(reference, place)
            try:
                translated = self.schema(resolve(self._root, reference), place, inline=True)
            finally:
                self._open.discard(reference)
            name = _unused_name(reference, self.definitions)
            self.definitions[name] = translated
            self._defined[reference] = name
        return {"$ref": f"#/$defs/{self._defined[reference]}"}

    def _flat(
        self, part: Schema, place: str, entered: list[str], chain: tuple[str, ...] = ()
    ) -> Schema:
        """One schema without `$ref` and `allOf`, both followed from one to the next.

        `entered` takes the references that were followed: they cannot be within the schema.
        """
        if any(key in part for key in _ELSEWHERE):
            raise NotNative(f"{_at(place)} has a dynamic reference")
        alone = "$ref" in part and not self._beside_ref
        every = () if alone else part.get("allOf", ())
        left_out = set(part) - ANNOTATIONS if alone else {"$ref", "allOf"}
        flat = _without(part, left_out)
        for branch in every:
            flat = merged(self._flat_inner(branch, place, entered, chain), flat)
        self._count(1 + len(flat.get("properties", ())) // 100)
        if "$ref" not in part:
            return flat
        reference = part["$ref"]
        if reference in chain or reference not in entered:
            self._enter(reference, place)
            entered.append(reference)
        target = resolve(self._root, reference)
        return merged(self._flat_inner(target, place, entered, (*chain, reference)), flat)

    def _flat_inner(
        self, part: _Part, place: str, entered: list[str], chain: tuple[str, ...]
    ) -> Schema:
        if isinstance(part, bool):
            if not part:
                raise Never(f"{_at(place)} is false")
            return {}
        return self._flat(plain(dict(part)), place, entered, chain)

    def _enter(self, reference: str, place: str) -> None:
        if reference in self._open:
            # "Recursive schemas" are on the page's list of unsupported features
            raise NotNative(f"{_at(place)} is recursive ({reference})")
        self._open.add(reference)

    def _count(self, parts: int = 1) -> None:
        self._left -= parts
        if self._left < 0:
            raise NotNative(f"it has more than {LARGEST} parts")


def _refuse_open(part: Schema, place: str) -> None:
    """Raises `NotNative` for an open object; one that is open only by default may be closed."""
    if "patternProperties" in part:
        raise NotNative(f"{_at(place)} has properties by pattern")
    closed = False
    for key in ("additionalProperties", "unevaluatedProperties"):
        if part.get(key, False) is not False:
            raise NotNative(f"{_at(place)} may have any property ({key})")
        closed |= key in part
    if not closed and not part.get("properties") and part.get("maxProperties") != 0:
        raise NotNative(f"{_at(place)} may have any property")


def _string(part: Schema) -> Schema:
    translated: Schema = {"type": "string"}
    # a format or a pattern: beside each other the page does not mention them
    if part.get("format") in FORMATS:
        translated["format"] = part["format"]
    elif is_simple_pattern(part.get("pattern", "(?")):
        translated["pattern"] = part["pattern"]
    return {**translated, **_annotations(part, words(part, "string", without=tuple(translated)))}


def _literal(part: Schema, place: str) -> Schema:
    kinds = part.get("type")
    values = [value for value in part["enum"] if kinds is None or set(kinds) & _types_of(value)]
    if not values:
        raise Never(f"{_at(place)} contradicts itself")
    # "enum (strings, numbers, bools, or nulls only - no complex types)", says the page
    if any(isinstance(value, list | dict) for value in values):
        raise NotNative(f"{_at(place)} has an object or a list in its enum")
    return {**_one_of(values, kinds), **_annotations(part, words(part, ""))}


def _one_of(values: list[Any], kinds: list[str] | None) -> Schema:
    fitting = [kind for kind in kinds or () if all(kind in _types_of(value) for value in values)]
    typed = {"type": fitting[0]} if fitting else {}
    values = distinct(values)
    return {**typed, **({"const": values[0]} if len(values) == 1 else {"enum": values})}


def _types_of(value: object) -> set[str]:
    match value:
        case None:
            return {"null"}
        case bool():
            return {"boolean"}
        case int():
            return {"integer", "number"}
        case float():
            return {"integer", "number"} if value.is_integer() else {"number"}
        case str():
            return {"string"}
        case list():
            return {"array"}
    return {"object"}


def _as_enum(branches: list[Schema]) -> Schema | None:
    """A union of plain values as an enum, which needs no union in the grammar; None for others."""
    values: list[Any] = []
    for branch in branches:
        if set(branch) - {"const", "enum", "type"} or branch == {"type": "boolean"}:
            return None
        if branch.get("type") == "null":
            values.append(None)
        elif "const" in branch or "enum" in branch:
            values += branch.get("enum", [branch.get("const")])
        else:
            return None
    kinds = {branch.get("type", "") for branch in branches}
    return _one_of(values, sorted(kinds) if len(kinds) == 1 else None)


def _kinds(part: Schema, place: str) -> list[str]:
    """The types of a schema, or else the one that its keywords imply."""
    if "type" in part:
        kinds = distinct(part["type"])
        return [kind for kind in kinds if kind != "integer" or "number" not in kinds]
    about = [kind for kind, keywords in _BY_KEYWORD.items() if any(key in part for key in keywords)]
    if len(about) != 1:
        raise NotNative(f"{_at(place)} may be any JSON")
    return about


def _annotations(part: Schema, sentences: Iterable[str]) -> Schema:
    """The title, and the description with a line for each of these sentences."""
    said = [part.get("description", ""), *sentences]
    description = "\n".join(sentence for sentence in said if sentence)
    title = {"title": part["title"]} if part.get("title") else {}
    return {**title, **({"description": description} if description else {})}


def _described(translated: Schema, part: Schema) -> Schema:
    """The only schema that is left of a union, with the union's annotations."""
    return translated if "$ref" in translated else {**translated, **_annotations(part, ())}


def _unused_name(reference: str, used: Mapping[str, Schema]) -> str:
    last = re.sub(r"[^A-Za-z0-9_]", "_", reference.rpartition("/")[2])[:40] or "schema"
    return last if last not in used and last != "_" else f"{last}_{len(used) + 1}"


def _without(part: Schema, keys: Collection[str]) -> Schema:
    return {key: value for key, value in part.items() if key not in keys}


def _within(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _at(place: str) -> str:
    return repr(place) if place else "the answer"
