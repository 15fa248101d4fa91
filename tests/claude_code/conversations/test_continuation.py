"""What of a request is new, and what the conversation is recognised by."""

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.testing import text_answer
from gateway.types import (
    Document,
    Image,
    Message,
    Part,
    ResponseEnd,
    Role,
    StopReason,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from gateway_claude_code.conversations.continuation import (
    LONGEST_ANSWER,
    LONGEST_RESULT,
    AnswerSoFar,
    continuation,
    key_after,
)
from gateway_claude_code.request.canonical import Transcript, arguments_form, digest_of
from gateway_claude_code.request.prepare import prepare
from gateway_claude_code.response.events import EventReader, plain_id
from tests.claude_code.claude_code_support import TARGET, a_request

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


def said(role: Role, *parts: Part) -> Message:
    return Message(role=role, parts=parts)


def text(words: str) -> Text:
    return Text(text=words)


def result(call_id: str, *parts: Text | Image | Document, **fields: Any) -> ToolResult:
    return ToolResult(call_id=call_id, parts=parts, **fields)


def digest(*messages: Message) -> bytes:
    return Transcript(messages).digest()


# -- arguments ----------------------------------------------------------------------------


@given(JSON)
def test_the_spelling_of_json_makes_no_difference(value: Any) -> None:
    forms = [
        json.dumps(value),
        json.dumps(value, indent=2, ensure_ascii=False),
        json.dumps(value, sort_keys=True, separators=(",", ":")),
    ]
    assert len({digest_of(arguments_form(form)) for form in forms}) == 1


def same(one: Any, other: Any) -> bool:
    """Equality of JSON values; Python's takes True for 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


@given(JSON, JSON)
def test_other_values_are_other_arguments(one: Any, other: Any) -> None:
    forms = [digest_of(arguments_form(json.dumps(value))) for value in (one, other)]
    assert (forms[0] == forms[1]) is same(one, other)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("", "{}", True),
        (" \n", "{}", True),
        ('{"a": 1.0}', '{"a":1}', True),
        ('{"a": [-0.0, 1e2]}', '{"a":[0,100]}', True),
        ('{"a": 1.5}', '{"a": 1}', False),
        ('{"a": true}', '{"a": 1}', False),
        ('{"a": "1"}', '{"a": 1}', False),
        ('{"a": null}', "{}", False),
        ('{"a": 9007199254740993}', '{"a": 9007199254740992}', False),
        ('{"a": [1, 2]}', '{"a": [2, 1]}', False),
        ('{"a": 1e400}', '{"a": 1e401}', False),
        ('{"a": "\\u00e9"}', '{"a": "é"}', True),
        ('{"a": "\\ud83d"}', '{"a": "\\ud83e"}', False),
        ("{", "{ ", False),
        ('{"a":' * 5000, '{"a":' * 5001, False),
    ],
)
def test_when_arguments_are_the_same(one: str, other: str, equal: bool) -> None:
    assert (digest_of(arguments_form(one)) == digest_of(arguments_form(other))) is equal


# -- ids and results ----------------------------------------------------------------------

GO = said("user", text("go"))


def with_calls(*ids: str) -> Message:
    return said("assistant", *(ToolCall(id=call_id, name="look") for call_id in ids))


def test_ids_may_be_used_again_in_a_later_turn() -> None:
    reused = [GO, with_calls("a"), said("user", result("a", text("x")))] * 2
    numbered = [
        GO, with_calls("1"), said("user", result("1", text("x"))),
        GO, with_calls("2"), said("user", result("2", text("x"))),
    ]  # fmt: skip
    assert digest(*reused) == digest(*numbered)


@pytest.mark.parametrize(
    "parts",
    [
        (result("b", text("x")), result("a", text("y"))),
        (result("a", text("x")),),
        (result("a", text("x")), result("b", text("y")), text("and")),
        (result("a", text("x")), result("z", text("y"))),
        (result("a", text("x")), result("b", text("y"), is_error=True)),
        (result("a", text("x")), result("b", text("y"), text(""))),
        (result("a", text("x")), result("b", Image(url="y"))),
        (result("a", text("x")), result("b", Document(media_type="text/plain", data="y"))),
        (result("a", text("x")), result("b")),
    ],
)
def test_other_results_are_another_conversation(parts: tuple[Part, ...]) -> None:
    original = said("user", result("a", text("x")), result("b", text("y")))
    assert digest(GO, with_calls("a", "b"), said("user", *parts)) != digest(
        GO, with_calls("a", "b"), original
    )


def test_parts_of_an_unknown_kind_are_not_taken_for_each_other() -> None:
    one, other = (
        ToolResult(call_id="a", parts=(Thinking(text=words),))  # type: ignore[arg-type]
        for words in ("one", "other")
    )
    digests = {digest(GO, with_calls("a"), said("user", part)) for part in (one, other)}
    assert len(digests) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"title": "b"},
        {"title": None},
        {"data": "BBBB"},
        {"media_type": "text/plain"},
    ],
)
def test_another_document_is_another_conversation(change: dict[str, Any]) -> None:
    values: dict[str, Any] = {"media_type": "application/pdf", "data": "AAAA", "title": "a"}
    documents = [Document(**values), Document(**{**values, **change})]
    assert len({digest(said("user", document)) for document in documents}) == 2


# -- what is new --------------------------------------------------------------------------


def new_blocks(*new: Message) -> list[Any] | None:
    request = a_request()
    messages = (*request.messages, said("assistant", text("Hello")), *new)
    found = continuation(prepare(a_request_of(messages), TARGET))
    return None if found is None or found.turn is None else list(found.turn.blocks)


def a_request_of(messages: tuple[Message, ...]) -> Any:
    return a_request(messages=messages)


def test_all_new_messages_are_one_turn() -> None:
    image = Image(media_type="image/png", data="AAAA")
    blocks = new_blocks(said("user", text("one")), said("user", text(" "), image, text("/two")))
    assert blocks is not None
    assert [block["type"] for block in blocks] == ["text", "image", "text"]
    assert [block.get("text") for block in blocks] == ["one", None, "\n/two"]


def test_a_blank_turn_goes_on_too() -> None:
    assert new_blocks(said("user", text(" "))) == [{"type": "text", "text": "Continue."}]


def test_without_anything_new_there_is_nothing_to_go_on_with() -> None:
    assert new_blocks() is None


@pytest.mark.parametrize(
    ("length", "goes_on"), [(LONGEST_RESULT, True), (LONGEST_RESULT + 1, False)]
)
def test_a_result_that_the_cli_would_cut_is_not_for_it(length: int, goes_on: bool) -> None:
    half = length // 2
    parts = text("x" * half), text("y" * (length - half))
    messages = (GO, with_calls("a"), said("user", result("a", *parts)))
    found = continuation(prepare(a_request_of(messages), TARGET))
    assert (found is not None) is goes_on


def test_results_are_in_the_order_of_their_calls() -> None:
    results = (result("b", text("2")), result("a", text("/1"), text("1")))
    messages = (GO, with_calls("a", "b"), said("user", *results))
    found = continuation(prepare(a_request_of(messages), TARGET))
    assert found is not None
    assert found.turn is None
    assert [[block["text"] for block in blocks] for blocks in found.results] == [
        ["/1", "1"],
        ["2"],
    ]


@pytest.mark.parametrize(("given", "goes_on"), [(("a", "b"), True), (("b",), False)])
def test_calls_may_be_divided_among_messages(given: tuple[str, ...], goes_on: bool) -> None:
    results = said("user", *(result(call_id, text("1")) for call_id in given))
    divided = (GO, with_calls("a"), with_calls("b"), results)
    found = continuation(prepare(a_request_of(divided), TARGET))
    assert (found is not None) is goes_on
    if found is not None:
        assert len(found.results) == 2


def test_words_between_a_call_and_its_result_are_left_to_a_new_process() -> None:
    messages = (GO, with_calls("a"), said("assistant", text("b")), said("user", result("a")))
    assert continuation(prepare(a_request_of(messages), TARGET)) is None


# -- an answer that follows the assistant's own words -------------------------------------


def test_an_answer_to_the_assistants_own_words_is_not_taken_for_more_of_them() -> None:
    asked = prepare(a_request("Hi", "Hel"), TARGET)
    reader = cast(EventReader, SimpleNamespace(verbatim=True, calls=()))
    answer = said("assistant", text("lo"))
    key = key_after(asked, reader, ResponseEnd(stop_reason="end"), answer)
    found = continuation(prepare(a_request("Hi", "Hello", "More"), TARGET))
    assert found is not None
    assert found.key != key


# -- answers that the CLI does not hold as the client does --------------------------------


def is_kept(
    *parts: Part,
    ids: tuple[str, ...] = (),
    before: tuple[Message, ...] = (),
    reason: StopReason = "end",
) -> bool:
    """Whether the process goes on after this answer, whose calls the upstream named so."""
    asked = prepare(a_request_of((*before, said("user", text("Hi")))), TARGET)
    reader = cast(EventReader, SimpleNamespace(verbatim=True, calls=ids))
    end = ResponseEnd(stop_reason="tool_calls" if ids else reason)
    return key_after(asked, reader, end, said("assistant", *parts)) is not None


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("Hello", True),
        ("(no content) at all", True),
        ("(no content)", False),
        (" (no content)\n", False),
        ("[Empty text removed]", False),
        (" \n", False),
        ("\ufeff", False),
        ("", False),
    ],
)
@pytest.mark.parametrize("reason", ["end", "stop_sequence"])
def test_an_answer_that_the_cli_drops_is_not_gone_on_from(
    words: str, kept: bool, reason: StopReason
) -> None:
    assert is_kept(text(words), reason=reason) is kept


@pytest.mark.parametrize("reason", ["max_tokens", "refusal"])
def test_an_answer_that_was_cut_is_not_gone_on_from(reason: StopReason) -> None:
    assert not is_kept(text("Hello"), reason=reason)


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        ('{"id": 9007199254740992, "f": 1.0}', True),
        ("", True),
        ('{"id": 1180520049358479451}', False),
        ('{"e": 1e400}', False),
        ("[1, 2]", False),
    ],
)
def test_arguments_that_the_cli_changes_are_not_gone_on_from(arguments: str, kept: bool) -> None:
    look = ToolCall(id="toolu1", name="look", arguments=arguments)
    assert is_kept(text("(no content)"), look, ids=("toolu_1",)) is kept


@pytest.mark.parametrize(
    ("ids", "kept"),
    [
        (("toolu_1", "toolu_2"), True),
        (("call-1", "a"), True),
        (("call:odd.1",), False),
        (("",), False),
        (("toolu_1", "toolu_1"), False),
        (("toolu_a", "toolu_a_2"), False),  # which the CLI takes for a part of the other
        (("toolu_before",), False),
    ],
)
def test_ids_that_the_api_or_the_cli_refuses_are_not_gone_on_from(
    ids: tuple[str, ...], kept: bool
) -> None:
    earlier = (GO, with_calls("toolubefore"), said("user", result("toolubefore", text("x"))))
    calls = [ToolCall(id=plain_id(call_id), name="look") for call_id in ids]
    assert is_kept(*calls, ids=ids, before=earlier) is kept


def test_arguments_that_are_no_json_are_not_the_string_of_them() -> None:
    assert arguments_form("hello") != arguments_form('"hello"')


def test_an_answer_is_known_as_far_as_models_go() -> None:
    said = AnswerSoFar()
    events = text_answer("x" * LONGEST_ANSWER)
    for event in events:
        said.add(event)
    assert said.end == events[-1]
    [text] = said.message.parts
    assert isinstance(text, Text)
    assert len(text.text) == LONGEST_ANSWER


def test_of_a_longer_answer_nothing_is_held() -> None:
    said = AnswerSoFar()
    for event in text_answer("x" * LONGEST_ANSWER, "y", "z"):
        said.add(event)
    assert said.end is None
    assert said.message.parts == ()
