"""The kinds of bodies that `python -m bench.stalls` sends: each as large as it is asked to be.

A kind uses as much of its own limit (`limits.*`) as its size allows, and fills up the rest with
text. What is wrong on purpose is wrong at its very end, after everything else has been worked on.
"""

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from gateway.config.settings import LimitsConfig

Body: TypeAlias = dict[str, Any]
Answerer: TypeAlias = Literal["echo", "cli"]

MEGABYTE: Final = 1_000_000
_LIMITS: Final = LimitsConfig()
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_SLACK: Final = 2000
"""Bytes of a body besides what fills it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`make` returns a body of at most so many bytes, as text or as what is to be JSON.

    `cli`: whether it gets as far as to the CLI.
    """

    name: str
    make: Callable[[int], Body | bytes]
    cli: bool = True

    def body(self, size: int, model: str) -> bytes:
        """The bytes to send, for a model."""
        made = self.make(size - _SLACK)
        if isinstance(made, bytes):
            return made.replace(b"MODEL", model.encode(), 1)
        return json.dumps({"model": model, **made}, separators=(",", ":")).encode()


def all_kinds() -> tuple[Kind, ...]:
    """All of them, in the order of the table."""
    return (*_texts(), *_messages(), *_media(), *_tools(), *_schemas(), *_fields(), *_invalid())


# -- parts of bodies ------------------------------------------------------------------------


def _said(content: object) -> dict[str, object]:
    return {"role": "user", "content": content}


def _asking(content: object, **fields: object) -> Body:
    return {"messages": [_said(content)], **fields}


def _raw(content: bytes) -> bytes:
    """A body whose only text is these bytes of JSON, as they are."""
    return b'{"model":"MODEL","messages":[{"role":"user","content":"' + content + b'"}]}'


def _repeated(piece: bytes) -> Callable[[int], bytes]:
    return lambda size: _raw(piece * (size // len(piece)))


def _filled(size: int, most: int, frame: int) -> tuple[int, str]:
    """How many items fit, each with `frame` bytes around its text, and the text of each."""
    count = max(min(most, size // (frame + 1)), 1)
    return count, "x" * max(size // count - frame, 1)


def _texts() -> Iterator[Kind]:
    yield Kind("plain text", _repeated(b"x"))
    yield Kind("text of commas and colons", _repeated(b",:"))
    yield Kind("text of quotation marks", _repeated(b'\\",'))
    yield Kind("escapes of characters", _repeated(b"\\u4e2d"))
    yield Kind("escapes of surrogate pairs", _repeated(b"\\ud83d\\ude00"))
    yield Kind("line ends", _repeated(b"\\n"))
    yield Kind("Chinese text", _repeated("中".encode()))
    yield Kind("emoji", _repeated("😀".encode()))
    yield Kind("line separators", _repeated("x\u2028".encode()))
    yield Kind("secrets", _repeated(b"sk-ant-api03-xxxxxxxx "))
    yield Kind("halves of addresses", _repeated(b"a.b-c+d.e@"))


def _messages() -> Iterator[Kind]:
    def many(size: int) -> Body:
        count, text = _filled(size, _LIMITS.messages, 40)
        roles = ("user", "assistant")
        messages = [{"role": roles[n % 2], "content": text} for n in range(count - 1)]
        return {"messages": [*messages, _said("And?")]}

    def parts(size: int) -> Body:
        count, text = _filled(size, _LIMITS.parts, 30)
        return _asking([{"type": "text", "text": text}] * count)

    def system(size: int) -> Body:
        count, text = _filled(size, _LIMITS.messages - 1, 40)
        return {"messages": [*[{"role": "system", "content": text}] * count, _said("Hi")]}

    def rounds(size: int) -> Body:
        """Calls of one tool each, with their results."""
        count, text = _filled(size, (_LIMITS.messages - 2) // 2, 240)
        messages: list[object] = [_said("Go")]
        for number in range(count):
            messages += [_calls([_call(number, "look", "{}")]), _result(number, text)]
        return {"messages": [*messages, _said("And?")]}

    def one_round(size: int) -> Body:
        """All calls in one message."""
        count, text = _filled(size, _LIMITS.messages - 2, 200)
        calls = [_call(number, "look", "{}") for number in range(count)]
        results = [_result(number, text) for number in range(count)]
        return {"messages": [_said("Go"), _calls(calls), *results]}

    def arguments(size: int) -> Body:
        inner = '{"a":[' + "0," * (_LIMITS.json_values - 1000) + "0]}"
        numbers = inner if len(inner) < size else '{"a":[' + "0," * (size // 2 - 10) + "0]}"
        text = "x" * max(size - len(numbers), 0)
        calls = [_call(1, "look", numbers)]
        return {"messages": [_said(text or "Go"), _calls(calls), _result(1, "sea")]}

    def forgotten(size: int) -> Body:
        """Calls of ever other tools, none of them on offer."""
        count, text = _filled(size, _LIMITS.messages // 2 - 1, 260)
        messages: list[object] = [_said("Go")]
        for number in range(count):
            messages += [_calls([_call(number, f"a.{number}", "{}")]), _result(number, text)]
        return {"messages": messages}

    yield Kind("many messages", many)
    yield Kind("many parts", parts)
    yield Kind("many system messages", system)
    yield Kind("tool calls, message by message", rounds)
    yield Kind("tool calls, all in one message", one_round)
    yield Kind("tool calls with long arguments", arguments)
    yield Kind("tool calls of forgotten tools", forgotten)


def _calls(calls: list[object]) -> Body:
    return {"role": "assistant", "content": None, "tool_calls": calls}


def _call(number: int, name: str, arguments: str) -> Body:
    function = {"name": name, "arguments": arguments}
    return {"id": f"call_{number}", "type": "function", "function": function}


def _result(number: int, text: str) -> Body:
    return {"role": "tool", "tool_call_id": f"call_{number}", "content": text}


def _media() -> Iterator[Kind]:
    def picture(size: int) -> str:
        return "data:image/png;base64," + _base64(_PNG, size)

    def spaced(size: int) -> str:
        plain = _base64(_PNG, size // 2)
        return "data:image/png;base64," + " ".join(plain)

    def image_of(url: str) -> Body:
        return {"type": "image_url", "image_url": {"url": url}}

    def file_of(data: str) -> Body:
        return {"type": "file", "file": {"filename": "a", "file_data": data}}

    def pictures(size: int) -> Body:
        count = min(_LIMITS.images, size // 300)
        return _asking([image_of(picture(size // count - 150))] * count)

    def comments(size: int) -> str:
        return "data:image/svg+xml;base64," + _base64(b"<!---->", size, b"<!---->")

    def streams(size: int) -> str:
        return "data:application/pdf;base64," + _base64(b"%PDF-1.7 ", size, b"/ObjStm ")

    def percent(size: int) -> Body:
        return _asking([file_of("data:text/plain," + "%41" * (size // 3))])

    def text_file(charset: str) -> Callable[[int], Body]:
        def make(size: int) -> Body:
            head = f"data:text/plain;charset={charset};base64,"
            return _asking([file_of(head + _base64(b"abc-", size))])

        return make

    yield Kind("a picture", lambda size: _asking([image_of(picture(size))]))
    yield Kind("a picture, spaced", lambda size: _asking([image_of(spaced(size))]))
    yield Kind("many pictures", pictures)
    yield Kind("a picture of comments", lambda size: _asking([image_of(comments(size))]), cli=False)
    yield Kind("a PDF of object streams", lambda size: _asking([file_of(streams(size))]), cli=False)
    yield Kind("a PDF", lambda size: _asking([file_of(_base64(b"%PDF-1.7 ", size))]))
    yield Kind("a file with percent signs", percent)
    for charset in ("utf-8", "gb18030", "punycode", "unicode_escape"):
        yield Kind(f"a text file, {charset}", text_file(charset))


def _base64(begins: bytes, size: int, then: bytes = b"abcdefgh") -> str:
    content = begins + then * (size // len(then))
    return base64.b64encode(content[: size * 3 // 4 - 3]).decode()


def _tool(number: int, schema: Mapping[str, object], description: str = "") -> Body:
    function = {"name": f"tool_{number}", "description": description, "parameters": schema}
    return {"type": "function", "function": function}


def _nested(levels: int) -> Body:
    schema: Body = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def _tools() -> Iterator[Kind]:
    empty = {"type": "object", "properties": {}}
    deepest = _nested((_LIMITS.json_depth - 8) // 2)
    deep_values = len(json.dumps(deepest).split(":"))

    def described(size: int) -> Body:
        count, text = _filled(size, _LIMITS.tools, 140)
        return _asking("Hi", tools=[_tool(n, empty, text) for n in range(count)])

    def deep(size: int) -> Body:
        length = len(json.dumps(_tool(100, deepest), separators=(",", ":")))
        most = min(_LIMITS.tools, _LIMITS.json_values // (deep_values * 2))
        count, text = _filled(size, most, length + 20)
        return _asking("Hi", tools=[_tool(n, deepest, text) for n in range(count)])

    def properties(size: int) -> Body:
        """Tools of a hundred properties each."""
        most = min(_LIMITS.tools, _LIMITS.json_values // 250)
        count, text = _filled(size, most, 3000)
        schema = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(100)}}
        return _asking("Hi", tools=[_tool(n, schema, text) for n in range(count)])

    def enum(size: int) -> Body:
        values = [f"value {n}" for n in range(min(_LIMITS.json_values // 2, size // 16))]
        schema = {"type": "object", "properties": {"a": {"enum": values}}}
        return _asking("x" * max(size - 16 * len(values), 1), tools=[_tool(1, schema)])

    def references(size: int) -> Body:
        """Each definition has the next one twice; followed, they are two to the power of all."""
        levels = min(_LIMITS.json_values // 12, size // 110)
        both = [{"$ref": f"#/$defs/{n + 1}"} for n in range(levels)]
        definitions = {
            str(n): {"type": "object", "properties": {"a": end, "b": end}}
            for n, end in enumerate(both)
        }
        last = {str(levels): {"type": "string"}}
        schema = {"type": "object", "properties": {"a": both[0]}, "$defs": definitions | last}
        return _asking("Hi", tools=[_tool(1, schema)])

    yield Kind("many tools", described)
    yield Kind("a tool of doubling references", references, cli=False)
    yield Kind("tools with deep schemas", deep)
    yield Kind("tools with many properties", properties)
    yield Kind("a tool with many enum values", enum)


def _schemas() -> Iterator[Kind]:
    def formatted(schema: Body, size: int) -> Body:
        wanted = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
        left = size - len(json.dumps(schema))
        return _asking("x" * max(left, 1), response_format=wanted)

    def object_of(properties: Mapping[str, object], **more: object) -> Body:
        required = list(properties)
        return {"type": "object", "properties": properties, "required": required, **more}

    def properties(size: int) -> Body:
        count = min(_LIMITS.schema_properties, size // 50)
        return formatted(object_of({f"p{n}": {"type": "string"} for n in range(count)}), size)

    def enum(size: int) -> Body:
        count = min(_LIMITS.schema_enum_values, size // 100)
        values = [f"{n}" + "x" * 100 for n in range(count)]
        return formatted(object_of({"a": {"type": "string", "enum": values}}), size)

    def references(size: int) -> Body:
        count = min(_LIMITS.schema_properties // 4, size // 100)
        definitions = {
            f"d{n}": object_of({"next": {"$ref": f"#/$defs/d{(n + 1) % count}"}})
            for n in range(count)
        }
        return formatted(object_of({"a": {"$ref": "#/$defs/d0"}}, **{"$defs": definitions}), size)

    def patterns(size: int) -> Body:
        count = min(1000, size // 100)
        texts = {f"p{n}": {"type": "string", "pattern": f"^(a+)+{n}$"} for n in range(count)}
        return formatted(object_of(texts), size)

    def one_pattern(size: int) -> Body:
        text = "(a|b)*c" * (min(_LIMITS.schema_characters - 1000, size // 2) // 7)
        return formatted(object_of({"p": {"type": "string", "pattern": text}}), size)

    def deep(size: int) -> Body:
        return formatted(_nested((_LIMITS.json_depth - 10) // 2), size)

    yield Kind("an answer of many properties", properties)
    yield Kind("an answer of many enum values", enum)
    yield Kind("an answer of many references", references)
    yield Kind("an answer of many patterns", patterns)
    yield Kind("an answer of a long pattern", one_pattern)
    yield Kind("an answer of a deep schema", deep)


def _fields() -> Iterator[Kind]:
    most = _LIMITS.json_values - 100

    def keys(size: int) -> Iterator[tuple[str, int]]:
        """Half the limit, as a key and its value count as two."""
        count, text = _filled(size, most // 2, 14)
        return ((f"{n:06d}{text}", 1) for n in range(count))

    def duplicates(size: int) -> bytes:
        body = _raw(b"Hi")[:-1]
        count = min(most // 2, size // 6)
        return body + b',"a":1' * count + b"}"

    def numbers(size: int) -> list[int]:
        count = min(most, size // 2)
        return [int("1" * max(min(size // count - 1, 4000), 1))] * count

    def deep_lists(size: int) -> bytes:
        count = min(most // 2, size // 5)
        return _raw(b"Hi")[:-1] + b',"a":[' + b"[[]]," * count + b"0]}"

    def unknown(size: int) -> Body:
        """Messages with ever other fields that have no effect."""
        count = min(_LIMITS.messages, most // 30, size // 400)
        messages = [{**_said("x"), **{f"f{n}_{m}": 1 for m in range(12)}} for n in range(count)]
        return {"messages": [*messages[:-1], _said("x" * max(size - 300 * count, 1))]}

    def stop(size: int) -> Body:
        half = " " * (size // 7)
        return _asking(half + "x", stop=[f"{half}{n}" for n in "123"] + [half * 2])

    yield Kind("metadata", lambda size: _asking("Hi", metadata=dict(keys(size))))
    yield Kind("logit_bias", lambda size: _asking("Hi", logit_bias=dict(keys(size))))
    yield Kind("unknown fields", lambda size: _asking("Hi", **dict(keys(size))))
    yield Kind("unknown fields in messages", unknown)
    yield Kind("one field again and again", duplicates)
    yield Kind("small numbers", lambda size: _asking("Hi", a=numbers(size)))
    yield Kind("empty lists", deep_lists)
    yield Kind("long stop sequences", stop)
    yield Kind("a long model name", lambda size: {**_asking("Hi"), "model": "x" * size}, cli=False)
    yield Kind("a long user", lambda size: _asking("Hi", user="x" * size))


def _invalid() -> Iterator[Kind]:
    valid = {kind.name: kind for kind in (*_messages(), *_tools(), *_media())}

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
        count = min(_LIMITS.json_values - 100, size // 2)
        return {"messages": [_said("Go"), _calls([1] * count)]}

    def allowed(size: int) -> Body:
        tools = [_tool(n, {"type": "object"}) for n in range(_LIMITS.tools)]
        left = size - len(json.dumps(tools))
        count = min(_LIMITS.json_values // 6, left // 60)
        names = [{"type": "function", "function": {"name": "tool_999"}}] * count
        choice = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": names}}
        return _asking("Hi", tools=tools, tool_choice=choice)

    def twice(size: int) -> Body:
        body = valid["many tools"].make(size)
        assert isinstance(body, dict)
        return {**body, "tools": [*body["tools"][:-1], body["tools"][0]]}

    def not_base64(size: int) -> Body:
        url = "data:image/png;base64," + _base64(_PNG, size - 10) + "A*"
        return _asking([{"type": "image_url", "image_url": {"url": url}}])

    def tool_messages(size: int) -> Body:
        count, text = _filled(size, _LIMITS.messages - 2, 100)
        return {"messages": [_said("Go"), *[_result(n, text) for n in range(count)]]}

    yield Kind("halves of characters", _repeated(b"\\ud800"), cli=False)
    yield Kind("half a surrogate pair", lambda size: _raw(b"x" * size + b"\\ud800"), cli=False)
    yield Kind("invalid UTF-8", lambda size: _raw(b"x" * size + b"\xff"), cli=False)
    yield Kind("JSON without its end", lambda size: _raw(b"\\n" * (size // 2))[:-1], cli=False)
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
        "a long type of part", lambda size: _asking([{"type": "x" * size, "text": "Hi"}]), cli=False
    )
    yield Kind(
        "a long tool name",
        lambda size: _asking("Hi", tools=[{"type": "function", "function": {"name": "x" * size}}]),
        cli=False,
    )
