"""From items about calls to the hub's calls and results."""

import json

from gateway.errors import InvalidRequest
from gateway.types import Text, ToolCall, ToolResult
from gateway_openai_responses.decode.content import decode_content
from gateway_openai_responses.tool_kinds import TOOL_SEARCH, custom_arguments, tool_name
from gateway_openai_responses.wire import items as wire


def called(item: wire.Item, param: str) -> ToolCall | None:
    """The call that an item is, if it is one. Raises `InvalidRequest` for an empty id or name."""
    match item:
        case wire.FunctionCallItem():
            name, arguments = tool_name(item.name, item.namespace), item.arguments
        case wire.CustomCallItem():
            name, arguments = tool_name(item.name, item.namespace), custom_arguments(item.input)
        case wire.LocalShellCallItem():
            unset = {"type"} if item.action.env else {"type", "env"}
            given = item.action.model_dump(exclude_none=True, exclude=unset)
            name, arguments = "local_shell", _dumped(given)
        case wire.ShellCallItem():
            name, arguments = "shell", _dumped(item.action.model_dump(exclude_none=True))
        case wire.PatchCallItem():
            operation = item.operation.model_dump(exclude_none=True)
            name, arguments = "apply_patch", _dumped({"operation": operation})
        case wire.ToolSearchCallItem():
            name, arguments = TOOL_SEARCH, _dumped(item.arguments or {})
        case _:
            return None
    if not name:
        raise InvalidRequest(f"'{param}.name' is empty.", param=f"{param}.name")
    return ToolCall(id=_call_id(item.call_id or item.id, param), name=name, arguments=arguments)


def result_of(item: wire.Item, param: str) -> ToolResult:
    """The result that an item is. Raises `InvalidRequest`."""
    match item:
        case wire.OutputItem():
            parts = decode_content(item.content, f"{param}.output")
            failed = item.failed
        case wire.LocalShellOutputItem():
            parts, failed = _text(item.output), False
        case wire.ShellOutputItem():
            parts, failed = _text(_shell_text(item)), False
        case wire.PatchOutputItem():
            failed = item.status == "failed"
            parts = _text(item.output or ("The patch failed." if failed else "Done."))
        case wire.ToolSearchOutputItem():
            parts, failed = _text(_found(item)), False
        case _:
            raise TypeError(f"{item.type} is not an output")  # all others are handled before
    return ToolResult(
        call_id=_call_id(item.call_id or item.id, param), parts=parts, is_error=failed
    )


def _call_id(call_id: str | None, param: str) -> str:
    if not call_id:
        raise InvalidRequest(
            f"Missing required parameter: '{param}.call_id'.", param=f"{param}.call_id"
        )
    return call_id


def _text(text: str) -> tuple[Text, ...]:
    return (Text(text=text),) if text else ()


def _shell_text(item: wire.ShellOutputItem) -> str:
    """All that a shell gave back, in the words of its own fields."""
    return _dumped([output.model_dump(exclude_none=True) for output in item.output])


def _found(item: wire.ToolSearchOutputItem) -> str:
    """What the model is told of the tools that it now has."""
    names = [
        tool_name(tool.name or tool.type, space)
        for each in item.tools
        for space, tool in (
            [(each.name, inner) for inner in each.tools or ()]
            if each.type == "namespace"
            else [(None, each)]
        )
    ]
    return f"Tools that can be called now: {', '.join(names)}" if names else "No tool was found."


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
