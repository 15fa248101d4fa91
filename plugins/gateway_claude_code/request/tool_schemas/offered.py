"""A client's tool as it is offered to the model, and its arguments back under the client's names.

The API refuses, and the CLI (2.1.330) then silently omits, a tool with a schema that is not valid in
draft 2020-12, with oneOf, anyOf or allOf at its top, with references that lead nowhere, or with
top-level properties whose names are not of a restricted form. Other tools are offered unchanged.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import jsonschema_rs

from gateway.errors import InvalidRequest
from gateway.json_schema import InvalidSchema, Schema, parts_of, resolve
from gateway.types import Tool
from gateway_claude_code.request.tool_schemas.composition import (
    COMPOSITIONS,
    Flat,
    flattened,
    in_words,
)
from gateway_claude_code.request.tool_schemas.references import References
from gateway_claude_code.request.tool_schemas.renaming import renamed
from gateway_claude_code.request.tool_schemas.repair import FOREIGN, repaired
from gateway_claude_code.request.tools.property_names import is_taken, names_to_send

# the API's words: "JSON schema is invalid. It must match JSON Schema draft 2020-12"; the rule is on
# platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools
_OF_DRAFT_2020_12: Final = jsonschema_rs.Draft202012Validator(
    {"$ref": "https://json-schema.org/draft/2020-12/schema"}, validate_formats=False, offline=True
)
_MERGED_AT_TOP: Final = frozenset((*COMPOSITIONS, "$ref"))
_MOST_IN_WORDS: Final = 1_000_000
"""Characters of definitions that are written out because names in them change."""
_LONGEST_KEPT: Final = 16_000
"""Characters of a schema whose repair is cached: clients send the same ones again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedTool:
    """`tool` is offered to the model; `names` are the client's names of its arguments, by the
    model's, where these differ."""

    tool: Tool
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Usable:
    schema: Schema
    words: str
    names: Mapping[str, str]


def offered(tool: Tool) -> OfferedTool:
    """The tool with a schema that the API accepts. Raises `InvalidRequest` if that is too much work."""
    if _is_fine(tool.schema):
        return OfferedTool(tool=tool, names={})
    text = json.dumps(tool.schema)
    try:
        usable = _known(text) if len(text) <= _LONGEST_KEPT else _usable(tool.schema)
    except InvalidSchema as error:
        raise InvalidRequest(
            f"The schema of the tool {tool.name!r} can't be offered to the model: {error}. "
            "Simplify it.",
            param=tool.place,
        ) from None
    description = "\n\n".join(filter(None, (tool.description, usable.words)))
    changed = replace(tool, description=description, schema=usable.schema)
    return OfferedTool(tool=changed, names=usable.names)


def _is_fine(schema: Mapping[str, Any]) -> bool:
    return (
        _OF_DRAFT_2020_12.is_valid(schema)
        and schema.get("type") == "object"
        and not schema.keys() & _MERGED_AT_TOP
        and all(map(is_taken, schema.get("properties", ())))
        and all(FOREIGN.isdisjoint(part) and _leads(part, schema) for part in parts_of(schema))
    )


def _leads(part: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    """Whether a part has no reference, or one with a target."""
    reference = part.get("$ref")
    try:
        return reference is None or resolve(schema, reference) is not None
    except InvalidSchema:
        return False


@lru_cache(maxsize=256)
def _known(text: str) -> _Usable:
    return _usable(json.loads(text))


def _usable(given: Mapping[str, Any]) -> _Usable:
    root = repaired(given)
    References(root, given, moved=False).mend()
    flat = flattened(root) if root.keys() & _MERGED_AT_TOP else Flat(root)
    schema, unsaid = flat.schema, flat.unsaid
    if schema.get("type") != "object":
        # the API requires the type, even beside properties (`upstream.rules`: tools.schema_object)
        schema = {"type": "object", **{key: schema[key] for key in schema if key != "type"}}
    sent = names_to_send(schema.get("properties", ()))
    if sent:
        schema = renamed(schema, sent)
        unsaid = [renamed(part, sent) for part in _with_targets(unsaid, root)]
    if sent or flat.schema is not root:
        References(schema, root, moved=True).mend()
    return _Usable(schema, in_words(unsaid), {name: own for own, name in sent.items()})


def _with_targets(unsaid: Sequence[Schema], root: Schema) -> list[Schema]:
    """Compositions with the targets of branches that are mere references, so that names in them can
    be changed. Raises `InvalidSchema` if that is too much."""
    left = _MOST_IN_WORDS

    def target(branch: Any) -> Any:  # noqa: ANN401
        nonlocal left
        if not isinstance(branch, Mapping) or branch.keys() != {"$ref"}:
            return branch
        try:
            found = resolve(root, branch["$ref"])
        except InvalidSchema:
            return branch
        left -= len(json.dumps(found))
        if left < 0:
            raise InvalidSchema("its oneOf, anyOf and allOf are too complex")
        return found

    return [
        {keyword: [target(branch) for branch in branches] for keyword, branches in part.items()}
        for part in unsaid
    ]
