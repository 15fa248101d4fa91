"""What a client says arrives as it said it, whatever the CLI would make of it."""

import pytest

from gateway.types import Image, Message, Part, Text, ToolCall, ToolResult
from gateway_claude_code.protocol import Block
from gateway_claude_code.request.history import JOINER, NO_RESULT, Turn, earlier, turns
from gateway_claude_code.request.tools.call_input import call_input
from gateway_claude_code.request.tools.tool_names import ToolNames

PICTURE = Image(url="https://example.com/a.png")


def user(*parts: Part | str) -> Message:
    return Message(role="user", parts=tuple(map(_part, parts)))


def assistant(*parts: Part | str) -> Message:
    return Message(role="assistant", parts=tuple(map(_part, parts)))


def _part(part: Part | str) -> Part:
    return Text(text=part) if isinstance(part, str) else part


def system(words: str) -> Text:
    return Text(text=words, speaker="system")


def call(call_id: str) -> ToolCall:
    return ToolCall(id=call_id, name="look")


def result(call_id: str, *parts: Part | str, is_error: bool = False) -> ToolResult:
    given = [part for part in map(_part, parts) if isinstance(part, Text | Image)]
    return ToolResult(call_id=call_id, parts=tuple(given), is_error=is_error)


def written(*messages: Message) -> list[Turn]:
    return turns(messages, ToolNames(["look"]))


def texts(turn: Turn) -> list[str]:
    """The texts of a turn, those of results among them."""
    return [text for block in turn.blocks for text in _texts(block)]


def _texts(block: Block) -> list[str]:
    return [block["text"]] if "text" in block else [b["text"] for b in block.get("content", ())]


def pairs(turn: Turn) -> list[tuple[str, list[str]]]:
    """The results of a turn: the call's id, and the texts."""
    results = [block for block in turn.blocks if block["type"] == "tool_result"]
    return [(block["tool_use_id"], _texts(block)) for block in results]


# -- calls and results --------------------------------------------------------------------


def test_an_id_that_repeats_in_each_turn() -> None:
    made = written(
        user("a"),
        assistant(call("call_0")),
        user(result("call_0", "one")),
        assistant(call("call_0")),
        user(result("call_0", "two"), "and?"),
    )
    assert [turn.blocks[0]["id"] for turn in made if turn.role == "assistant"] == [
        "call_0",
        "call_0-2",
    ]
    assert (pairs(made[2]), pairs(made[4])) == ([("call_0", ["one"])], [("call_0-2", ["two"])])


def test_ids_that_become_the_same_on_the_way() -> None:
    made = written(
        user("a"),
        assistant(call("toolu_01ab"), call("toolu01ab")),
        user(result("toolu01ab", "two"), result("toolu_01ab", "one")),
    )
    assert pairs(made[2]) == [("toolu_01ab", ["one"]), ("toolu_01ab-2", ["two"])]


def test_two_results_for_one_call_are_one_result() -> None:
    made = written(user("a"), assistant(call("x")), user(result("x", "one"), result("x", "two")))
    assert pairs(made[2]) == [("x", ["one", "two"])]


def test_a_result_is_failed_if_all_that_was_given_is() -> None:
    failed, fine = result("x", "bad", is_error=True), result("x", "good")
    for given, is_error in (([failed, failed], True), ([failed, fine], False)):
        block = written(user("a"), assistant(call("x")), user(*given))[2].blocks[0]
        assert block.get("is_error", False) is is_error


def test_a_picture_of_a_failed_result_comes_after_the_results() -> None:
    failed = result("x", "bad", PICTURE, is_error=True)
    made = written(user("a"), assistant(call("x"), call("y")), user("b", failed, result("y", "ok")))
    assert [block["type"] for block in made[2].blocks] == [
        "tool_result",
        "tool_result",
        "image",
        "text",
    ]


def test_all_of_a_late_result_arrives() -> None:
    made = written(
        user("a"), assistant(call("x")), user("b"), assistant("c"), user(result("x", "R", PICTURE))
    )
    assert made[-1].blocks == (
        {"type": "text", "text": "(result of an earlier call) R"},
        {"type": "image", "source": {"type": "url", "url": PICTURE.url}},
    )


def test_halves_of_characters_in_arguments_are_replaced() -> None:
    assert call_input('{"a": "x\\ud83d", "\\ude00": ["\\ud83d\\ude00"]}') == {
        "a": "x\ufffd",
        "\ufffd": ["\U0001f600"],
    }


# -- words after a call -------------------------------------------------------------------


def test_words_of_a_message_after_a_call_without_a_result_stay_after_it() -> None:
    made = written(user("a"), assistant(call("x")), assistant("b"), assistant("c"), user("d"))
    assert [turn.role for turn in made] == ["user", "assistant", "user", "assistant", "user"]
    assert [texts(turn) for turn in made] == [["a"], [], [NO_RESULT], ["b", "c"], ["d"]]


def test_calls_after_such_words_get_their_results() -> None:
    made = written(
        user("a"),
        assistant(call("x")),
        assistant("b"),
        assistant(call("y")),
        user(result("y", "R")),
    )
    assert [texts(turn) for turn in made] == [["a"], [], [NO_RESULT], ["b"], ["R"]]
    assert (pairs(made[2]), pairs(made[4])) == ([("x", [NO_RESULT])], [("y", ["R"])])


def test_words_between_a_call_and_its_result_don_t_part_them() -> None:
    made = written(user("a"), assistant(call("x")), assistant("b"), user(result("x", "R")))
    assert [texts(turn) for turn in made] == [["a"], ["b"], ["R"]]


def test_calls_of_several_messages_are_of_one_turn() -> None:
    made = written(user("a"), assistant(call("x")), assistant(call("y")), user(result("y", "R")))
    assert pairs(made[2]) == [("x", [NO_RESULT]), ("y", ["R"])]


# -- system messages ----------------------------------------------------------------------


def test_a_later_system_message_is_marked_and_stays_in_its_place() -> None:
    made = written(user("a", system("Psst."), "b"), assistant("c"), user(system("/help")))
    assert texts(made[0]) == ["a", "<system>\nPsst.\n</system>", "b"]
    assert texts(made[2]) == ["<system>\n/help\n</system>"]


def test_a_system_message_never_parts_a_call_from_its_result() -> None:
    made = written(user("a"), assistant(call("x")), user(system("Psst.")), user(result("x", "R")))
    assert texts(made[2]) == ["R", "<system>\nPsst.\n</system>"]


# -- texts that the CLI drops -------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["(no content)", " (no content)\n", "[Empty text removed]", "\ufeff"]
)
def test_an_assistants_stand_in_for_nothing_gets_an_invisible_letter(text: str) -> None:
    assert texts(written(user("a"), assistant(text), user("b"))[1]) == [text + JOINER]


@pytest.mark.parametrize("beside", ["b", call("x")])
def test_it_gets_none_beside_something_else(beside: Part | str) -> None:
    made = written(user("a"), assistant("(no content)", beside), user("b"))
    assert made[1].blocks[0] == {"type": "text", "text": "(no content)"}


def test_only_blanks_of_a_user_get_one() -> None:
    assert texts(written(user("(no content)", "\ufeff", " \ufeff"))[0]) == [
        "(no content)",
        f"\ufeff{JOINER}",
        f" \ufeff{JOINER}",
    ]


# -- texts that the CLI takes for commands ------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "sent"),
    [
        (("/clear",), ["\n/clear"]),
        (("/etc", "/ is a slash"), ["/etc", "\n/ is a slash"]),
        (("/etc", "a /clear"), ["/etc", "a /clear"]),
        (("!ls", "@/etc/passwd"), ["!ls", "@/etc/passwd"]),
    ],
)
def test_the_last_text_of_the_last_turn_is_protected(
    parts: tuple[str, ...], sent: list[str]
) -> None:
    assert texts(written(user("/a"), assistant("/b"), user(*parts))[2]) == sent


def test_a_text_before_a_picture_is_no_command() -> None:
    assert written(user("/help", PICTURE))[0].blocks[0]["text"] == "/help"


def test_a_result_arrives_as_it_is() -> None:
    made = written(user("a"), assistant(call("x")), user(result("x", "/home/me")))
    assert texts(made[2]) == ["/home/me"]


@pytest.mark.parametrize(("as_written", "sent"), [(True, "/a"), (False, "\n/a")])
def test_earlier_turns_are_protected_from_an_older_cli_only(as_written: bool, sent: str) -> None:
    made = earlier(written(user("/a"), assistant("/b"), user("c")), as_written=as_written)
    assert [texts(turn) for turn in made] == [[sent], ["/b"]]
