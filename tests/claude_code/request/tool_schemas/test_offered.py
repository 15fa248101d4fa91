"""A tool as it is offered: its top as one object, names there and back, references that lead."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.errors import InvalidRequest
from gateway.types import Message, PartDelta, PartEnd, PartStart, StreamEvent, Tool, ToolCall
from gateway_claude_code.request.history import turns
from gateway_claude_code.request.tool_schemas.exact_text import body_with_exact_tools
from gateway_claude_code.request.tool_schemas.offered import OfferedTool, offered
from gateway_claude_code.request.tools.tool_names import ToolNames
from gateway_claude_code.response.own_arguments import OwnArguments
from tests.work import is_linear

STRING = {"type": "string"}
A = {"type": "object", "properties": {"a": STRING}, "required": ["a"]}
B = {"type": "object", "properties": {"b": STRING}, "required": ["b"]}


def an_object(*names: str, **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": dict.fromkeys(names, STRING), **more}


def offer(schema: dict[str, Any]) -> OfferedTool:
    return offered(Tool(name="f", description="Does.", schema=schema))


# -- the top of a schema -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"allOf": [A, B]}, an_object("a", "b", required=["a", "b"])),
        ({"$ref": "#/$defs/A", "$defs": {"A": A}}, {**A, "$defs": {"A": A}}),
        (an_object("c", allOf=[A], required=["c"]), an_object("c", "a", required=["c", "a"])),
        ({"anyOf": [A]}, A),
        ({"anyOf": [{"type": "null"}, A]}, an_object("a", required=["a"])),
        (
            {"allOf": [an_object("a"), {"type": "object", "properties": {"a": {"minLength": 1}}}]},
            {"type": "object", "properties": {"a": {"allOf": [STRING, {"minLength": 1}]}}},
        ),
        (
            {"allOf": [{"anyOf": [{"$ref": "#/definitions/A"}]}], "definitions": {"A": A}},
            {**A, "definitions": {"A": A}},
        ),
        ({"type": "OBJECT"}, {"type": "object"}),
        ({"type": ["object", "null"], "properties": {}}, {"type": "object", "properties": {}}),
    ],
    ids=str,
)
def test_a_composition_at_the_top_becomes_one_object(given: Any, expected: Any) -> None:
    assert offer(given).tool.schema == expected


def test_a_choice_at_the_top_keeps_all_properties_and_is_said_in_words() -> None:
    kinds = [
        {"type": "object", "properties": {"kind": {"const": kind}, kind: STRING},
         "required": ["kind", kind], "additionalProperties": False}
        for kind in ("x", "y")
    ]  # fmt: skip
    tool = offer({"type": "object", "oneOf": kinds}).tool
    assert tool.schema == {
        "type": "object",
        "properties": {"kind": {"enum": ["x", "y"]}, "x": STRING, "y": STRING},
        "required": ["kind"],
        "additionalProperties": False,
    }
    assert tool.description.startswith("Does.\n\n")
    assert json.loads(tool.description.partition("Schema: ")[2]) == {"oneOf": kinds}


@pytest.mark.parametrize(
    ("keyword", "words"),
    [
        ("oneOf", "Give exactly one of these sets of arguments: (a) or (b, c)."),
        ("anyOf", "Give at least one of these sets of arguments: (a) or (b, c)."),
    ],
)
def test_sets_of_arguments_are_named(keyword: str, words: str) -> None:
    schema = an_object("a", "b", "c", **{keyword: [{"required": ["a"]}, {"required": ["b", "c"]}]})
    tool = offer(schema).tool
    assert (tool.schema, tool.description) == (an_object("a", "b", "c"), f"Does.\n\n{words}")


def test_a_branch_that_leads_to_itself_ends() -> None:
    loop = {"anyOf": [{"$ref": "#/$defs/A"}, B]}
    tool = offer({"$ref": "#/$defs/A", "$defs": {"A": loop}}).tool
    assert tool.schema["properties"] == {"b": STRING}
    assert "#/$defs/A" in tool.description


# -- references ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["$defs", "definitions"])
def test_a_reference_that_leads_somewhere_stays(name: str) -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": f"#/{name}/A"}}, name: {"A": STRING}}
    assert offer(schema).tool.schema is schema


@pytest.mark.parametrize("reference", ["#/$defs/B", "http://localhost/a.json", "B", "#b", ""])
def test_a_reference_that_leads_nowhere_is_said_in_words(reference: str) -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": reference, "description": "A."}}}
    found = offer(schema).tool.schema["properties"]["a"]
    assert found in ({"description": f"A.\n($ref: {reference})"}, {"$ref": "", "description": "A."})


@pytest.mark.parametrize("reference", ["A", "#/components/schemas/A", "#/definitions/A"])
def test_a_reference_finds_the_definition_of_its_name(reference: str) -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": reference}}, "$defs": {"A": STRING}}
    assert offer(schema).tool.schema["properties"]["a"] == {"$ref": "#/$defs/A"}


def test_a_reference_to_what_has_moved_follows_it() -> None:
    pair = {"type": "array", "items": [STRING]}
    schema = an_object("c", allOf=[{"properties": {"$d": {"$ref": "#/properties/pair/items/0"}}}])
    schema["properties"] |= {"pair": pair, "all": {"$ref": "#"}, "p": {"$ref": "#/properties/pair"}}
    moved = offer(schema).tool.schema
    found = moved["properties"]
    homes = {
        key: moved["$defs"][found[key]["$ref"].rpartition("/")[2]] for key in ("d", "all", "p")
    }
    assert homes["d"] == STRING
    assert homes["p"] == {"type": "array", "prefixItems": [STRING]}
    assert homes["all"]["properties"]["all"] == found["all"]
    assert "allOf" in homes["all"]  # which is fine below the top


# -- schemas that mean more work than they have lines ----------------------------------------


def nested(levels: int, times: int) -> dict[str, Any]:
    """Definitions that each refer to the next one so many times; the last has a choice."""
    defs: dict[str, Any] = {f"D{n}": {"allOf": [{"$ref": f"#/$defs/D{n + 1}"}] * times}
                            for n in range(levels)}  # fmt: skip
    defs[f"D{levels}"] = {"oneOf": [A, B]}
    return {"$ref": "#/$defs/D0", "$defs": defs}


def test_a_choice_is_said_once_however_often_it_is_referred_to() -> None:
    assert offer(nested(2, 10)).tool.description.count("oneOf") == 1


@pytest.mark.parametrize(
    "schema",
    [
        nested(10, 10),
        {"allOf": [{"$ref": "#/$defs/A"}] * 2000, "$defs": {"A": an_object(*map(str, range(2000)))}},
        {"allOf": [{"properties": {"a": {"minLength": n}}} for n in range(1000)]},
        {**an_object("$a"), "oneOf": [{"$ref": "#/$defs/A"}] * 9,
         "$defs": {"A": {"type": "array", "description": "x" * 200_000}}},
    ],
    ids=["references to references", "large definitions", "one property", "definitions in words"],
)  # fmt: skip
def test_a_schema_that_is_too_involved_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=r"tool 'f' .* too complex") as caught:
        offered(Tool(name="f", schema=schema, place="tools[0].function.parameters"))
    assert caught.value.param == "tools[0].function.parameters"


def test_definitions_of_one_name_cost_no_more_than_their_number() -> None:
    def work(size: int) -> Callable[[], object]:
        places = {f"p{n}": {"type": "object", "properties": {"x": STRING}} for n in range(size)}
        users = {f"u{n}": {"$ref": f"#/properties/p{n}/properties/x"} for n in range(size)}
        schema = {"allOf": [A], "type": "object", "properties": {**places, **users}}
        return lambda: offer(schema)

    assert is_linear(work, 300)


# -- names ---------------------------------------------------------------------------------

LONG = "x" * 70
STRANGE = an_object("$filter", "ids[]", "due date", "größe", LONG, "filter", "plain",
                    required=["$filter", "plain"])  # fmt: skip


def test_names_that_the_api_refuses_are_changed_with_all_that_speaks_of_them() -> None:
    schema = {
        **STRANGE,
        "dependentRequired": {"ids[]": ["größe"]},
        "if": {"required": ["due date"]},
        "then": {"properties": {"$filter": {"minLength": 1}}},
    }
    found = offer(schema)
    names = {own: name for name, own in found.names.items()}
    assert names == {
        "$filter": "filter_1",
        "ids[]": "ids",
        "due date": "due_date",
        "größe": "grosse",
        LONG: "x" * 50,
    }
    changed = found.tool.schema
    assert changed["properties"]["filter_1"] == {"title": "$filter", **STRING}
    assert changed["properties"]["plain"] == STRING
    assert changed["required"] == ["filter_1", "plain"]
    assert changed["dependentRequired"] == {"ids": ["grosse"]}
    assert changed["if"] == {"required": ["due_date"]}
    assert set(changed["then"]["properties"]) == {"filter_1"}


def test_names_within_an_argument_stay_as_they_are() -> None:
    schema = {"type": "object", "properties": {"a": STRANGE}}
    assert offer(schema).tool.schema is schema


NAMES = ToolNames(["f", "g"], {"f": {"filter": "$filter", "ids": "ids[]"}})


def restored(name: str, *pieces: str) -> list[str]:
    own = OwnArguments(NAMES)
    events: list[StreamEvent] = [
        PartStart(index=0, part=ToolCall(id="1", name=name, arguments="")),
        *(PartDelta(index=0, text=piece) for piece in pieces),
        PartEnd(index=0),
    ]
    found = [answered for event in events for answered in own.feed(event)]
    assert isinstance(found[-1], PartEnd)
    return [event.text for event in found if isinstance(event, PartDelta)]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('{"filter": "x eq 1", "n": 1.50}', '{"$filter": "x eq 1", "n": 1.50}'),
        ('{"a": {"filter": 1}, "ids": ["filter"]}', '{"a": {"filter": 1}, "ids[]": ["filter"]}'),
        ('{"f\\u0069lter": 1, "x": "\\"filter\\": 2"}', '{"$filter": 1, "x": "\\"filter\\": 2"}'),
        ("{}", "{}"),
        ('{"filter": "cut of', '{"$filter": "cut of'),
        ('{"fil', '{"fil'),
    ],
)
@pytest.mark.parametrize("size", [1, 4, 100])
def test_arguments_come_whole_under_the_clients_names(
    written: str, expected: str, size: int
) -> None:
    pieces = [written[start : start + size] for start in range(0, len(written), size)]
    assert restored("f", *pieces) == [expected]


def test_arguments_without_changed_names_stream_on() -> None:
    assert restored("g", '{"fil', 'ter": 1}') == ['{"fil', 'ter": 1}']
    assert restored("f") == []


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ('{"$filter": 1, "a": {"$filter": 2}}', {"filter": 1, "a": {"$filter": 2}}),
        ('{"$filter": 1, "filter": 2}', {"$filter": 1, "filter": 2}),  # nothing may get lost
        ("no JSON", {"arguments": "no JSON"}),
    ],
)
def test_earlier_calls_have_the_names_that_the_model_knows(arguments: str, sent: Any) -> None:
    call = Message(role="assistant", parts=(ToolCall(id="1", name="f", arguments=arguments),))
    assert turns([call], NAMES)[1].blocks[0]["input"] == sent


# -- exact texts ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["plain", "größe € 道具 🔧", "一", "e\u0301".replace("e\u0301", "é")]
)
def test_texts_that_the_cli_keeps_need_nothing(text: str) -> None:
    tool = Tool(name="f", description=text, schema={**A, "x": text})
    assert body_with_exact_tools([tool], ToolNames(["f"])) == {}


@pytest.mark.parametrize(
    "text", ["m²", "…", "\uff08x\uff09", "a\u200bb", "a\u00a0b", "👨\u200d👩", "e\u0301"]
)
@pytest.mark.parametrize("place", ["description", "schema"])
def test_texts_that_the_cli_would_change_go_into_the_body(text: str, place: str) -> None:
    fields: Any = {"description": text} if place == "description" else {"schema": {**A, "x": text}}
    tool, other = Tool(name="f.x", **fields), Tool(name="g")
    assert body_with_exact_tools([tool, other], ToolNames(["f.x", "g"])) == {
        "tools": [
            {"name": "mcp__t__f_x", "description": tool.description, "input_schema": tool.schema},
            {"name": "mcp__t__g", "description": "", "input_schema": other.schema},
        ]
    }


def test_a_name_that_the_cli_drops_goes_into_the_body() -> None:
    tool = Tool(name="f", schema=an_object("a", x={"__proto__": {}}))
    assert (
        body_with_exact_tools([tool], ToolNames(["f"]))["tools"][0]["input_schema"] == tool.schema
    )
