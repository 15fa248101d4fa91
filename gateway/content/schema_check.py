"""Whether a schema from outside is valid, and whether a value meets it: within bounds.

A schema is a client's, and the value is a model's. Compiling and checking are jsonschema-rs's,
which fetches nothing here. It can't be interrupted, and holds the interpreter's lock meanwhile
(seen with 0.61). So a schema that may take long (`CheckedSchema.involved`) is checked in another
process, which is killed when its time is over.
"""

import contextlib
import re
import signal
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

import anyio
import anyio.to_process
import jsonschema_rs

from gateway.json_schema import (
    InvalidSchema,
    Schema,
    inner_schemas,
    map_schema,
    parts_of,
    references,
    references_of,
    resolve,
)

SECONDS: Final = 2.0
"""Of a processor's time, for one check in another process."""
LONGEST: Final = 10
"""A check ends after so many times its seconds by the clock, its process' start included, whatever the
machine does."""
TOO_INVOLVED: Final = "the schema is too complex to check"

SIMPLE_PARTS: Final = 1000
"""Schemas within a schema, each counted as often as it is used, that are checked at once:
about two milliseconds."""
MOST_PARTS: Final = 200_000
"""Of the same. Schemas of a few lines can double it with each reference."""
SIMPLE_CHARACTERS: Final = 100_000
"""Of an answer that is checked at once."""

_LONGEST_PROBLEM: Final = 300
_BACKTRACKING: Final = 100_000
"""Steps that a pattern with look-around may take for one string: about two milliseconds."""
_COSTLY_PATTERN: Final = re.compile(r"\(\?<?[=!]|\\[1-9kpP]|\{\d{2,}|,\d{2,}\}")
"""Look-around and back references, which backtrack, and large repetitions, which take long to
compile: 300 ms for `(?=x)\\w{1,5000}`."""

_TYPES: Final = "object, array, string, number, integer, boolean and null"

_DIALECTS: Final[Mapping[str, Any]] = {
    "json-schema.org/draft-04/schema": jsonschema_rs.Draft4Validator,
    "json-schema.org/draft-06/schema": jsonschema_rs.Draft6Validator,
    "json-schema.org/draft-07/schema": jsonschema_rs.Draft7Validator,
    "json-schema.org/draft/2019-09/schema": jsonschema_rs.Draft201909Validator,
    "json-schema.org/draft/2020-12/schema": jsonschema_rs.Draft202012Validator,
}

_NOT_CHECKED: Final = frozenset(
    # names of a schema and of another dialect: only the root's counts
    ("$schema", "$id", "id", "$anchor", "$dynamicAnchor", "$recursiveAnchor"),
)


class CheckedSchema:
    """A schema that is known to be valid. Its dialect is `$schema`'s, or else draft 2020-12.

    Raises `InvalidSchema`. `involved` schemas are not compiled here.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._dialect = _dialect(schema)
        try:
            self._checked = map_schema(schema, _checked_part)
        except RecursionError:
            raise InvalidSchema("it is nested too deeply") from None
        _check_schema(self._checked, self._dialect)
        for reference in references(self._checked):
            resolve(self._checked, reference)
        whole = _Size(self._checked)
        size = whole.of(self._checked)
        if size > MOST_PARTS:
            raise InvalidSchema(f"it has more than {MOST_PARTS} parts when references are followed")
        self.involved = whole.recursive or size > SIMPLE_PARTS or _has_costly_pattern(self._checked)
        self._validator = None if self.involved else compiled(self._checked, self._dialect)

    def __reduce__(self) -> tuple[Callable[..., "CheckedSchema"], tuple[Any, ...]]:
        """For another process: a validator can't be copied, and is made anew there."""
        return _copied, (self._checked, self._dialect, self.involved)

    def problem(self, value: Any) -> str | None:  # noqa: ANN401
        """The problem with `value`, in a line, or None. May take long if `involved`."""
        if self._validator is None:
            self._validator = compiled(self._checked, self._dialect)
        try:
            error = next(iter(self._validator.iter_errors(value)), None)
        except UnicodeEncodeError:  # half a pair of surrogates: valid in JSON, and no character
            error = next(iter(self._validator.iter_errors(_without_halves(value))), None)
        except ValueError:  # "Recursion limit reached"
            return TOO_INVOLVED
        return None if error is None else _located(error)

    def may_check_now(self, characters: int) -> bool:
        """Whether `problem` is a matter of milliseconds for a value of so many characters."""
        return not self.involved and characters <= SIMPLE_CHARACTERS

    async def check(self, value: Any, characters: int) -> str | None:  # noqa: ANN401
        """`problem`, within `SECONDS`. `characters` is the length of the value as JSON."""
        if self.may_check_now(characters):
            return self.problem(value)
        try:
            found: str | None = await in_another_process(self.problem, value, late=TOO_INVOLVED)
        except RecursionError:  # a value of a thousand levels can't be copied
            return TOO_INVOLVED
        return found


async def in_another_process(function: Callable[..., Any], *args: Any, late: Any) -> Any:  # noqa: ANN401
    """The function's result, or `late` if it takes more than `SECONDS`; it is killed then.

    The time is that in which it runs: on a machine with more work than cores a schema is as good as on
    an idle one, and a process that is killed for nothing has to be started again, which takes more.
    """
    with anyio.move_on_after(SECONDS * LONGEST):
        with contextlib.suppress(anyio.BrokenWorkerProcess):
            return await anyio.to_process.run_sync(
                _limited, SECONDS, function, *args, cancellable=True
            )
    return late


def _limited(seconds: float, function: Callable[..., Any], *args: Any) -> Any:  # noqa: ANN401
    """Run in a process that the system ends after so much of a processor's time (SIGPROF)."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        return function(*args)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _has_costly_pattern(schema: Mapping[str, Any]) -> bool:
    patterns = (text for part in parts_of(schema) for text in _patterns(part))
    return any(map(_COSTLY_PATTERN.search, patterns))


class _Size:
    """How many schemas one is made of when each reference is followed, but for recursion."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._known: dict[str, int] = {}
        self._open: set[str] = set()
        self.recursive = False

    def of(self, part: Mapping[str, Any]) -> int:
        size = 1 + sum(len(part[key]) // 10 for key in ("enum", "required") if key in part)
        size += sum(self.of(inner) for inner in inner_schemas(part, defined=False))
        return size + sum(self._referred(reference) for reference in references_of(part))

    def _referred(self, reference: str) -> int:
        if reference in self._open:
            self.recursive = True
            return 1
        if reference not in self._known:
            self._open.add(reference)
            target = resolve(self._root, reference)
            self._known[reference] = 1 if isinstance(target, bool) else self.of(target)
            self._open.discard(reference)
        return self._known[reference]


def compiled(schema: Schema, dialect: str) -> Any:  # noqa: ANN401
    """A validator. Patterns that it does not know are left out. Raises `InvalidSchema`."""
    validator = _DIALECTS[dialect]
    options = jsonschema_rs.FancyRegexOptions(backtrack_limit=_BACKTRACKING)

    def made(schema: Schema) -> Any:  # noqa: ANN401
        return validator(schema, validate_formats=False, offline=True, pattern_options=options)

    def compiles(pattern: str) -> bool:
        try:
            made({"pattern": pattern})
        except jsonschema_rs.ValidationError:
            return False
        return True

    try:
        return made(schema)
    except jsonschema_rs.ValidationError:
        pass  # of a pattern: everything else has been checked
    patterns = {text for part in parts_of(schema) for text in _patterns(part)}
    unknown = {pattern for pattern in patterns if not compiles(pattern)}
    try:
        return made(map_schema(schema, lambda part: _without_patterns(part, unknown)))
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise InvalidSchema(_one_line(str(error).partition("\n")[0])) from None


def _copied(checked: Schema, dialect: str, involved: bool) -> CheckedSchema:  # noqa: FBT001 - of pickle
    copy = CheckedSchema.__new__(CheckedSchema)
    copy._checked, copy._dialect, copy.involved = checked, dialect, involved  # noqa: SLF001
    copy._validator = None  # noqa: SLF001
    return copy


def _dialect(schema: Mapping[str, Any]) -> str:
    named = schema.get("$schema", "")
    try:
        parts = urlsplit(named)
        name = f"{parts.netloc}{parts.path}"
    except (ValueError, TypeError, AttributeError):
        raise InvalidSchema(f"its $schema is {named!r}, which is not a URL") from None
    return name if name in _DIALECTS else "json-schema.org/draft/2020-12/schema"


def _check_schema(schema: Schema, dialect: str) -> None:
    """Hold it against the dialect's schema of schemas. Raises `InvalidSchema`."""
    try:
        error = next(iter(_schema_of_schemas(dialect).iter_errors(schema)), None)
    except UnicodeEncodeError:
        raise InvalidSchema("it contains a lone surrogate") from None
    except ValueError:  # "Recursion limit reached"
        raise InvalidSchema("it is nested too deeply") from None
    if error is not None:
        raise InvalidSchema(_located(error))


@cache
def _schema_of_schemas(dialect: str) -> Any:  # noqa: ANN401
    suffix = "" if "/draft/" in dialect else "#"
    scheme = "https" if "/draft/" in dialect else "http"
    whole = {"$ref": f"{scheme}://{dialect}{suffix}"}
    return _DIALECTS[dialect](whole, validate_formats=False, offline=True)


def _checked_part(part: Schema) -> Schema:
    checked = {key: value for key, value in part.items() if key not in _NOT_CHECKED}
    if part.get("nullable") is True and isinstance(kind := part.get("type"), str):
        checked["type"] = [kind, "null"] if kind != "null" else kind  # as OpenAPI 3.0 has it
    return checked


def _patterns(part: Mapping[str, Any]) -> list[str]:
    own = part.get("pattern")
    names = part.get("patternProperties")
    found = [own] if isinstance(own, str) else []
    return [*found, *names] if isinstance(names, Mapping) else found


def _without_patterns(part: Schema, unknown: set[str]) -> Schema:
    if part.get("pattern") in unknown:
        part = {key: value for key, value in part.items() if key != "pattern"}
    by_pattern = part.get("patternProperties")
    if not isinstance(by_pattern, Mapping) or not unknown & by_pattern.keys():
        return part
    known = {name: value for name, value in by_pattern.items() if name not in unknown}
    # which properties are additional can't be told any more
    left_out = {"additionalProperties", "unevaluatedProperties"}
    kept = {key: value for key, value in part.items() if key not in left_out}
    return {**kept, "patternProperties": known}


def _without_halves(value: Any) -> Any:  # noqa: ANN401
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case dict():
            return {_without_halves(key): _without_halves(item) for key, item in value.items()}
        case list():
            return [_without_halves(item) for item in value]
    return value


def _located(error: jsonschema_rs.ValidationError) -> str:
    steps = error.instance_path
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    message = error.message
    if steps[-1:] == ["type"] and error.kind.name == "anyOf":  # of the schema of schemas
        message = f"{message.partition(' is not valid')[0]} is not a type; the types are {_TYPES}"
    message = _one_line(message)
    return f"{place.removeprefix('.')}: {message}" if place else message


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_PROBLEM else f"{line[:_LONGEST_PROBLEM]}…"
