"""Structured output with the real CLI: the API's own, and by the CLI's tool without force."""

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from gateway.errors import BackendFailed
from gateway.types import PartDelta, PartStart, ResponseEnd, ResponseFormat, StreamEvent, Text
from gateway_claude_code.request.answer_schemas.answer_schema import AnswerSchema
from gateway_claude_code.request.tools.tool_names import ToolNames
from gateway_claude_code.response.events import EventReader, read_stream_event
from gateway_claude_code.response.json_answer import json_answer
from gateway_claude_code.upstream import (
    Answer,
    Reply,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    Upstream,
    in_order,
    text_answer,
)
from tests.cells import on_demand
from tests.claude_code.request.answer_schemas.schema_support import SCHEMAS

pytestmark = pytest.mark.e2e

Schema = dict[str, Any]
Line = dict[str, Any]

ARGUMENTS = (
    "-p",
    *("--input-format", "stream-json", "--output-format", "stream-json", "--verbose"),
    *("--include-partial-messages", "--tools", "", "--strict-mcp-config"),
    *("--setting-sources", "", "--disable-slash-commands", "--no-session-persistence"),
    *("--allowedTools", "mcp__t"),
)
UNASSISTED = {
    "CLAUDE_CODE_MAX_RETRIES": "0",
    "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "ENABLE_TOOL_SEARCH": "false",
}
MODELS = (on_demand("opus"), "sonnet", on_demand("haiku"), "claude-sonnet-4-5")
INTEGER = {"type": "integer"}
OBJECT = {"type": "object", "properties": {"a": INTEGER}, "required": ["a"]}
FREE_FORM = {**OBJECT, "additionalProperties": True}
CALL_AGAIN = "[structured-output-enforce]"
"""What the CLI's own message begins with that asks for the structured output once more."""


@dataclass
class Asked:
    """One question to the CLI: the lines that it printed, read as the gateway reads them."""

    lines: Sequence[Line]
    reader: EventReader

    def events(self) -> list[StreamEvent]:
        """The hub's events. Raises `BackendFailed` for an answer that is not as asked."""
        found: list[StreamEvent] = []
        for line in self.lines:
            if line["type"] == "stream_event" and not self.reader.ended:
                found += read_stream_event(self.reader, line)
        if not self.reader.ended:
            found += self.reader.end(ResponseEnd(stop_reason="end"))
        anyio.run(self.reader.check)
        return found

    def text(self) -> str:
        """The answer's text, and nothing of its thinking."""
        events = self.events()
        texts = {
            event.index
            for event in events
            if isinstance(event, PartStart) and isinstance(event.part, Text)
        }
        said = (event for event in events if isinstance(event, PartDelta) and event.index in texts)
        assert events[-1] == ResponseEnd(stop_reason="end")
        return "".join(event.text for event in said)


Ask = Callable[..., Asked]


@pytest.fixture
def ask(
    cli_command: str, cli_environment: dict[str, str], upstream: Upstream, tmp_path: Path
) -> Ask:
    """Ask for an answer of a schema, natively or by the CLI's tool."""

    def run(
        schema: Schema | None, *replies: Reply, native: bool, model: str = "sonnet", **more: Any
    ) -> Asked:
        if replies:
            upstream.script = in_order(*replies)
        answer = AnswerSchema.of(schema) if schema is not None else None
        initialize: Line = {"subtype": "initialize", "systemPrompt": ["Be brief."], **more}
        body: Line = {}
        if answer is not None and native:
            assert answer.not_native == ""
            body["output_config"] = {"format": {"type": "json_schema", "schema": answer.native}}
        elif answer is not None:
            initialize["jsonSchema"] = answer.for_cli
        settings = {"env": {"CLAUDE_CODE_EXTRA_BODY": json.dumps(body)}, "effortLevel": "high"}
        content = [{"type": "text", "text": "Hello"}]
        lines = [
            control("1", initialize),
            control("2", {"subtype": "apply_flag_settings", "settings": settings}),
            {"type": "user", "message": {"role": "user", "content": content}},
        ]
        done = subprocess.run(
            [cli_command, *ARGUMENTS, "--model", model],
            input="".join(json.dumps(line) + "\n" for line in lines),
            env={**cli_environment, **UNASSISTED},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        form = ResponseFormat(kind="json_schema", schema=schema)
        reader = EventReader(ToolNames(["look"]), json_answer(form, answer, native=native))
        return Asked([json.loads(line) for line in done.stdout.splitlines()], reader)

    return run


def control(request_id: str, request: Line) -> Line:
    return {"type": "control_request", "request_id": request_id, "request": request}


def output(value: Any) -> Answer:
    return Answer(blocks=(ThinkingBlock("Well."), ToolUseBlock("StructuredOutput", value)))


# -- natively -----------------------------------------------------------------------------


@pytest.mark.parametrize(("schema", "value", "sent"), SCHEMAS.values(), ids=SCHEMAS)
def test_the_schema_reaches_the_upstream_and_the_answer_is_the_clients(
    ask: Ask, upstream: Upstream, schema: Schema, value: Any, sent: Any
) -> None:
    reply = Answer(blocks=(ThinkingBlock("Well."), TextBlock(json.dumps(sent))), piece_chars=3)
    answer = ask(schema, reply, native=True)
    assert json.loads(answer.text()) == value
    (request,) = upstream.requests
    wanted = {"type": "json_schema", "schema": AnswerSchema.of(schema).native}
    assert request.body["output_config"] == {"format": wanted, "effort": "high"}


@pytest.mark.parametrize("model", MODELS)
def test_there_is_neither_a_tool_nor_force_and_thinking_stays(
    ask: Ask, upstream: Upstream, model: str
) -> None:
    assert ask(OBJECT, text_answer('{"a":', "1}"), native=True, model=model).text() == '{"a":1}'
    (request,) = upstream.requests
    assert request.tools == []
    assert request.tool_choice == {"type": "auto"}
    assert request.body["thinking"]["type"] in ("adaptive", "enabled")


def test_the_stand_in_answers_by_the_schema(ask: Ask) -> None:
    assert ask(SCHEMAS["a list"][0], native=True).text() == "[]"


def test_an_answer_that_misses_the_schema_is_a_failure_and_the_cli_does_not_mind(
    ask: Ask, upstream: Upstream
) -> None:
    answer = ask(OBJECT, text_answer('{"a":', '"x"}'), native=True)
    assert answer.lines[-1]["is_error"] is False
    assert len(upstream.requests) == 1
    with pytest.raises(BackendFailed, match='a: "x" is not of type "integer"'):
        answer.events()


def test_a_refusal_is_passed_on(ask: Ask) -> None:
    answer = ask(
        OBJECT, Answer(blocks=(TextBlock("I can't."),), stop_reason="refusal"), native=True
    )
    *_, end = answer.events()
    assert end == ResponseEnd(stop_reason="refusal")


# -- by the CLI's tool, without force -----------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_the_tool_is_called_unforced_beside_thinking(
    ask: Ask, upstream: Upstream, model: str
) -> None:
    answer = ask(FREE_FORM, output({"a": 1, "b": 2}), native=False, model=model)
    assert json.loads(answer.text()) == {"a": 1, "b": 2}
    request = upstream.requests[0]
    assert [tool["name"] for tool in request.tools] == ["StructuredOutput"]
    assert request.tool_choice == {"type": "auto"}
    assert request.body["thinking"]["type"] in ("adaptive", "enabled")


@pytest.mark.parametrize(
    ("schema", "why", "value"),
    [
        (FREE_FORM, "the answer may have any property (additionalProperties)", {"a": 1, "x": {}}),
        (
            {"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#"}}}},
            "'kids[].kids[]' is recursive (#)",
            {"kids": [{"kids": []}]},
        ),
    ],
    ids=["free-form", "recursive"],
)
def test_what_is_not_native_takes_the_tool(ask: Ask, schema: Schema, why: str, value: Any) -> None:
    assert AnswerSchema.of(schema).not_native == why
    assert json.loads(ask(schema, output(value), native=False).text()) == value


def test_prose_is_asked_for_again_by_the_cli(ask: Ask, upstream: Upstream) -> None:
    prose = Answer(blocks=(ThinkingBlock("Well."), TextBlock("prose")))
    assert ask(FREE_FORM, prose, output({"a": 1}), native=False).text() == '{"a": 1}'
    _, again = upstream.requests
    assert again.last_user_text.startswith(CALL_AGAIN)
    assert again.tool_choice == {"type": "auto"}


def test_prose_twice_is_a_failure(ask: Ask, upstream: Upstream) -> None:
    answer = ask(FREE_FORM, text_answer("prose"), native=False)
    assert answer.lines[-1]["is_error"] is False
    assert "structured_output" not in answer.lines[-1]
    assert len(upstream.requests) == 2
    with pytest.raises(BackendFailed, match="it is prose"):
        answer.events()


def test_prose_that_is_the_json_is_the_answer(ask: Ask) -> None:
    assert ask(FREE_FORM, text_answer('{"a": 1}'), native=False).text() == '{"a": 1}'


# -- a tool's `strict` --------------------------------------------------------------------


@pytest.mark.parametrize(
    "strict",
    [
        {"strict": True},
        {"annotations": {"readOnlyHint": True, "strict": True}},
        {"_meta": {"strict": True, "anthropic/strict": True}},
    ],
    ids=["the tool", "annotations", "_meta"],
)
def test_no_way_of_listing_a_tool_makes_it_strict(
    ask: Ask, upstream: Upstream, strict: Line
) -> None:
    schema = {**OBJECT, "additionalProperties": False}
    listed = {"tools": [{"name": "look", "inputSchema": schema, **strict}]}
    server = {
        "protocolVersion": "2025-11-25",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "t", "version": "1"},
    }
    manifest = {"t": {"initializeResult": server, "toolsListResult": listed}}
    ask(None, native=False, sdkMcpServers=["t"], sdkMcpServerManifests=manifest)
    (tool,) = upstream.requests[0].tools
    assert (tool["name"], tool["input_schema"]) == ("mcp__t__look", schema)
    assert "strict" not in tool
