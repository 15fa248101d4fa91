"""From the wire's tools, and the choice among them, to the hub's.

The older `functions` and `function_call` are tools of which at most one is called an answer.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from gateway.errors import InvalidRequest, UnsupportedParameter
from gateway.types import Tool, ToolChoice
from gateway_openai import wire

_NAME: Final = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
"""OpenAI's pattern, and the dot that some clients use as well."""


def decode_tools(request: wire.ChatCompletionRequest) -> tuple[Tool, ...]:
    """The tools on offer. Raises `InvalidRequest` with `param` leading to the place."""
    if request.tools and request.functions:
        raise InvalidRequest("Send 'tools' or 'functions', not both.", param="functions")
    tools: dict[str, Tool] = {}
    for param, definition in _definitions(request):
        if not _NAME.fullmatch(definition.name):
            raise InvalidRequest(
                f"{definition.name!r} is not a valid function name: it must be 1 to 64 letters, "
                "digits, underscores, dashes or dots.",
                param=f"{param}.name",
            )
        if definition.name in tools:
            raise InvalidRequest(
                f"Two functions have the name {definition.name!r}.", param=f"{param}.name"
            )
        tools[definition.name] = _tool(definition, param)
    return tuple(tools.values())


def decode_tool_choice(request: wire.ChatCompletionRequest, tools: tuple[Tool, ...]) -> ToolChoice:
    """What the model may or must call. Raises `InvalidRequest` for a tool that is not on offer."""
    if request.functions:
        if request.tool_choice not in (None, "auto"):
            raise InvalidRequest("'tool_choice' needs 'tools'.", param="tool_choice")
        return _legacy_choice(request.function_call, tools)
    if request.function_call not in (None, "auto") and (tools or request.function_call != "none"):
        raise InvalidRequest("'function_call' needs 'functions'.", param="function_call")
    parallel = request.parallel_tool_calls is not False
    choice = request.tool_choice
    offered = {tool.name for tool in tools}
    if choice is None:
        return ToolChoice(parallel=parallel)
    if not tools and choice not in ("none", "auto"):
        raise InvalidRequest("'tool_choice' needs 'tools'.", param="tool_choice")
    if isinstance(choice, str):
        return ToolChoice(mode=choice, parallel=parallel)
    if choice.type == "function" and choice.function is not None:
        name = _offered(choice.function.name, offered, "tool_choice.function.name")
        return ToolChoice(mode="required", names=(name,), parallel=parallel)
    if choice.type == "allowed_tools" and choice.allowed_tools is not None:
        allowed = choice.allowed_tools
        place = "tool_choice.allowed_tools.tools[{}].function.name"
        names = (
            _offered(reference.function.name, offered, place.format(index))
            for index, reference in enumerate(allowed.tools)
        )
        return ToolChoice(mode=allowed.mode, names=tuple(names), parallel=parallel)
    if choice.type in ("function", "allowed_tools"):
        place = f"tool_choice.{choice.type}"
        raise InvalidRequest(f"Missing required parameter: {place!r}.", param=place)
    raise UnsupportedParameter(
        f"A tool choice of the type {choice.type!r} is not supported.", param="tool_choice.type"
    )


def check_schema(schema: Mapping[str, Any], param: str) -> None:
    """Raise `InvalidRequest` for a number that JSON can't write again, such as 1e999."""
    try:
        json.dumps(schema, allow_nan=False)
    except ValueError:
        raise InvalidRequest(f"{param!r} has a number that is too large.", param=param) from None


def _definitions(
    request: wire.ChatCompletionRequest,
) -> Iterator[tuple[str, wire.FunctionDefinition]]:
    for index, function in enumerate(request.functions or ()):
        yield f"functions[{index}]", function
    for index, tool in enumerate(request.tools or ()):
        param = f"tools[{index}]"
        if tool.type != "function":
            raise UnsupportedParameter(
                f"Tools of the type {tool.type!r} are not supported, only 'function'.",
                param=f"{param}.type",
            )
        if tool.function is None:
            raise InvalidRequest(
                f"Missing required parameter: '{param}.function'.", param=f"{param}.function"
            )
        yield f"{param}.function", tool.function


def _tool(definition: wire.FunctionDefinition, param: str) -> Tool:
    return Tool(
        name=definition.name,
        description=definition.description or "",
        schema=_parameters(definition.parameters, f"{param}.parameters"),
        strict=definition.strict,
    )


def _parameters(schema: dict[str, Any] | None, param: str) -> Mapping[str, Any]:
    if not schema:
        return {"type": "object", "properties": {}}
    check_schema(schema, param)
    kind = schema.get("type")
    if kind == "object":
        return schema
    # Generators leave the type out, or allow null as well; the arguments are an object anyhow.
    if kind is None or (isinstance(kind, list) and "object" in kind):
        return {**schema, "type": "object"}
    raise InvalidRequest(
        f"{param!r} has to be the JSON Schema of an object, not of {kind!r}.", param=param
    )


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
