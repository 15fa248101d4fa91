"""Parts of Anthropic's form in messages of OpenAI's, as agents send them that speak both."""

import json
from typing import Any

import pytest

from gateway.errors import InvalidRequest
from gateway.types import Document, Image, Message, Part, Text, ToolCall, ToolResult
from gateway_openai.decode.chat import decode, parse
from tests.openai.openai_support import request_body

Wire = dict[str, Any]

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PDF = "JVBERi0xLjQKMSAwIG9iajw8Pj5lbmRvYmoKdHJhaWxlcjw8Pj4KJSVFT0YK"
ASK: Wire = {"role": "user", "content": "Hi"}
USE: Wire = {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": "ü"}}
GIVE: Wire = {"type": "tool_result", "tool_use_id": "t1", "content": "ok"}
CALL = ToolCall(id="t1", name="f", arguments='{"a": "ü"}')


def decoded(*messages: Wire) -> tuple[Message, ...]:
    return decode(parse(request_body(messages=list(messages)))).request.messages


def assistant(*parts: Wire, **fields: Any) -> Wire:
    return {"role": "assistant", "content": list(parts), **fields}


def user(*parts: Wire) -> Wire:
    return {"role": "user", "content": list(parts)}


def source(kind: str, **source: str) -> Wire:
    return {"type": kind, "source": source}


def base64(kind: str, media_type: str, data: str) -> Wire:
    return source(kind, type="base64", media_type=media_type, data=data)


def text(words: str) -> Wire:
    return {"type": "text", "text": words, "cache_control": {"type": "ephemeral"}}


def test_calls_and_results() -> None:
    thinking = {"type": "thinking", "thinking": "hm", "signature": "s"}
    messages = decoded(ASK, assistant(thinking, text("See"), USE), user(text("and"), GIVE))
    assert messages[1:] == (
        Message(role="assistant", parts=(Text(text="See"), CALL)),
        Message(role="user", parts=(ToolResult(call_id="t1", parts=(Text(text="ok"),)),)),
        Message(role="user", parts=(Text(text="and"),)),
    )


def both_forms(given: Wire, *arguments: str, **fields: str) -> list[tuple[str, str]]:
    """The calls of a message with both forms, each as its name and its arguments."""
    again = [
        {"id": "t1", "type": "function", "function": {"name": "f", "arguments": text, **fields}}
        for text in arguments
    ]
    message = assistant({**USE, "input": given}, tool_calls=again)
    parts = decoded(ASK, message, ASK)[1].parts
    assert all(isinstance(part, ToolCall) and part.id == "t1" for part in parts)
    return [(part.name, part.arguments) for part in parts if isinstance(part, ToolCall)]


@pytest.mark.parametrize(
    ("given", "arguments", "sent"),
    [
        ({"a": "ü", "b": 1}, '{"b":1.0,"a":"\\u00fc"}', '{"a": "ü", "b": 1}'),
        ({"a": 1}, "{}", '{"a": 1}'),
        ({"a": 1}, "", '{"a": 1}'),
        ({}, '{"a": 1}', '{"a": 1}'),
        ({}, "", "{}"),
    ],
)
def test_a_call_in_both_forms_is_one_call(given: Wire, arguments: str, sent: str) -> None:
    [(_, found)] = both_forms(given, arguments)
    assert json.loads(found or "{}") == json.loads(sent)


@pytest.mark.parametrize("arguments", ['{"a": 2}', '{"a": true}', '{"a": 1', '{"a": 1, "b": null}'])
def test_calls_of_one_id_that_differ_are_two(arguments: str) -> None:
    assert both_forms({"a": 1}, arguments) == [("f", '{"a": 1}'), ("f", arguments)]


def test_calls_of_one_id_and_two_names_are_two() -> None:
    assert both_forms({"a": 1}, '{"a": 1}', name="g") == [("f", '{"a": 1}'), ("g", '{"a": 1}')]


def test_a_call_in_both_forms_that_comes_once_more_is_two() -> None:
    assert both_forms({"a": 1}, '{"a": 1}', '{"a": 1}') == [("f", '{"a": 1}')] * 2


@pytest.mark.parametrize(
    ("given", "arguments"), [({}, "{}"), (None, "{}"), ("", ""), ('{"a": 1}', '{"a": 1}')]
)
def test_the_input_of_a_call(given: object, arguments: str) -> None:
    [call] = decoded(ASK, assistant({**USE, "input": given}), ASK)[1].parts
    assert call == ToolCall(id="t1", name="f", arguments=arguments)


def test_a_failed_result_of_several_parts() -> None:
    content = [text("bad"), base64("image", "image/png", PNG)]
    [result] = decoded(ASK, assistant(USE), user({**GIVE, "content": content, "is_error": True}))[
        2
    ].parts
    assert result == ToolResult(
        call_id="t1",
        parts=(Text(text="bad"), Image(media_type="image/png", data=PNG)),
        is_error=True,
    )


def test_a_result_without_content() -> None:
    given = {"type": "tool_result", "tool_use_id": "t1"}
    assert decoded(ASK, assistant(USE), user(given))[2].parts == (ToolResult(call_id="t1"),)


@pytest.mark.parametrize(
    ("part", "medium"),
    [
        (base64("image", "image/png", PNG), Image(media_type="image/png", data=PNG)),
        (
            source("image", type="url", url="https://example.org/a.png"),
            Image(url="https://example.org/a.png"),
        ),
        (
            {**base64("document", "application/pdf", PDF), "title": "a"},
            Document(media_type="application/pdf", data=PDF, title="a"),
        ),
        (
            source("document", type="text", media_type="text/plain", data="Hi"),
            Document(media_type="text/plain", data="Hi"),
        ),
    ],
    ids=["picture", "url", "pdf", "text"],
)
def test_media(part: Wire, medium: Part) -> None:
    assert decoded(user(part))[0].parts == (medium,)


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([assistant({**USE, "id": ""})], "messages[0].content[0].id"),
        ([assistant({**USE, "name": ""})], "messages[0].content[0].name"),
        ([assistant({**USE, "input": 5})], "messages[0].content[0].input"),
        ([assistant({"type": "tool_use"})], "messages[0].content[0].id"),
        ([assistant(GIVE)], "messages[0].content[0].type"),
        ([assistant(base64("image", "image/png", PNG))], "messages[0].content[0].type"),
        ([user(USE)], "messages[0].content[0].type"),
        ([user(text("a"), GIVE)], "messages[0].content[1].tool_use_id"),
        (
            [assistant(USE), user({**GIVE, "content": [text("a"), {"type": "audio"}]})],
            "messages[1].content[0].content[1].type",
        ),
        (
            [assistant(USE), user({**GIVE, "content": [GIVE]})],
            "messages[1].content[0].content[0].type",
        ),
        ([user({"type": "image"})], "messages[0].content[0].source"),
        ([user(source("image", type="file"))], "messages[0].content[0].source.type"),
        ([user(source("image", type="url"))], "messages[0].content[0].source.url"),
        ([user(source("image", type="url", url="ftp://a/b"))], "messages[0].content[0].source.url"),
        ([user(source("image", type="base64"))], "messages[0].content[0].source.data"),
        (
            [user({**base64("document", "application/pdf", PDF), "title": "t" * 501})],
            "messages[0].content[0].title",
        ),
        (
            [user({**source("document", type="text", data="Hi"), "title": "t" * 501})],
            "messages[0].content[0].title",
        ),
        ([user(base64("image", "image/png", "?"))], "messages[0].content[0].source.data"),
        ([user(base64("document", "application/pdf", "?"))], "messages[0].content[0].source.data"),
        (
            [user(source("document", type="url", url="https://a"))],
            "messages[0].content[0].source.type",
        ),
    ],
)
def test_what_is_wrong_is_refused_with_its_path(messages: list[Wire], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        decoded(*messages)
    assert caught.value.param == param
