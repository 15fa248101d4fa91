"""Rules about answers by a schema: `output_config.format`, and tools with `strict: true`."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.upstream.request import MessagesRequest
from gateway_claude_code.upstream.rules.blocks import all_blocks, field_of
from gateway_claude_code.upstream.rules.parameters.schema_subset import fault
from gateway_claude_code.upstream.rules.parameters.web_search import SEARCHES
from gateway_claude_code.upstream.rules.rule import Refusal, extra_input, invalid

PATH: Final = "output_config.format"
CONFIG_FIELDS: Final = frozenset({"effort", "format", "task_budget"})
MOST_STRICT_TOOLS: Final = 20


def config_fields(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """`output_config` and its format have no other fields than these."""
    config = request.body.get("output_config")
    if isinstance(config, Mapping):
        for name in sorted(config.keys() - CONFIG_FIELDS):
            return extra_input(f"output_config.{name}")
    if isinstance(_format(request), Mapping):
        for name in sorted(_format(request).keys() - {"type", "schema"}):
            return extra_input(f"{PATH}.{name}")
    return None


def supported(request: MessagesRequest, facts: ModelFacts) -> Refusal | None:
    """Some models do not support structured output."""
    if _format(request) is not None and not facts.output_format:
        return invalid(f"{PATH}: structured outputs are not supported on this model.")
    return None


def format_type(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A format is of the type "json_schema" and has its schema."""
    found = _format(request)
    if found is None:
        return None
    if field_of(found, "type") != "json_schema":
        return invalid(f"{PATH}.type: Input should be 'json_schema'")
    if not isinstance(field_of(found, "schema"), Mapping):
        return invalid(f"{PATH}.schema: Field required")
    return None


def schema_subset(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """Schemas of answers and strict tools are of the documented subset."""
    for path, schema in _strict_schemas(request):
        if (found := fault(schema)) is not None:
            return invalid(f"{path}: {found}")
    return None


def strict_tools(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A request has at most twenty strict tools."""
    strict = sum(tool.get("strict") is True for tool in request.tools)
    if strict > MOST_STRICT_TOOLS:
        return invalid(
            f"tools: Too many strict tools ({strict}). The maximum number of strict tools "
            f"supported is {MOST_STRICT_TOOLS}."
        )
    return None


def without_citations(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """Citations exclude structured output, as they need another form of text."""
    if _format(request) is None:
        return None
    for placed in all_blocks(request):
        if field_of(placed.block.get("citations"), "enabled"):
            return invalid(f"{PATH}: citations cannot be used with structured outputs.")
    # "Citations are always enabled for web search", says the page on the tool
    if any(tool.get("type") in SEARCHES for tool in request.tools):
        return invalid(f"{PATH}: citations cannot be used with structured outputs.")
    return None


def _format(request: MessagesRequest) -> Any:  # noqa: ANN401 - any JSON value
    return field_of(request.body.get("output_config"), "format")


def _strict_schemas(request: MessagesRequest) -> Iterator[tuple[str, Mapping[str, Any]]]:
    schema = field_of(_format(request), "schema")
    if isinstance(schema, Mapping):
        yield f"{PATH}.schema", schema
    for number, tool in enumerate(request.tools):
        schema = tool.get("input_schema")
        if tool.get("strict") is True and isinstance(schema, Mapping):
            yield f"tools.{number}.custom", schema
