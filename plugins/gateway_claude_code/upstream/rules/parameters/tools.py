"""Rules about the offered tools, and about the choice among them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import jsonschema_rs

from gateway.json_schema import InvalidSchema, parts_of, resolve
from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.upstream.request import JsonObject, MessagesRequest
from gateway_claude_code.upstream.rules.blocks import thinks
from gateway_claude_code.upstream.rules.rule import Refusal, invalid

NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,128}")
PROPERTY: Final = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
_OF_DRAFT_2020_12: Final = jsonschema_rs.Draft202012Validator(
    {"$ref": "https://json-schema.org/draft/2020-12/schema"}, validate_formats=False, offline=True
)
FORCED: Final = ("any", "tool")


def names(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A name has letters, digits, `_` and `-` only, and at most 128 of them."""
    for path, tool in _custom(request):
        if not NAME.fullmatch(str(tool.get("name", ""))):
            return invalid(f"{path}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
    return None


def unique_names(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """No two tools have the same name."""
    found = [str(tool.get("name")) for tool in request.tools]
    if len(set(found)) < len(found):
        return invalid("tools: Tool names must be unique.")
    return None


def schema_is_object(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """The schema of a tool describes an object."""
    for path, tool in _custom(request):
        schema = tool.get("input_schema")
        if not isinstance(schema, Mapping):
            return invalid(f"{path}.input_schema: Field required")
        if "type" not in schema:
            return invalid(f"{path}.input_schema.type: Field required")
        if schema["type"] != "object":
            return invalid(f"{path}.input_schema.type: Input should be 'object'")
    return None


def schema_is_valid(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """The schema is one of JSON Schema draft 2020-12."""
    for path, schema in _schemas(request):
        if not _OF_DRAFT_2020_12.is_valid(schema):
            return invalid(
                f"{path}: JSON schema is invalid. It must match JSON Schema draft 2020-12 "
                "(https://json-schema.org/draft/2020-12). Learn more about tool use at "
                "https://docs.claude.com/en/docs/tool-use."
            )
    return None


def references_lead(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A reference has its target within the schema."""
    for path, schema in _schemas(request):
        anchors = {f"#{part.get('$anchor')}" for part in parts_of(schema)}
        for part in parts_of(schema):
            reference = str(part.get("$ref", "#"))
            if reference not in anchors and not _leads(schema, reference):
                return invalid(
                    f"{path}: Invalid $ref in schema: '{reference}' does not exist. Ensure all $ref "
                    "targets are defined in the schema's definitions or $defs.. Learn more about "
                    "tool use at https://docs.claude.com/en/docs/tool-use."
                )
    return None


def _leads(schema: Mapping[str, Any], reference: str) -> bool:
    try:
        resolve(schema, reference)
    except InvalidSchema:
        return False
    return True


def no_composition(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A schema has no oneOf, allOf or anyOf at its top."""
    for path, schema in _schemas(request):
        if schema.keys() & {"oneOf", "allOf", "anyOf"}:
            return invalid(
                f"{path}: input_schema does not support oneOf, allOf, or anyOf at the top level"
            )
    return None


def property_names(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """Top-level arguments have names of a restricted form."""
    for path, schema in _schemas(request):
        properties = schema.get("properties")
        keys = properties if isinstance(properties, Mapping) else ()
        if not all(PROPERTY.fullmatch(key) for key in keys):
            return invalid(
                f"{path}.properties: Property keys should match pattern '^[a-zA-Z0-9_.-]{{1,64}}$'"
            )
    return None


def choice_needs_tools(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A choice needs tools."""
    if request.body.get("tool_choice") is not None and not request.tools:
        return invalid("tool_choice: may only be specified while providing `tools`.")
    return None


def choice_exists(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A chosen tool is among the offered ones."""
    name = request.tool_choice.get("name")
    offered = {tool.get("name") for tool in request.tools}
    if request.tools and request.tool_choice.get("type") == "tool" and name not in offered:
        return invalid(f"tool_choice.name: Tool '{name}' not found in provided tools")
    return None


def forced_choice(request: MessagesRequest, facts: ModelFacts) -> Refusal | None:
    """Some models do not accept a forced call."""
    if request.tool_choice.get("type") in FORCED and not facts.forced_tool_choice:
        return invalid('tool_choice: type "tool" and "any" are not supported for this model.')
    return None


def forced_while_thinking(request: MessagesRequest, facts: ModelFacts) -> Refusal | None:
    """Models up to 4.x do not think before a forced call."""
    forced = request.tool_choice.get("type") in FORCED and facts.forced_tool_choice
    if forced and thinks(request) and not facts.forced_while_thinking:
        return invalid("Thinking may not be enabled when tool_choice forces tool use.")
    return None


def _custom(request: MessagesRequest) -> Iterator[tuple[str, JsonObject]]:
    """The client's own tools with their paths; the API's have a `type` and no schema."""
    for number, tool in enumerate(request.tools):
        if tool.get("type", "custom") == "custom":
            yield f"tools.{number}.custom", tool


def _schemas(request: MessagesRequest) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path, tool in _custom(request):
        if isinstance(schema := tool.get("input_schema"), Mapping):
            yield f"{path}.input_schema", schema
