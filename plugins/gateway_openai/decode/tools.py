"""From the wire's tools, and the choice among them, to the hub's.

The older `functions` and `function_call` are tools of which at most one is called an answer. Tools
and choices without an object around them, as in the Responses API and in Anthropic's Messages API,
mean the same; Cursor sends them on this route.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from gateway.errors import InvalidRequest, UnsupportedParameter
from gateway.frontend import function_tool
from gateway.types import Tool, ToolChoice
from gateway_openai.wire import chat as wire


@dataclass(frozen=True, slots=True, kw_only=True)
class _Definition:
    """A function, the place that describes it, and the name of the field with its schema."""

    place: str
    name: str
    description: str | None
    schema_field: str
    schema: dict[str, Any] | None
    strict: bool | None


def decode_tools(request: wire.ChatCompletionRequest) -> tuple[Tool, ...]:
    """The tools on offer. Raises `InvalidRequest` with `param` leading to the place."""
    if request.tools and request.functions:
        raise InvalidRequest("Send 'tools' or 'functions', not both.", param="functions")
    tools: dict[str, Tool] = {}
    for definition in _definitions(request):
        tool = function_tool(
            definition.name,
            definition.description,
            definition.schema,
            definition.strict,
            place=definition.place,
            schema_field=definition.schema_field,
        )
        if tool.name in tools:
            raise InvalidRequest(
                f"Duplicate function name {tool.name!r}.", param=f"{definition.place}.name"
            )
        tools[tool.name] = tool
    return tuple(tools.values())


def decode_tool_choice(request: wire.ChatCompletionRequest, tools: tuple[Tool, ...]) -> ToolChoice:
    """What the model may or must call. Raises `InvalidRequest` for a tool that is not on offer."""
    if request.functions:
        if request.tool_choice not in (None, "auto"):
            raise InvalidRequest("'tool_choice' requires 'tools'.", param="tool_choice")
        return _legacy_choice(request.function_call, tools)
    if request.function_call not in (None, "auto") and (tools or request.function_call != "none"):
        raise InvalidRequest("'function_call' requires 'functions'.", param="function_call")
    parallel = request.parallel_tool_calls is not False
    choice = request.tool_choice
    offered = {tool.name for tool in tools}
    if choice is None:
        return ToolChoice(parallel=parallel)
    asked = choice if isinstance(choice, str) else choice.type
    if not tools and asked not in ("none", "auto"):
        raise InvalidRequest("'tool_choice' requires 'tools'.", param="tool_choice")
    if isinstance(choice, str):
        return ToolChoice(mode="required" if choice == "any" else choice, parallel=parallel)
    return _chosen(choice, offered, parallel=parallel and not choice.disable_parallel_tool_use)


def _chosen(
    choice: wire.ToolChoiceObject, offered: Collection[str], *, parallel: bool
) -> ToolChoice:
    match choice.type:
        case "none" | "auto":
            return ToolChoice(mode=choice.type, parallel=parallel)
        case "any" | "required":
            return ToolChoice(mode="required", parallel=parallel)
        case "function" | "tool":
            name = _named(choice, "tool_choice", offered)
            return ToolChoice(mode="required", names=(name,), parallel=parallel)
        case "allowed_tools":
            return _allowed(choice, offered, parallel=parallel)
        case other:
            raise UnsupportedParameter(
                f"A tool choice of the type {other!r} is not supported.", param="tool_choice.type"
            )


def _allowed(
    choice: wire.ToolChoiceObject, offered: Collection[str], *, parallel: bool
) -> ToolChoice:
    allowed, place = choice.allowed_tools, "tool_choice.allowed_tools"
    if allowed is not None:
        mode, references = allowed.mode, allowed.tools
    elif choice.mode is not None and choice.tools is not None:
        mode, references, place = choice.mode, choice.tools, "tool_choice"
    else:
        raise _missing(place)
    names = (
        _named(reference, f"{place}.tools[{index}]", offered)
        for index, reference in enumerate(references)
    )
    return ToolChoice(mode=mode, names=tuple(names), parallel=parallel)


def _named(
    chosen: wire.ToolChoiceObject | wire.ToolReference, place: str, offered: Collection[str]
) -> str:
    """The tool that is named by `function`, or by `name` alone."""
    if chosen.function is not None:
        return _offered(chosen.function.name, offered, f"{place}.function.name")
    if chosen.name is not None:
        return _offered(chosen.name, offered, f"{place}.name")
    raise _missing(f"{place}.name" if chosen.type == "tool" else f"{place}.function")


def _definitions(request: wire.ChatCompletionRequest) -> Iterator[_Definition]:
    for index, function in enumerate(request.functions or ()):
        yield _function(function, f"functions[{index}]")
    for index, tool in enumerate(request.tools or ()):
        place = f"tools[{index}]"
        as_anthropic = tool.input_schema is not None and tool.type == "custom"
        if tool.type not in (None, "function") and not as_anthropic:
            raise UnsupportedParameter(
                f"Tools of the type {tool.type!r} are not supported, only 'function'.",
                param=f"{place}.type",
            )
        if tool.function is not None:
            yield _function(tool.function, f"{place}.function")
        elif tool.name is not None:
            anthropic = tool.parameters is None and tool.input_schema is not None
            yield _Definition(
                place=place,
                name=tool.name,
                description=tool.description,
                schema_field="input_schema" if anthropic else "parameters",
                schema=tool.input_schema if anthropic else tool.parameters,
                strict=tool.strict,
            )
        else:
            raise _missing(f"{place}.function")


def _function(function: wire.FunctionDefinition, place: str) -> _Definition:
    return _Definition(
        place=place,
        name=function.name,
        description=function.description,
        schema_field="parameters",
        schema=function.parameters,
        strict=function.strict,
    )


def _missing(place: str) -> InvalidRequest:
    return InvalidRequest(f"Missing required parameter: {place!r}.", param=place)


def _legacy_choice(choice: wire.FunctionCallChoice | None, tools: tuple[Tool, ...]) -> ToolChoice:
    match choice:
        case wire.FunctionName():
            name = _offered(choice.name, {tool.name for tool in tools}, "function_call.name")
            return ToolChoice(mode="required", names=(name,), parallel=False)
        case "none":
            return ToolChoice(mode="none", parallel=False)
        case _:
            return ToolChoice(parallel=False)


def _offered(name: str, offered: Collection[str], param: str) -> str:
    if name in offered:
        return name
    raise InvalidRequest(f"The tool {name!r} is not in this request.", param=param)
