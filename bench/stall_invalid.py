"""Bodies that are wrong: at their very end, after everything else has been worked on."""

import json
from collections.abc import Callable, Iterator, Mapping

from bench.stall_parts import (
    LIMITS,
    PNG,
    Body,
    Kind,
    asking,
    base64_of,
    calling,
    filled,
    raw,
    repeated,
    result,
    said,
    tool,
)


def invalid(valid: Mapping[str, Kind]) -> Iterator[Kind]:
    """All of them; `valid` are kinds by name that some of them spoil."""

    def last_message(message: object) -> Callable[[int], Body]:
        def make(size: int) -> Body:
            body = valid["many messages"].make(size - 500)
            assert isinstance(body, dict)
            return {"messages": [*body["messages"][:-1], message]}

        return make

    def wrong(name: str) -> Callable[[int], Body]:
        """Of a valid kind, with a field that is wrong."""

        def make(size: int) -> Body:
            body = valid[name].make(size)
            assert isinstance(body, dict)
            return {**body, "temperature": "hot"}

        return make

    def wrong_calls(size: int) -> Body:
        count = min(LIMITS.json_values - 100, size // 2)
        return {"messages": [said("Go"), calling([1] * count)]}

    def allowed(size: int) -> Body:
        tools = [tool(n, {"type": "object"}) for n in range(LIMITS.tools)]
        left = size - len(json.dumps(tools))
        count = min(LIMITS.json_values // 6, left // 60)
        names = [{"type": "function", "function": {"name": "tool_999"}}] * count
        choice = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": names}}
        return asking("Hi", tools=tools, tool_choice=choice)

    def twice(size: int) -> Body:
        body = valid["many tools"].make(size)
        assert isinstance(body, dict)
        return {**body, "tools": [*body["tools"][:-1], body["tools"][0]]}

    def not_base64(size: int) -> Body:
        url = "data:image/png;base64," + base64_of(PNG, size - 10) + "A*"
        return asking([{"type": "image_url", "image_url": {"url": url}}])

    def tool_messages(size: int) -> Body:
        count, text = filled(size, LIMITS.messages - 2, 100)
        return {"messages": [said("Go"), *[result(n, text) for n in range(count)]]}

    yield Kind("halves of characters", repeated(b"\\ud800"), cli=False)
    yield Kind("half a surrogate pair", lambda size: raw(b"x" * size + b"\\ud800"), cli=False)
    yield Kind("invalid UTF-8", lambda size: raw(b"x" * size + b"\xff"), cli=False)
    yield Kind("JSON without its end", lambda size: raw(b"\\n" * (size // 2))[:-1], cli=False)
    yield Kind("too many values", lambda size: b"[" + b"1," * (size // 2) + b"1]", cli=False)
    yield Kind("too many levels", lambda size: b"[" * size, cli=False)
    yield Kind("a wrong field, many messages", wrong("many messages"), cli=False)
    yield Kind("a wrong field, many tools", wrong("tools with many properties"), cli=False)
    yield Kind("a wrong field, many pictures", wrong("many pictures"), cli=False)
    yield Kind("a wrong last message", last_message(1), cli=False)
    yield Kind("calls of the wrong type", wrong_calls, cli=False)
    yield Kind("a tool twice", twice, cli=False)
    yield Kind("many allowed tools", allowed, cli=False)
    yield Kind("a picture that is not base64", not_base64, cli=False)
    yield Kind("results of no call", tool_messages, cli=False)
    yield Kind(
        "a long role", lambda size: {"messages": [{"role": "x" * size, "content": "Hi"}]}, cli=False
    )
    yield Kind(
        "a long type of part", lambda size: asking([{"type": "x" * size, "text": "Hi"}]), cli=False
    )
    yield Kind(
        "a long tool name",
        lambda size: asking("Hi", tools=[{"type": "function", "function": {"name": "x" * size}}]),
        cli=False,
    )
