"""What is remembered of turns that wait for the client, and how much."""

from gateway.types import ChatRequest, Client, Image, Message, Text, Thinking, ToolCall, ToolResult
from gateway_tools.memory import Memory, Turn
from tests.tools.tools_support import assistant, result, user

ME = Client(key="me")


def turn(call_id: str, results: int = 10) -> Turn:
    call = ToolCall(id=call_id, name="mine", arguments="{}")
    clock = ToolCall(id=f"clock{call_id}", name="clock", arguments="{}")
    return Turn(
        messages=(assistant(clock, call),),
        results=(result(f"clock{call_id}", "x" * results),),
        text="",
    )


def keep(memory: Memory, call_id: str, results: int = 10, client: Client = ME) -> None:
    memory.keep(client, [ToolCall(id=call_id, name="mine")], turn(call_id, results))


def knows(memory: Memory, call_id: str, client: Client = ME) -> bool:
    call = ToolCall(id=call_id, name="mine")
    messages = (assistant(call), user(result(call_id, "ok")))
    request = ChatRequest(model="m", messages=messages, client=client)
    return memory.restored(request) != request


def test_the_turns_last_used_are_kept() -> None:
    memory = Memory(2)
    keep(memory, "a")
    keep(memory, "b")
    assert knows(memory, "a")
    keep(memory, "c")
    assert [name for name in "abc" if knows(memory, name)] == ["a", "c"]


def test_a_turn_is_its_callers_alone_and_a_key_takes_it_to_another_address() -> None:
    memory = Memory(2)
    keep(memory, "a", client=Client(key="me", address="10.0.0.1"))
    keep(memory, "b", client=Client(address="10.0.0.1"))
    assert knows(memory, "a", Client(key="me", address="10.0.0.2"))
    assert not knows(memory, "a", Client(key="you", address="10.0.0.1"))
    assert not knows(memory, "a", Client(address="10.0.0.1"))
    assert knows(memory, "b", Client(address="10.0.0.1"))
    assert not knows(memory, "b", Client(address="10.0.0.2"))
    assert not knows(memory, "b", Client(key="me", address="10.0.0.1"))


def test_all_turns_together_are_bounded_in_size() -> None:
    memory = Memory(100, characters=1000)
    keep(memory, "a", 400)
    keep(memory, "b", 400)
    keep(memory, "a", 500)
    assert knows(memory, "a")
    assert knows(memory, "b")
    keep(memory, "c", 500)
    assert [name for name in "abc" if knows(memory, name)] == ["b", "c"]
    keep(memory, "d", 2000)
    assert not any(knows(memory, name) for name in "abcd")


def test_a_turn_s_size_is_all_that_was_said_and_shown() -> None:
    parts = (Text(text="12345"), Thinking(text="123"), ToolCall(id="a", name="b", arguments="{}"))
    picture = ToolResult(call_id="a", parts=(Image(data="1234"), Text(text="1")))
    known = Turn(messages=(Message(role="assistant", parts=parts),), results=(picture,), text="")
    assert known.size == 15


def test_a_call_without_its_result_is_left_alone() -> None:
    memory = Memory(2)
    keep(memory, "a")
    request = ChatRequest(
        model="m", messages=(assistant(ToolCall(id="a", name="mine")),), client=ME
    )
    assert memory.restored(request) == request
