"""What holds for every list of items, and for every body that a client may send."""

import base64
import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.types import ChatResponse, Message, Part, Text, ToolResult
from gateway_openai_responses.decode.request import ResponseCall, decode, parse
from gateway_openai_responses.encode.items import output_of
from tests.cells import examples
from tests.gateway.content.media_support import PNG
from tests.openai_responses.answers import form_of
from tests.openai_responses.responses_support import request_body

lines = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
names = st.from_regex(r"[a-zA-Z0-9_.-]{1,64}", fullmatch=True)
objects = st.dictionaries(lines, st.integers() | lines, max_size=3)
call_ids = st.from_regex(r"call_[a-z0-9]{1,8}", fullmatch=True)

# -- any valid items ----------------------------------------------------------------------

PICTURE = "data:image/png;base64," + base64.b64encode(PNG).decode()
text_parts = st.builds(lambda text: {"type": "input_text", "text": text}, lines)
user_parts = text_parts | st.sampled_from(
    [
        {"type": "input_image", "image_url": PICTURE, "detail": "auto"},
        {"type": "input_file", "file_data": "data:text/plain,x", "filename": "a.txt"},
    ]
)
messages = st.builds(
    lambda role, content, typed: {"role": role, "content": content, **typed},
    st.sampled_from(["user", "system", "developer", "assistant"]),
    lines | st.lists(text_parts, max_size=2),
    st.sampled_from([{}, {"type": "message"}, {"type": "message", "id": "msg_1"}]),
)
pictures = st.builds(
    lambda content: {"role": "user", "content": content}, st.lists(user_parts, max_size=3)
)
reasoning = st.builds(
    lambda text, content: {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": text}],
        "encrypted_content": content,
    },
    lines,
    st.none() | lines,
)
others = st.builds(
    lambda kind: {"type": kind, "id": "x"}, st.sampled_from(["web_search_call", "mcp_call"])
)


@st.composite
def loops(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A call of any kind, and its output."""
    call_id, name, text = draw(call_ids), draw(names), draw(lines)
    output = draw(lines | st.lists(user_parts, max_size=2))
    call, result = draw(
        st.sampled_from(
            [
                (
                    {"type": "function_call", "name": name, "arguments": json.dumps({"a": text})},
                    {"type": "function_call_output", "output": output},
                ),
                (
                    {"type": "custom_tool_call", "name": name, "input": text},
                    {"type": "custom_tool_call_output", "output": output},
                ),
                (
                    {
                        "type": "local_shell_call",
                        "id": "lsh_1",
                        "status": "completed",
                        "action": {"type": "exec", "command": [text], "env": {}},
                    },
                    {"type": "local_shell_call_output", "id": "lsho_1", "output": text},
                ),
                (
                    {"type": "shell_call", "action": {"commands": [text]}},
                    {"type": "shell_call_output", "output": [{"stdout": text, "stderr": ""}]},
                ),
                (
                    {
                        "type": "apply_patch_call",
                        "status": "completed",
                        "operation": {"type": "delete_file", "path": text},
                    },
                    {"type": "apply_patch_call_output", "status": "failed", "output": text},
                ),
            ]
        )
    )
    return [{**call, "call_id": call_id}, {**result, "call_id": call_id}]


conversations = st.lists(
    (messages | pictures | reasoning | others).map(lambda item: [item]) | loops(), max_size=6
).map(lambda groups: [item for group in groups for item in group])


@given(items=conversations)
def test_any_valid_items_are_a_conversation(items: list[dict[str, Any]]) -> None:
    [request] = decode(parse(request_body(input=items))).requests
    assert request.messages[-1].role == "user"
    results = [
        part.call_id
        for message in request.messages
        for part in message.parts
        if isinstance(part, ToolResult)
    ]
    outputs = [item["call_id"] for item in items if item.get("type", "").endswith("_output")]
    assert results == outputs


# -- there and back -----------------------------------------------------------------------


@st.composite
def answers(draw: st.DrawFn) -> list[Message]:
    """A turn of the assistant's as clients give it back, of each kind of part."""
    items: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 4))):
        call = {"call_id": f"call_{number}", "id": f"fc_{number}", "status": "completed"}
        items.append(
            draw(
                st.one_of(
                    st.builds(
                        lambda text: {
                            "type": "message",
                            "role": "assistant",
                            "content": [{"type": "output_text", "text": text}],
                        },
                        lines,
                    ),
                    st.builds(
                        lambda given, call=call: {
                            **call,
                            "type": "function_call",
                            "name": "g",
                            "namespace": "space",
                            "arguments": json.dumps(given),
                        },
                        objects,
                    ),
                    st.builds(
                        lambda text, call=call: {
                            **call,
                            "type": "custom_tool_call",
                            "name": "edit",
                            "input": text,
                        },
                        lines,
                    ),
                    st.builds(
                        lambda path, call=call: {
                            **call,
                            "type": "apply_patch_call",
                            "operation": {"type": "update_file", "path": path, "diff": "+a"},
                        },
                        lines,
                    ),
                )
            )
        )
    return list(decode(parse(request_body(input=items))).requests[0].messages[:1])


@given(turn=answers())
def test_an_answer_survives_encoding_and_decoding(turn: list[Message]) -> None:
    [message] = turn
    parts: Any = message.parts
    output = output_of(ChatResponse(parts=parts, stop_reason="end"), form_of())
    [request] = decode(parse(request_body(input=output))).requests
    assert request.messages[0] == Message(role="assistant", parts=tuple(joined(parts)))


def joined(parts: Iterable[Part]) -> Iterator[Part]:
    """With texts that follow each other as one, as an item has them."""
    for is_text, group in groupby(parts, key=lambda part: isinstance(part, Text)):
        if is_text:
            yield Text(text="".join(part.text for part in group if isinstance(part, Text)))
        else:
            yield from group


# -- any body -----------------------------------------------------------------------------

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
)
words = st.sampled_from(
    [
        "type",
        "role",
        "content",
        "id",
        "call_id",
        "output",
        "name",
        "tools",
        "user",
        "message",
        "function",
        "function_call",
        "function_call_output",
        "reasoning",
        "namespace",
        "custom",
    ]
)
values = st.recursive(
    scalars | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=5),
    max_leaves=12,
)
bodies = st.fixed_dictionaries(
    {"model": st.just("m")},
    optional=dict.fromkeys(
        ("input", "tools", "tool_choice", "text", "reasoning", "include", "store"), values
    ),
)


def outcome(body: dict[str, Any]) -> ResponseCall | GatewayError:
    try:
        return decode(parse(body))
    except GatewayError as error:
        return error


@settings(max_examples=examples(300))
@given(body=bodies)
def test_any_body_is_a_call_or_an_error_with_a_place(body: dict[str, Any]) -> None:
    found = outcome(body)
    if isinstance(found, GatewayError):
        assert found.status == 400
        assert found.param
    else:
        assert found.requests[0].messages
