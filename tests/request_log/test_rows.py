"""What a row says of a request and its outcome."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from gateway.context import Outcome, RequestContext
from gateway.errors import BackendFailed, InvalidRequest
from gateway.types import (
    ChatRequest,
    Client,
    Document,
    Image,
    Message,
    Source,
    Target,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Usage,
    WebSearch,
)
from gateway_request_log.observer import RowObserver
from gateway_request_log.row import Answered, Bodies, Row, as_json, clean, explain
from tests.request_log.request_log_support import row

REQUEST = ChatRequest(
    model="claude-sonnet-4",
    messages=(Message(role="user", parts=(Text(text="Hi"),)),),
    tools=(Tool(name="a"), Tool(name="b")),
    client=Client(key="ci", user_agent="curl/8"),
)
USAGE = Usage(
    input_tokens=1, cache_read_tokens=20, cache_write_tokens=3, output_tokens=7, reasoning_tokens=2
)


Observe = Callable[[RequestContext], RowObserver]


@pytest.fixture
def kept() -> list[Answered]:
    return []


@pytest.fixture
def observe(kept: list[Answered], monkeypatch: pytest.MonkeyPatch) -> Observe:
    """Observers of `REQUEST`, at a time that stands still."""
    now = datetime(2026, 1, 2, 3, 4, 5, 600_000, tzinfo=UTC).timestamp()
    monkeypatch.setattr(time, "time", lambda: now)
    return lambda ctx: RowObserver(REQUEST, ctx, kept.append)


def test_the_row_of_an_answer(observe: Observe, kept: list[Answered]) -> None:
    ctx = RequestContext(
        request_id="req_1",
        target=Target(model="claude-sonnet-4", backend="claude-code", name="sonnet"),
        timings={"ready": 0.5, "asked": 0.75},
    )
    observe(ctx).on_end(
        Outcome(
            status="completed",
            duration=1.5,
            first_token=1.25,
            tool_calls=1,
            usage=USAGE,
            stop_reason="tool_calls",
            model="s-1",
        )
    )
    [answered] = kept
    assert answered.row() == Row(
        time="2026-01-02T03:04:04.100+00:00",
        request_id="req_1",
        key="ci",
        client="curl/8",
        model="claude-sonnet-4",
        backend="claude-code",
        backend_model="s-1",
        status="completed",
        finish_reason="tool_calls",
        queue_ms=500,
        asked_ms=750,
        first_token_ms=1250,
        total_ms=1500,
        input_tokens=24,
        output_tokens=7,
        cached_tokens=20,
        reasoning_tokens=2,
        tools_offered=2,
        tool_calls=1,
        error_code=None,
        error_message=None,
    )


def test_what_is_not_known_is_null(observe: Observe, kept: list[Answered]) -> None:
    observe(RequestContext(request_id="r")).on_end(Outcome(status="cancelled", duration=0.1))
    found = kept[0].row()
    assert (found.backend, found.backend_model, found.finish_reason) == (None, None, None)
    assert (found.queue_ms, found.asked_ms, found.first_token_ms) == (None, None, None)
    assert (found.input_tokens, found.output_tokens, found.cost_usd) == (None, None, None)


def test_a_cost_that_comes_before_or_after_the_end_is_added(
    observe: Observe, kept: list[Answered]
) -> None:
    observer = observe(RequestContext(request_id="r"))
    observer.on_cost(0.125)
    observer.on_end(Outcome(status="completed", duration=0.1))
    observer.on_cost(0.25)
    assert kept[0].row().cost_usd == 0.375


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (None, None, None),
        (BackendFailed("it died"), "backend_error", "it died"),
        (InvalidRequest("no"), "status_400", "no"),
        (ValueError("inner matters"), "internal_error", "the gateway failed"),
        (BackendFailed("key sk-abcdefgh12 refused"), "backend_error", "key [redacted] refused"),
        (KeyboardInterrupt(), None, None),
    ],
)
def test_errors(error: BaseException | None, code: str | None, message: str | None) -> None:
    assert explain(error) == (code, message)


def test_halves_of_characters_are_replaced() -> None:
    assert clean("a\ud800b") == "a?b"


BODIES = Bodies(
    request=ChatRequest(
        model="m",
        system="the key is sk-abcdefgh12",
        messages=(
            Message(
                role="user",
                parts=(
                    Text(text="Bearer abcdefgh12"),
                    Image(media_type="image/png", data="AAAA"),
                    ToolResult(call_id="c", parts=(Text(text="ghp_" + "a" * 30),)),
                    Document(media_type="text/plain", data="secret file"),
                ),
            ),
        ),
    ),
    answer=(
        Thinking(text="hm"),
        Text(text="\ud800"),
        ToolCall(id="c", name="f", arguments='{"k": "sk-abcdefgh12"}'),
        WebSearch(
            id="s", query="Bearer abcdefgh12", sources=(Source(url="u"),), status="completed"
        ),
    ),
)


def test_bodies_have_no_secrets_and_no_files() -> None:
    request, answer = map(json.loads, BODIES.texts())
    assert request == {
        "system": "the key is [redacted]",
        "messages": [
            {
                "role": "user",
                "parts": [
                    {"type": "text", "text": "Bearer [redacted]"},
                    {"type": "image", "media_type": "image/png", "characters": 4},
                    {
                        "type": "tool_result",
                        "call_id": "c",
                        "parts": [{"type": "text", "text": "[redacted]"}],
                    },
                    {"type": "document", "media_type": "text/plain", "characters": 11},
                ],
            }
        ],
    }
    assert answer == [
        {"type": "thinking", "text": "hm"},
        {"type": "text", "text": "?"},
        {"type": "tool_call", "id": "c", "name": "f", "arguments": '{"k": "[redacted]"}'},
        {
            "type": "web_search",
            "query": "Bearer [redacted]",
            "status": "completed",
            "error": None,
            "pages": 1,
        },
    ]


def test_the_size_of_bodies_is_that_of_their_texts_and_files() -> None:
    assert BODIES.characters == 24 + 17 + 4 + 34 + 11 + 2 + 1 + 22 + 17


def test_as_json_bodies_are_values() -> None:
    assert "request" not in as_json(row())
    assert as_json(row(request='{"system": ""}', answer="[]"))["request"] == {"system": ""}
