"""The table of request fields against the installed SDK, the wire models and its own rules.

A field, a type of item or a tool that a newer SDK has and we don't is a failure: it needs a
documented behaviour.
"""

from typing import Any, get_args, get_type_hints

import pytest
from openai.types import responses as sdk
from openai.types.responses import (
    response_create_params as params,
)
from openai.types.responses import (
    response_includable,
    response_input_item_param,
    response_stream_event,
    tool_param,
)

from gateway_openai_responses.decode.conversation import REFUSED_ITEMS
from gateway_openai_responses.decode.tools import HOSTED
from gateway_openai_responses.decode.web_search import is_web_search
from gateway_openai_responses.fields.rows import RESPONSES
from gateway_openai_responses.tool_kinds import BUILT_IN
from gateway_openai_responses.wire import content, items, request, tools

OWN = {"client_metadata"}
"""Top-level fields that the SDK has not: Codex's."""


def declared(model: type[Any]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def names_of(*typed_dicts: Any) -> set[str]:
    return {name for each in typed_dicts for name in each.__annotations__}


def kinds_of(union: Any) -> dict[str, Any]:
    """The members of a union of dictionaries, by their `type`."""
    found: dict[str, Any] = {}
    for member in get_args(union):
        for kind in get_args(_unwrapped(get_type_hints(member, include_extras=True)["type"])):
            if isinstance(kind, str):
                found[kind] = member
    return found


def _unwrapped(hint: Any) -> Any:
    inner = [each for each in get_args(hint) if not isinstance(each, str) and get_args(each)]
    return _unwrapped(inner[0]) if inner else hint


TOP_LEVEL = names_of(params.ResponseCreateParamsNonStreaming, params.ResponseCreateParamsStreaming)


def test_the_fields_of_the_sdk_and_codex_are_those_of_the_table() -> None:
    own = {name for name in RESPONSES.by_name if "." not in name}
    assert own == TOP_LEVEL | OWN


def test_the_fields_of_the_table_are_declared() -> None:
    own = {name for name in RESPONSES.by_name if "." not in name}
    assert own == declared(request.ResponseRequest)


def test_none_is_twice_in_the_table() -> None:
    assert len(RESPONSES.by_name) == len(RESPONSES.fields)


ITEM_MODELS: Any = {
    "message": items.MessageItem,
    "function_call": items.FunctionCallItem,
    "custom_tool_call": items.CustomCallItem,
    "local_shell_call": items.LocalShellCallItem,
    "shell_call": items.ShellCallItem,
    "apply_patch_call": items.PatchCallItem,
    "function_call_output": items.OutputItem,
    "custom_tool_call_output": items.OutputItem,
    "local_shell_call_output": items.LocalShellOutputItem,
    "shell_call_output": items.ShellOutputItem,
    "apply_patch_call_output": items.PatchOutputItem,
    "tool_search_call": items.ToolSearchCallItem,
    "tool_search_output": items.ToolSearchOutputItem,
    "reasoning": items.ReasoningItem,
    "item_reference": items.ReferenceItem,
    "additional_tools": items.AdditionalToolsItem,
}

LEFT_OUT = {
    "file_search_call",
    "computer_call",
    "computer_call_output",
    "web_search_call",
    "configuration_update",
    "image_generation_call",
    "code_interpreter_call",
    "mcp_list_tools",
    "mcp_approval_request",
    "mcp_approval_response",
    "mcp_call",
    "program",
    "program_output",
}
"""Types of items that are reported as `input.TYPE`."""


def test_every_type_of_item_has_a_behaviour() -> None:
    in_sdk = kinds_of(response_input_item_param.ResponseInputItemParam)
    assert set(in_sdk) == set(ITEM_MODELS) | LEFT_OUT | set(REFUSED_ITEMS)
    assert set(items.ITEM_TAGS) == set(ITEM_MODELS)


@pytest.mark.parametrize("kind", sorted(ITEM_MODELS))
def test_the_fields_of_an_item_are_declared_or_in_the_table(kind: str) -> None:
    member = kinds_of(response_input_item_param.ResponseInputItemParam)[kind]
    unknown = names_of(member) - declared(ITEM_MODELS[kind])
    assert {f"input.{name}" for name in unknown} - set(RESPONSES.by_name) == set()


NESTED: Any = [
    ("input", sdk.EasyInputMessageParam, items.MessageItem),
    ("input", response_input_item_param.Message, items.MessageItem),
    ("input.content", sdk.ResponseInputTextParam, content.TextPart),
    ("input.content", sdk.ResponseOutputTextParam, content.TextPart),
    ("input.content", sdk.ResponseOutputRefusalParam, content.RefusalPart),
    ("input.content", sdk.ResponseInputImageParam, content.ImagePart),
    ("input.content", sdk.ResponseInputFileParam, content.FilePart),
    ("input.output", sdk.ResponseInputTextContentParam, content.TextPart),
    ("input.output", sdk.ResponseInputImageContentParam, content.ImagePart),
    ("input.output", sdk.ResponseInputFileContentParam, content.FilePart),
    ("input.action", response_input_item_param.LocalShellCallAction, items.LocalShellAction),
    ("input.action", response_input_item_param.ShellCallAction, items.ShellAction),
    (
        "input.operation",
        response_input_item_param.ApplyPatchCallOperationCreateFile,
        items.PatchOperation,
    ),
    (
        "input.operation",
        response_input_item_param.ApplyPatchCallOperationDeleteFile,
        items.PatchOperation,
    ),
    (
        "input.operation",
        response_input_item_param.ApplyPatchCallOperationUpdateFile,
        items.PatchOperation,
    ),
    ("input.output", sdk.ResponseFunctionShellCallOutputContentParam, items.ShellOutput),
    ("tools", sdk.FunctionToolParam, tools.Tool),
    ("tools", sdk.CustomToolParam, tools.Tool),
    ("tools", sdk.FunctionShellToolParam, tools.Tool),
    ("tools", sdk.ApplyPatchToolParam, tools.Tool),
    ("tools", sdk.NamespaceToolParam, tools.Tool),
    ("tools", sdk.ToolSearchToolParam, tools.Tool),
    ("tools", tool_param.LocalShell, tools.Tool),
    ("tools", sdk.WebSearchToolParam, tools.Tool),
    ("tools", sdk.WebSearchPreviewToolParam, tools.Tool),
    ("tools.filters", sdk.web_search_tool_param.Filters, tools.SearchFilters),
    ("tools.user_location", sdk.web_search_tool_param.UserLocation, tools.UserLocation),
    ("tools.tools", sdk.namespace_tool_param.ToolFunction, tools.InnerTool),
    ("tools.tools", sdk.CustomToolParam, tools.InnerTool),
    ("tool_choice", sdk.ToolChoiceFunctionParam, tools.ToolChoiceObject),
    ("tool_choice", sdk.ToolChoiceCustomParam, tools.ToolChoiceObject),
    ("tool_choice", sdk.ToolChoiceAllowedParam, tools.ToolChoiceObject),
    ("tool_choice", sdk.ToolChoiceShellParam, tools.ToolChoiceObject),
    ("tool_choice", sdk.ToolChoiceApplyPatchParam, tools.ToolChoiceObject),
    ("stream_options", params.StreamOptions, request.StreamOptions),
    ("text", sdk.ResponseTextConfigParam, request.TextConfig),
    ("text.format", sdk.ResponseFormatTextJSONSchemaConfigParam, request.TextFormat),
    ("reasoning", params.Reasoning, request.Reasoning),
]
"""Objects within a request: their place, what the SDK calls them, and what we declare."""


@pytest.mark.parametrize(("place", "typed_dict", "model"), NESTED)
def test_nested_fields_of_the_sdk_are_declared_or_in_the_table(
    place: str, typed_dict: Any, model: type[Any]
) -> None:
    unknown = names_of(typed_dict) - declared(model)
    assert {f"{place}.{name}" for name in unknown} - set(RESPONSES.by_name) == set()


def test_every_type_of_tool_has_a_behaviour() -> None:
    kinds = set(kinds_of(tool_param.ToolParam))
    hosted = {kind for kind in kinds if any(kind.startswith(known) for known in HOSTED)}
    left_out = {"programmatic_tool_calling"}
    run_by_clients = {"function", "custom", "namespace", "tool_search", *BUILT_IN}
    searches = {kind for kind in kinds if is_web_search(kind)}
    assert kinds == run_by_clients | searches | hosted | left_out


def test_every_value_of_include_is_known() -> None:
    in_sdk = set(get_args(response_includable.ResponseIncludable))
    assert set(get_args(request.Includable)) == in_sdk


NEVER_SENT = ("audio", "code_interpreter", "compaction", "file_search", "image_generation")
NEVER_SENT += ("mcp", "queued", "reasoning_text", "shell_call")
SENT = {
    "error",
    "response.created",
    "response.in_progress",
    "response.completed",
    "response.incomplete",
    "response.failed",
    "response.output_item.added",
    "response.output_item.done",
    "response.content_part.added",
    "response.content_part.done",
    "response.output_text.delta",
    "response.output_text.done",
    "response.refusal.delta",
    "response.refusal.done",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.custom_tool_call_input.delta",
    "response.custom_tool_call_input.done",
    "response.reasoning_summary_part.added",
    "response.reasoning_summary_part.done",
    "response.reasoning_summary_text.delta",
    "response.reasoning_summary_text.done",
    "response.output_text.annotation.added",
    "response.web_search_call.in_progress",
    "response.web_search_call.searching",
    "response.web_search_call.completed",
}


def test_every_event_is_sent_or_known_never_to_be() -> None:
    union = get_args(response_stream_event.ResponseStreamEvent)[0]
    kinds = {get_args(member.model_fields["type"].annotation)[0] for member in get_args(union)}
    others = {kind for kind in kinds if not any(word in kind for word in NEVER_SENT)}
    assert others == SENT
