"""JSON Schemas that come from outside: whether they are valid, and whether a value meets one.

A schema is a client's, and what it is held against is a model's. So a check fetches nothing, and
ends within `SECONDS`, whatever patterns and references there are.
"""

import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Final, TypeAlias
from urllib.parse import unquote, urlsplit

import jsonschema
import regex
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend, validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

from gateway.metaschema import first_problem

Schema: TypeAlias = dict[str, Any]

SECONDS: Final = 0.5
"""For one check. What takes longer was made to take long."""
_LONGEST_PROBLEM: Final = 300
_MOST_SHOWN: Final = 50

# keywords of which the value is a schema, a list of schemas, or a mapping of schemas
_ONE: Final = frozenset(
    ("items", "additionalItems", "additionalProperties", "propertyNames", "contains", "not", "if",
     "then", "else", "unevaluatedItems", "unevaluatedProperties", "contentSchema"),
)  # fmt: skip
_LIST: Final = frozenset(("anyOf", "oneOf", "allOf", "prefixItems", "items"))
_MAPPING: Final = frozenset(
    ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies")
)

_NOT_CHECKED: Final = frozenset(
    # what names a schema or another dialect: only the root's counts
    ("$schema", "$id", "id", "$anchor", "$dynamicAnchor", "$recursiveAnchor"),
)

_REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")

_deadline: ContextVar[float] = ContextVar("deadline")


class InvalidSchema(ValueError):
    """Not a JSON Schema, or one that refers to what is not there. The text says what and where."""


class CheckedSchema:
    """A schema that is known to be valid. Its dialect is `$schema`'s, or else draft 2020-12.

    Raises `InvalidSchema`.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        dialect = _dialect(schema)
        try:
            checked = map_schema(schema, _checked_part)
            error = first_problem(checked, dialect)
        except RecursionError:
            raise InvalidSchema("it is nested too deeply") from None
        if error is not None:
            raise InvalidSchema(_located(error))
        for reference in references(checked):
            resolve(checked, reference)
        self._validator: Validator = _bounded(dialect)(checked, registry=Registry())

    def problem(self, value: Any) -> str | None:  # noqa: ANN401
        """What is wrong with `value`, in a line, or None."""
        token = _deadline.set(time.monotonic() + SECONDS)
        try:
            error = next(iter(self._validator.iter_errors(value)), None)
        except (RecursionError, TimeoutError):
            return "the schema is too involved to be checked"
        except Unresolvable as error:  # in what only some dialect takes for a schema
            return f"the schema refers to {error.ref!r}, which is not there"
        except OverflowError:
            return "it has a number that is too large"
        finally:
            _deadline.reset(token)
        return None if error is None else _located(error)


def map_schema(schema: Mapping[str, Any], change: Callable[[Schema], Schema]) -> Schema:
    """A copy in which `change` was applied to every schema within the schema, inner ones first."""

    def inner(value: Any) -> Any:  # noqa: ANN401
        return map_schema(value, change) if isinstance(value, Mapping) else value

    copy: Schema = {}
    for key, value in schema.items():
        if key in _MAPPING and isinstance(value, Mapping):
            copy[key] = {name: inner(item) for name, item in value.items()}
        elif key in _LIST and isinstance(value, list):
            copy[key] = [inner(item) for item in value]
        else:
            copy[key] = inner(value) if key in _ONE else value
    return change(copy)


def distinct(values: Sequence[Any]) -> list[Any]:
    """The JSON values without repetitions, in their order; in linear time."""
    found: dict[Hashable, Any] = {}
    for value in values:
        found.setdefault(value_key(value), value)
    return list(found.values())


def value_key(value: Any) -> Hashable:  # noqa: ANN401
    """Equal for equal JSON values: 1 and 1.0 are equal, true and 1 are not."""
    match value:
        case bool():
            return ("boolean", value)
        case dict():
            return frozenset((name, value_key(item)) for name, item in value.items())
        case list():
            return tuple(value_key(item) for item in value)
        case _:
            key: Hashable = value
            return key


def references(schema: Mapping[str, Any]) -> list[str]:
    """Every `$ref` in the schema, and what dialects have that is like it."""
    found: list[str] = []

    def note(part: Schema) -> Schema:
        given = (part.get(keyword) for keyword in _REFERENCES)
        found.extend(reference for reference in given if isinstance(reference, str))
        return part

    map_schema(schema, note)
    return found


def resolve(schema: Mapping[str, Any], reference: str) -> Any:  # noqa: ANN401
    """The schema that `#/a/pointer` leads to (RFC 6901). Raises `InvalidSchema`."""
    if not reference.startswith("#"):
        raise InvalidSchema(f"it refers to {reference!r}, which is not within it")
    if reference[1:2] not in ("", "/"):
        raise InvalidSchema(f"it refers to {reference!r}, which is not a JSON pointer")
    found: Any = schema
    try:
        for step in _steps(reference):
            found = found[int(step)] if isinstance(found, list) else found[step]
    except (LookupError, ValueError, TypeError):
        raise InvalidSchema(f"it refers to {reference!r}, which is not there") from None
    if not isinstance(found, Mapping | bool):
        raise InvalidSchema(f"it refers to {reference!r}, which is not a schema")
    return found


def _dialect(schema: Mapping[str, Any]) -> Any:  # noqa: ANN401
    named = schema.get("$schema", "")
    try:
        urlsplit(named)
        return validator_for(schema, default=jsonschema.Draft202012Validator)
    except (ValueError, TypeError, AttributeError):
        raise InvalidSchema(f"its $schema is {named!r}, which is not a URL") from None


def _steps(reference: str) -> Iterator[str]:
    for step in unquote(reference).split("/")[1:]:
        yield step.replace("~1", "/").replace("~0", "~")


def _checked_part(part: Schema) -> Schema:
    left_out = set(_NOT_CHECKED)
    if "patternProperties" in part:
        # the library would search for these patterns without a limit of time
        left_out |= {"patternProperties", "additionalProperties", "unevaluatedProperties"}
    checked = {key: value for key, value in part.items() if key not in left_out}
    if part.get("nullable") is True and isinstance(kind := part.get("type"), str):
        checked["type"] = [kind, "null"] if kind != "null" else kind  # as OpenAPI 3.0 has it
    return checked


def _bounded(dialect: Any) -> Any:  # noqa: ANN401
    """The dialect with checks that end in time.

    References and patterns have a deadline. The library compares each of an enum's values, and
    each two of a list's items.
    """
    keywords = dialect.VALIDATORS
    bounded: dict[str, Any] = {"pattern": _pattern, "uniqueItems": _unique_items}
    if "enum" in keywords:
        bounded["enum"] = _Enums().check
    for reference in _REFERENCES:
        if reference in keywords:
            bounded[reference] = _within_deadline(keywords[reference])
    return extend(dialect, bounded)  # type: ignore[no-untyped-call]


class _Enums:
    """The check of `enum`, with a set of the values for each of the schema's enums."""

    def __init__(self) -> None:
        self._keys: dict[int, frozenset[Hashable]] = {}

    def check(
        self, _: Validator, enum: list[Any], value: object, __: Schema
    ) -> Iterator[ValidationError]:
        # the schema keeps its lists, so that an identity stays the same list's
        keys = self._keys.get(id(enum))
        if keys is None:
            keys = self._keys[id(enum)] = frozenset(map(value_key, enum))
        if value_key(value) not in keys:
            some = (
                f"one of the {len(enum)} values" if len(enum) > _MOST_SHOWN else f"one of {enum!r}"
            )
            yield ValidationError(f"{value!r} is not {some}")


def _unique_items(
    _: Validator, unique: object, value: object, __: Schema
) -> Iterator[ValidationError]:
    if unique and isinstance(value, list) and len(distinct(value)) < len(value):
        yield ValidationError(f"{value!r} has non-unique elements")


def _within_deadline(check: Callable[..., Any]) -> Callable[..., Any]:
    def bounded(*args: Any) -> Any:  # noqa: ANN401
        if time.monotonic() > _deadline.get():
            raise TimeoutError
        return check(*args)

    return bounded


def _pattern(_: Validator, pattern: str, value: object, __: Schema) -> Iterator[ValidationError]:
    if not isinstance(value, str):
        return
    seconds = max(_deadline.get() - time.monotonic(), 0.001)
    try:
        matches = regex.search(pattern, value, timeout=seconds) is not None
    except regex.error:
        return  # of a dialect that we don't have
    if not matches:
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _located(error: SchemaError | ValidationError) -> str:
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.path)
    message = " ".join(error.message.split())
    if len(message) > _LONGEST_PROBLEM:
        message = f"{message[:_LONGEST_PROBLEM]}…"
    return f"{place.removeprefix('.')}: {message}" if place else message
