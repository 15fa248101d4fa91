"""Compositions at the top of a tool's schema, merged into one object with properties. Pure.

The API takes no oneOf, anyOf or allOf there ("input_schema does not support oneOf, allOf, or anyOf
at the top level"), and the CLI (2.1.330) turns them into an object that requires nothing. Here the
properties of all branches are kept, and the rest is said in words. The object accepts everything
that the schema accepts.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from gateway.json_schema import InvalidSchema, Schema, distinct, resolve

Inner: TypeAlias = Mapping[str, Any] | bool
"""A schema within another."""

COMPOSITIONS: Final = ("allOf", "anyOf", "oneOf")
_DEEPEST: Final = 12
"""Compositions within compositions; deeper ones are said in words."""
_MOST_COMPARED: Final = 100
"""Schemas of one property that are compared with each other, if it has more."""
_MOST_MERGED: Final = 100_000
"""The total of merged properties, names and branches: a few lines that refer to each other can
amount to billions."""
_CONDITION: Final = ("if", "then", "else")
_ANNOTATIONS: Final = ("title", "description", "default", "examples", "$comment")
_MERGED: Final = frozenset(
    ("type", "properties", "required", "additionalProperties", "unevaluatedProperties",
     "$defs", "definitions", "$id", "$schema", "$anchor", *COMPOSITIONS, "$ref"),
)  # fmt: skip
"""Keywords that are merged, not copied, from a branch."""


@dataclass(slots=True)
class Flat:
    """A schema without compositions, and the compositions that it can't express.

    `unsaid` has schemas with one composition each.
    """

    schema: Schema
    required: dict[str, None] = field(default_factory=dict)
    unsaid: list[Schema] = field(default_factory=list)


def flattened(root: Mapping[str, Any]) -> Flat:
    """The schema of an object, its top `$ref` and compositions merged into one.

    Raises `InvalidSchema` if that is too much work.
    """
    flat = _Flattening(root).flat(root, _DEEPEST)
    flat.unsaid = list({id(part): part for part in flat.unsaid}.values())  # each once
    return flat


def in_words(unsaid: Sequence[Schema]) -> str:
    """Demands on the arguments beyond their schema; empty without any."""
    return "\n".join(map(_sentence, unsaid))


def _sentence(composition: Schema) -> str:
    ((keyword, branches),) = composition.items()
    if keyword != "allOf" and all(
        isinstance(branch, Mapping) and branch.keys() == {"required"} for branch in branches
    ):
        sets = " or ".join(f"({', '.join(branch['required'])})" for branch in branches)
        count = "exactly one" if keyword == "oneOf" else "at least one"
        return f"Give {count} of these sets of arguments: {sets}."
    text = json.dumps(composition, ensure_ascii=False)
    return f"The arguments as a whole must also be valid for this JSON Schema: {text}"


class _Flattening:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._known: dict[str, Flat | None] = {}
        self._left = _MOST_MERGED

    def _spend(self, flat: Flat) -> None:
        self._left -= 1 + len(flat.schema.get("properties", ())) + len(flat.required)
        self._left -= len(flat.unsaid)
        if self._left < 0:
            raise InvalidSchema("its oneOf, anyOf and allOf are too complex")

    def flat(self, schema: Mapping[str, Any], levels: int) -> Flat:
        result = Flat({key: value for key, value in schema.items() if key not in _ALL})
        if isinstance(properties := schema.get("properties"), Mapping):
            result.schema["properties"] = dict(properties)
        result.required.update(dict.fromkeys(schema.get("required", ())))
        # since draft 2019-09 `$ref` applies beside other keywords, like a branch of `allOf`
        # (json-schema.org/draft/2020-12/json-schema-core, 8.2.3.1)
        both = [{"$ref": schema["$ref"]}] if "$ref" in schema else []
        for branch in [*both, *schema.get("allOf", ())]:
            self._add(result, branch, levels)
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                self._choose(result, keyword, schema[keyword], levels)
        if result.required:
            result.schema["required"] = list(result.required)
        return result

    def _branch(self, branch: Mapping[str, Any], levels: int) -> Flat | None:
        """A branch without compositions; None if it can't be flattened."""
        if levels <= 0:
            return None
        if branch.keys() != {"$ref"}:
            return self.flat(branch, levels - 1)
        reference = branch["$ref"]
        if reference not in self._known:
            self._known[reference] = None  # for a branch that refers to itself
            try:
                target = resolve(self._root, reference)
            except InvalidSchema:
                return None
            found = self.flat(target, levels - 1) if isinstance(target, Mapping) else Flat({})
            self._known[reference] = found
        return self._known[reference]

    # -- all of them ----------------------------------------------------------------------

    def _add(self, result: Flat, branch: Inner, levels: int) -> None:
        if branch is True:
            return
        flat = self._branch(branch, levels) if isinstance(branch, Mapping) else None
        if not isinstance(branch, Mapping) or flat is None or not _may_be_object(flat.schema):
            result.unsaid.append({"allOf": [branch]})
            return
        self._spend(flat)
        result.unsaid += flat.unsaid
        for name, value in flat.schema.get("properties", {}).items():
            properties = result.schema.setdefault("properties", {})
            properties[name] = self._both(properties[name], value) if name in properties else value
        result.required.update(flat.required)
        if _is_closed(flat.schema):
            result.schema.setdefault("additionalProperties", False)
        self._copy(result, flat.schema, branch)

    def _both(self, one: Any, other: Any) -> Any:  # noqa: ANN401
        if not isinstance(one, Mapping) or one.keys() != {"allOf"}:
            return one if one == other else {"allOf": [one, other]}
        self._left -= len(one["allOf"])
        return {"allOf": [*one["allOf"], other]}

    def _copy(self, result: Flat, branch: Schema, given: Mapping[str, Any]) -> None:
        """Copy the keywords beside properties; if one clashes, the branch is said in words."""
        others = {key: value for key, value in branch.items() if key not in _MERGED}
        conditions = [any(key in part for key in _CONDITION) for part in (others, result.schema)]
        clash = all(conditions) or any(
            key not in _ANNOTATIONS and result.schema.get(key, value) != value
            for key, value in others.items()
        )
        if clash:
            result.unsaid.append({"allOf": [given]})
        for key, value in others.items():
            if not (clash and key in _CONDITION):
                result.schema.setdefault(key, value)

    # -- one of them ----------------------------------------------------------------------

    def _choose(self, result: Flat, keyword: str, branches: Sequence[Any], levels: int) -> None:
        flats = [
            self._branch(branch, levels) if isinstance(branch, Mapping) else None
            for branch in branches
        ]
        possible = [flat for flat in flats if flat is not None and _may_be_object(flat.schema)]
        for flat in possible:
            self._spend(flat)
        unknown = any(
            branch is True or (flat is None and branch is not False)
            for flat, branch in zip(flats, branches, strict=True)
        )
        if len(branches) == 1 and branches[0] is not False:
            self._add(result, branches[0], levels)
            return
        # `anyOf` with a branch that accepts everything demands nothing
        if keyword == "oneOf" or not any(branch in (True, {}) for branch in branches):
            result.unsaid.append({keyword: list(branches)})
        properties = result.schema.setdefault("properties", {})
        for name, value in _of_all(possible).items():
            properties.setdefault(name, value)
        if unknown or not possible:
            return
        # closed only if each branch is: an open one accepts the properties of the others
        if all(_is_closed(flat.schema) for flat in possible):
            result.schema.setdefault("additionalProperties", False)
        result.required.update(_common(possible))


_ALL: Final = frozenset((*COMPOSITIONS, "$ref"))


def _may_be_object(schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type", "object")
    return "object" in kind if isinstance(kind, list) else kind == "object"


def _is_closed(schema: Mapping[str, Any]) -> bool:
    return schema.get("additionalProperties") is False


def _of_all(flats: Sequence[Flat]) -> dict[str, Any]:
    """The properties of all branches; one that differs between them becomes a union."""
    found: dict[str, list[Any]] = {}
    for flat in flats:
        for name, value in flat.schema.get("properties", {}).items():
            known = found.setdefault(name, [])
            if len(known) > _MOST_COMPARED or value not in known:
                known.append(value)
    return {name: _any_of(values) for name, values in found.items()}


def _any_of(values: list[Any]) -> Any:  # noqa: ANN401
    if len(values) == 1:
        return values[0]
    consts = [_values(value) for value in values]
    if all(listed is not None for listed in consts):  # the discriminator of the branches
        return {"enum": distinct([item for listed in consts for item in listed or ()])}
    return {"anyOf": values}


def _values(schema: object) -> list[Any] | None:
    """The values of a schema that lists them, and has no other keyword but their type."""
    if not isinstance(schema, Mapping) or not schema.keys() <= {"const", "enum", "type"}:
        return None
    if "const" in schema:
        return [schema["const"]]
    listed = schema.get("enum")
    return listed if isinstance(listed, list) else None


def _common(flats: Sequence[Flat]) -> dict[str, None]:
    first, *others = (flat.required for flat in flats)
    return dict.fromkeys(name for name in first if all(name in other for other in others))
