"""Answers of the kind `json_object`: from the client to the real CLI."""

from typing import Any

import pytest

from gateway_claude_code.upstream import Answer, TextBlock, text_answer
from tests.e2e.gateways import RunningGateway
from tests.e2e.structured.structured_support import asked, streamed

pytestmark = pytest.mark.e2e

JSON_OBJECT: Any = {"type": "json_object"}


@pytest.mark.parametrize(
    "pieces",
    [
        ('{"a":"}x","b":{}}',),
        ("Sure: ```json\n{", '"a":"}x","b":{}}\n`', "`` done"),
        ("With {braces}: {", '"a":"}', 'x","b":{}} and {"c": 1}'),
    ],
    ids=["bare", "fenced", "in prose"],
)
def test_json_object_is_bare_whole_and_streamed(
    gateway: RunningGateway, pieces: tuple[str, ...]
) -> None:
    reply = text_answer(*pieces)
    choice = asked(gateway, reply, response_format=JSON_OBJECT)
    assert choice.message.content == '{"a":"}x","b":{}}'
    assert "".join(streamed(gateway, reply, response_format=JSON_OBJECT)) == '{"a":"}x","b":{}}'


def test_json_object_in_prose_alone_is_given_as_it_is(gateway: RunningGateway) -> None:
    reply = text_answer("I can", "not.")
    choice = asked(gateway, reply, response_format=JSON_OBJECT)
    assert (choice.message.content, choice.finish_reason) == ("I cannot.", "stop")
    assert "".join(streamed(gateway, reply, response_format=JSON_OBJECT)) == "I cannot."


def test_json_object_that_was_cut_is_passed_on(gateway: RunningGateway) -> None:
    reply = Answer(blocks=(TextBlock('{"a": "b'),), stop_reason="max_tokens")
    choice = asked(gateway, reply, response_format=JSON_OBJECT)
    assert (choice.finish_reason, choice.message.content) == ("length", '{"a": "b')
