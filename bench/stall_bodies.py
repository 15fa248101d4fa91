"""The kinds of bodies that `python -m bench.stalls` sends: each as large as it is asked to be.

A kind uses as much of its own limit (`limits.*`) as its size allows, and fills up the rest with
text.
"""

import json
from collections.abc import Callable, Iterator, Mapping

from bench.stall_invalid import invalid
from bench.stall_parts import (
    LIMITS,
    PNG,
    Body,
    Kind,
    asking,
    base64_of,
    call,
    calling,
    filled,
    raw,
    repeated,
    result,
    said,
    tool,
)


def all_kinds() -> tuple[Kind, ...]:
    """All of them, in the order of the table."""
    messages, media, tools = tuple(_messages()), tuple(_media()), tuple(_tools())
    spoilt = invalid({kind.name: kind for kind in (*messages, *tools, *media)})
    return (*_texts(), *messages, *media, *tools, *_schemas(), *_fields(), *spoilt)


def _texts() -> Iterator[Kind]:
    yield Kind("plain text", repeated(b"x"))
    yield Kind("text of commas and colons", repeated(b",:"))
    yield Kind("text of quotation marks", repeated(b'\\",'))
    yield Kind("escapes of characters", repeated(b"\\u4e2d"))
    yield Kind("escapes of surrogate pairs", repeated(b"\\ud83d\\ude00"))
    yield Kind("line ends", repeated(b"\\n"))
    yield Kind("Chinese text", repeated("中".encode()))
    yield Kind("emoji", repeated("😀".encode()))
    yield Kind("line separators", repeated("x\u2028".encode()))
    yield Kind("secrets", repeated(b"sk-ant-api03-xxxxxxxx "))
    yield Kind("halves of addresses", repeated(b"a.b-c+d.e@"))


def _messages() -> Iterator[Kind]:
    def many(size: int) -> Body:
        count, text = filled(size, LIMITS.messages, 40)
        roles = ("user", "assistant")
        messages = [{"role": roles[n % 2], "content": text} for n in range(count - 1)]
        return {"messages": [*messages, said("And?")]}

    def parts(size: int) -> Body:
        count, text = filled(size, LIMITS.parts, 30)
        return asking([{"type": "text", "text": text}] * count)

    def system(size: int) -> Body:
        count, text = filled(size, LIMITS.messages - 1, 40)
        return {"messages": [*[{"role": "system", "content": text}] * count, said("Hi")]}

    def rounds(size: int) -> Body:
        """Calls of one tool each, with their results."""
        count, text = filled(size, (LIMITS.messages - 2) // 2, 240)
        messages: list[object] = [said("Go")]
        for number in range(count):
            messages += [calling([call(number, "look", "{}")]), result(number, text)]
        return {"messages": [*messages, said("And?")]}

    def one_round(size: int) -> Body:
        """All calls in one message."""
        count, text = filled(size, LIMITS.messages - 2, 200)
        calls = [call(number, "look", "{}") for number in range(count)]
        results = [result(number, text) for number in range(count)]
        return {"messages": [said("Go"), calling(calls), *results]}

    def arguments(size: int) -> Body:
        inner = '{"a":[' + "0," * (LIMITS.json_values - 1000) + "0]}"
        numbers = inner if len(inner) < size else '{"a":[' + "0," * (size // 2 - 10) + "0]}"
        text = "x" * max(size - len(numbers), 0)
        calls = [call(1, "look", numbers)]
        return {"messages": [said(text or "Go"), calling(calls), result(1, "sea")]}

    def forgotten(size: int) -> Body:
        """Calls of ever other tools, none of them on offer."""
        count, text = filled(size, LIMITS.messages // 2 - 1, 260)
        messages: list[object] = [said("Go")]
        for number in range(count):
            messages += [calling([call(number, f"a.{number}", "{}")]), result(number, text)]
        return {"messages": messages}

    yield Kind("many messages", many)
    yield Kind("many parts", parts)
    yield Kind("many system messages", system)
    yield Kind("tool calls, message by message", rounds)
    yield Kind("tool calls, all in one message", one_round)
    yield Kind("tool calls with long arguments", arguments)
    yield Kind("tool calls of forgotten tools", forgotten)


def _media() -> Iterator[Kind]:
    def picture(size: int) -> str:
        return "data:image/png;base64," + base64_of(PNG, size)

    def spaced(size: int) -> str:
        plain = base64_of(PNG, size // 2)
        return "data:image/png;base64," + " ".join(plain)

    def image_of(url: str) -> Body:
        return {"type": "image_url", "image_url": {"url": url}}

    def file_of(data: str) -> Body:
        return {"type": "file", "file": {"filename": "a", "file_data": data}}

    def pictures(size: int) -> Body:
        count = min(LIMITS.images, size // 300)
        return asking([image_of(picture(size // count - 150))] * count)

    def comments(size: int) -> str:
        return "data:image/svg+xml;base64," + base64_of(b"<!---->", size, b"<!---->")

    def streams(size: int) -> str:
        return "data:application/pdf;base64," + base64_of(b"%PDF-1.7 ", size, b"/ObjStm ")

    def percent(size: int) -> Body:
        return asking([file_of("data:text/plain," + "%41" * (size // 3))])

    def text_file(charset: str) -> Callable[[int], Body]:
        def make(size: int) -> Body:
            head = f"data:text/plain;charset={charset};base64,"
            return asking([file_of(head + base64_of(b"abc-", size))])

        return make

    yield Kind("a picture", lambda size: asking([image_of(picture(size))]))
    yield Kind("a picture, spaced", lambda size: asking([image_of(spaced(size))]))
    yield Kind("many pictures", pictures)
    yield Kind("a picture of comments", lambda size: asking([image_of(comments(size))]), cli=False)
    yield Kind("a PDF of object streams", lambda size: asking([file_of(streams(size))]), cli=False)
    yield Kind("a PDF", lambda size: asking([file_of(base64_of(b"%PDF-1.7 ", size))]))
    yield Kind("a file with percent signs", percent)
    for charset in ("utf-8", "gb18030", "punycode", "unicode_escape"):
        yield Kind(f"a text file, {charset}", text_file(charset))


def _nested(levels: int) -> Body:
    schema: Body = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def _tools() -> Iterator[Kind]:
    empty = {"type": "object", "properties": {}}
    deepest = _nested((LIMITS.json_depth - 8) // 2)
    deep_values = len(json.dumps(deepest).split(":"))

    def described(size: int) -> Body:
        count, text = filled(size, LIMITS.tools, 140)
        return asking("Hi", tools=[tool(n, empty, text) for n in range(count)])

    def deep(size: int) -> Body:
        length = len(json.dumps(tool(100, deepest), separators=(",", ":")))
        most = min(LIMITS.tools, LIMITS.json_values // (deep_values * 2))
        count, text = filled(size, most, length + 20)
        return asking("Hi", tools=[tool(n, deepest, text) for n in range(count)])

    def properties(size: int) -> Body:
        """Tools of a hundred properties each."""
        most = min(LIMITS.tools, LIMITS.json_values // 250)
        count, text = filled(size, most, 3000)
        schema = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(100)}}
        return asking("Hi", tools=[tool(n, schema, text) for n in range(count)])

    def enum(size: int) -> Body:
        values = [f"value {n}" for n in range(min(LIMITS.json_values // 2, size // 16))]
        schema = {"type": "object", "properties": {"a": {"enum": values}}}
        return asking("x" * max(size - 16 * len(values), 1), tools=[tool(1, schema)])

    def references(size: int) -> Body:
        """Each definition has the next one twice; followed, they are two to the power of all."""
        levels = min(LIMITS.json_values // 12, size // 110)
        both = [{"$ref": f"#/$defs/{n + 1}"} for n in range(levels)]
        definitions = {
            str(n): {"type": "object", "properties": {"a": end, "b": end}}
            for n, end in enumerate(both)
        }
        last = {str(levels): {"type": "string"}}
        schema = {"type": "object", "properties": {"a": both[0]}, "$defs": definitions | last}
        return asking("Hi", tools=[tool(1, schema)])

    yield Kind("many tools", described)
    yield Kind("a tool of doubling references", references, cli=False)
    yield Kind("tools with deep schemas", deep)
    yield Kind("tools with many properties", properties)
    yield Kind("a tool with many enum values", enum)


def _schemas() -> Iterator[Kind]:
    def formatted(schema: Body, size: int) -> Body:
        wanted = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
        left = size - len(json.dumps(schema))
        return asking("x" * max(left, 1), response_format=wanted)

    def object_of(properties: Mapping[str, object], **more: object) -> Body:
        required = list(properties)
        return {"type": "object", "properties": properties, "required": required, **more}

    def properties(size: int) -> Body:
        count = min(LIMITS.schema_properties, size // 50)
        return formatted(object_of({f"p{n}": {"type": "string"} for n in range(count)}), size)

    def enum(size: int) -> Body:
        count = min(LIMITS.schema_enum_values, size // 100)
        values = [f"{n}" + "x" * 100 for n in range(count)]
        return formatted(object_of({"a": {"type": "string", "enum": values}}), size)

    def references(size: int) -> Body:
        count = min(LIMITS.schema_properties // 4, size // 100)
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
        text = "(a|b)*c" * (min(LIMITS.schema_characters - 1000, size // 2) // 7)
        return formatted(object_of({"p": {"type": "string", "pattern": text}}), size)

    def deep(size: int) -> Body:
        return formatted(_nested((LIMITS.json_depth - 10) // 2), size)

    yield Kind("an answer of many properties", properties)
    yield Kind("an answer of many enum values", enum)
    yield Kind("an answer of many references", references)
    yield Kind("an answer of many patterns", patterns)
    yield Kind("an answer of a long pattern", one_pattern)
    yield Kind("an answer of a deep schema", deep)


def _fields() -> Iterator[Kind]:
    most = LIMITS.json_values - 100

    def keys(size: int) -> Iterator[tuple[str, int]]:
        """Half the limit, as a key and its value count as two."""
        count, text = filled(size, most // 2, 14)
        return ((f"{n:06d}{text}", 1) for n in range(count))

    def duplicates(size: int) -> bytes:
        body = raw(b"Hi")[:-1]
        count = min(most // 2, size // 6)
        return body + b',"a":1' * count + b"}"

    def numbers(size: int) -> list[int]:
        count = min(most, size // 2)
        return [int("1" * max(min(size // count - 1, 4000), 1))] * count

    def deep_lists(size: int) -> bytes:
        count = min(most // 2, size // 5)
        return raw(b"Hi")[:-1] + b',"a":[' + b"[[]]," * count + b"0]}"

    def unknown(size: int) -> Body:
        """Messages with ever other fields that have no effect."""
        count = min(LIMITS.messages, most // 30, size // 400)
        messages = [{**said("x"), **{f"f{n}_{m}": 1 for m in range(12)}} for n in range(count)]
        return {"messages": [*messages[:-1], said("x" * max(size - 300 * count, 1))]}

    def stop(size: int) -> Body:
        half = " " * (size // 7)
        return asking(half + "x", stop=[f"{half}{n}" for n in "123"] + [half * 2])

    yield Kind("metadata", lambda size: asking("Hi", metadata=dict(keys(size))))
    yield Kind("logit_bias", lambda size: asking("Hi", logit_bias=dict(keys(size))))
    yield Kind("unknown fields", lambda size: asking("Hi", **dict(keys(size))))
    yield Kind("unknown fields in messages", unknown)
    yield Kind("one field again and again", duplicates)
    yield Kind("small numbers", lambda size: asking("Hi", a=numbers(size)))
    yield Kind("empty lists", deep_lists)
    yield Kind("long stop sequences", stop)
    yield Kind("a long model name", lambda size: {**asking("Hi"), "model": "x" * size}, cli=False)
    yield Kind("a long user", lambda size: asking("Hi", user="x" * size))
