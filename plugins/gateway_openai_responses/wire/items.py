"""The items of `input` as they are on the wire.

Shapes are those of `openai.types.responses.ResponseInputItemParam` (openai-python 3.54), made wider
where clients are known to differ: Codex leaves out ids and statuses, and answers a `local_shell_call`
with a `function_call_output` (codex-rs/protocol/src/models.rs, `ResponseItem`); the Agents SDK gives
a `local_shell_call_output` the field `call_id`.
"""

from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Discriminator, Tag

from gateway.frontend import Integer, Items, WireModel, string_or_object
from gateway_openai_responses.wire.content import Content, content_tag
from gateway_openai_responses.wire.tools import Tool


class MessageItem(WireModel):
    """What someone said. `type` may be left out."""

    type: Literal["message"] = "message"
    role: Literal["user", "assistant", "system", "developer"]
    content: Content | None = None
    id: str | None = None
    status: str | None = None
    phase: str | None = None


class CallItem(WireModel):
    """Fields that every item about a call has."""

    id: str | None = None
    status: str | None = None
    caller: Any = None


class FunctionCallItem(CallItem):
    """A call in an earlier answer. `arguments` is JSON as the model wrote it."""

    type: Literal["function_call"]
    call_id: str
    name: str
    arguments: str = ""
    namespace: str | None = None


class CustomCallItem(CallItem):
    """A call of a custom tool: `input` is its only argument, as plain text."""

    type: Literal["custom_tool_call"]
    call_id: str
    name: str
    input: str = ""
    namespace: str | None = None


class LocalShellAction(WireModel):
    """One command, as a program and its arguments."""

    type: str = "exec"
    command: Items[str]
    env: dict[str, str] | None = None
    timeout_ms: Integer | None = None
    user: str | None = None
    working_directory: str | None = None


class LocalShellCallItem(CallItem):
    """A call of the tool `local_shell`."""

    type: Literal["local_shell_call"]
    call_id: str | None = None
    action: LocalShellAction


class ShellAction(WireModel):
    """Commands for a shell."""

    commands: Items[str]
    timeout_ms: Integer | None = None
    max_output_length: Integer | None = None


class ShellCallItem(CallItem):
    """A call of the tool `shell`."""

    type: Literal["shell_call"]
    call_id: str
    action: ShellAction
    environment: Any = None
    created_by: str | None = None


class PatchOperation(WireModel):
    """A change of one file. `diff` is in the V4A format, and missing for a file that is deleted."""

    type: str
    path: str
    diff: str | None = None


class PatchCallItem(CallItem):
    """A call of the tool `apply_patch`."""

    type: Literal["apply_patch_call"]
    call_id: str
    operation: PatchOperation
    created_by: str | None = None


class _OldOutput(WireModel):
    """Codex until 0.50: text, and whether the call succeeded."""

    content: Content | None = None
    success: bool | None = None


def _output_tag(value: object) -> str | None:
    return string_or_object(value) or content_tag(value)


class OutputItem(CallItem):
    """The result of a function or a custom tool."""

    type: Literal["function_call_output", "custom_tool_call_output"]
    call_id: str | None = None
    name: str | None = None
    namespace: str | None = None
    output: Annotated[
        Annotated[Content, Tag("<string>")]
        | Annotated[Content, Tag("<parts>")]
        | Annotated[_OldOutput, Tag("<object>")],
        Discriminator(
            _output_tag,
            custom_error_type="output_type",
            custom_error_message="Input should be a string or a list of content parts",
        ),
    ]

    @property
    def content(self) -> Content | None:
        """The output, in whatever form it came."""
        return self.output.content if isinstance(self.output, _OldOutput) else self.output

    @property
    def failed(self) -> bool:
        """Whether the client says that the call failed."""
        return isinstance(self.output, _OldOutput) and self.output.success is False


class LocalShellOutputItem(CallItem):
    """The result of a `local_shell_call`: `output` is text, often JSON."""

    type: Literal["local_shell_call_output"]
    call_id: str | None = None
    output: str


class ShellOutcome(WireModel):
    """How a command ended: `exit` with its `exit_code`, or `timeout`."""

    type: str
    exit_code: Integer | None = None


class ShellOutput(WireModel):
    """What one command wrote."""

    stdout: str = ""
    stderr: str = ""
    outcome: ShellOutcome | None = None
    created_by: str | None = None


class ShellOutputItem(CallItem):
    """The results of a `shell_call`, one for each command."""

    type: Literal["shell_call_output"]
    call_id: str
    output: Items[ShellOutput]
    max_output_length: Integer | None = None
    created_by: str | None = None


class PatchOutputItem(CallItem):
    """The result of an `apply_patch_call`."""

    type: Literal["apply_patch_call_output"]
    call_id: str
    output: str | None = None
    created_by: str | None = None


class ToolSearchCallItem(CallItem):
    """A call of the tool `tool_search`. `arguments` is an object."""

    type: Literal["tool_search_call"]
    call_id: str | None = None
    execution: str | None = None
    arguments: Any = None
    created_by: str | None = None


class ToolSearchOutputItem(CallItem):
    """The tools that a `tool_search_call` found; the request offers them as well."""

    type: Literal["tool_search_output"]
    call_id: str | None = None
    execution: str | None = None
    tools: Items[Tool]
    created_by: str | None = None


class ReasoningPart(WireModel):
    """A piece of a reasoning item's text."""

    type: str
    text: str


class ReasoningItem(WireModel):
    """Thinking in an earlier answer: honoured by its `encrypted_content`, if that is ours."""

    type: Literal["reasoning"]
    id: str | None = None
    summary: list[ReasoningPart] | None = None
    content: list[ReasoningPart] | None = None
    encrypted_content: str | None = None
    status: str | None = None


class ReferenceItem(WireModel):
    """An item of a response that is kept. `type` may be left out or null."""

    type: Literal["item_reference"] | None = None
    id: str


class AdditionalToolsItem(WireModel):
    """Tools that the request offers as well."""

    type: Literal["additional_tools"]
    id: str | None = None
    role: str | None = None
    tools: Items[Tool]


class OtherItem(WireModel):
    """Any other type: passed over and reported, or named in the error."""

    type: str


ITEM_TAGS: Final = {
    "message": "<message>",
    "function_call": "<function_call>",
    "custom_tool_call": "<custom_tool_call>",
    "local_shell_call": "<local_shell_call>",
    "shell_call": "<shell_call>",
    "apply_patch_call": "<apply_patch_call>",
    "function_call_output": "<output>",
    "custom_tool_call_output": "<output>",
    "local_shell_call_output": "<local_shell_call_output>",
    "shell_call_output": "<shell_call_output>",
    "apply_patch_call_output": "<apply_patch_call_output>",
    "tool_search_call": "<tool_search_call>",
    "tool_search_output": "<tool_search_output>",
    "reasoning": "<reasoning>",
    "item_reference": "<reference>",
    "additional_tools": "<additional_tools>",
}
"""How the types of items are told apart; every other type is an `OtherItem`."""


def _item_tag(value: object) -> str | None:
    if not isinstance(value, dict):
        return None
    kind = value.get("type")
    if kind is None:
        return "<reference>" if "role" not in value and "id" in value else "<message>"
    return ITEM_TAGS.get(kind, "<other>") if isinstance(kind, str) else "<other>"


Item: TypeAlias = Annotated[
    Annotated[MessageItem, Tag("<message>")]
    | Annotated[FunctionCallItem, Tag("<function_call>")]
    | Annotated[CustomCallItem, Tag("<custom_tool_call>")]
    | Annotated[LocalShellCallItem, Tag("<local_shell_call>")]
    | Annotated[ShellCallItem, Tag("<shell_call>")]
    | Annotated[PatchCallItem, Tag("<apply_patch_call>")]
    | Annotated[OutputItem, Tag("<output>")]
    | Annotated[LocalShellOutputItem, Tag("<local_shell_call_output>")]
    | Annotated[ShellOutputItem, Tag("<shell_call_output>")]
    | Annotated[PatchOutputItem, Tag("<apply_patch_call_output>")]
    | Annotated[ToolSearchCallItem, Tag("<tool_search_call>")]
    | Annotated[ToolSearchOutputItem, Tag("<tool_search_output>")]
    | Annotated[ReasoningItem, Tag("<reasoning>")]
    | Annotated[ReferenceItem, Tag("<reference>")]
    | Annotated[AdditionalToolsItem, Tag("<additional_tools>")]
    | Annotated[OtherItem, Tag("<other>")],
    Discriminator(
        _item_tag,
        custom_error_type="item_type",
        custom_error_message="Input should be an object with a `type` or a `role`",
    ),
]
