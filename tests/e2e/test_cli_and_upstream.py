"""The real CLI, driven by hand, on the embedded upstream: what the backend is built on."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway_claude_code.upstream import (
    Answer,
    Cut,
    Failure,
    Reply,
    StreamError,
    TextBlock,
    ThinkingBlock,
    Upstream,
    in_order,
    text_answer,
)

pytestmark = pytest.mark.e2e

Line = dict[str, Any]
Ask = Callable[..., list[Line]]

ARGUMENTS = (
    "-p",
    *("--input-format", "stream-json", "--output-format", "stream-json", "--verbose"),
    *("--include-partial-messages", "--tools", "", "--strict-mcp-config"),
    *("--setting-sources", "", "--disable-slash-commands", "--no-session-persistence"),
)
INITIALIZE = {"subtype": "initialize", "systemPrompt": ["Be brief."]}


@pytest.fixture
def ask(
    cli_command: str, cli_environment: dict[str, str], upstream: Upstream, tmp_path: Path
) -> Ask:
    """Ask one question with the upstream replying like this; the lines that the CLI printed."""

    def run(*replies: Reply, text: str = "Hello", **request: object) -> list[Line]:
        if replies:
            upstream.script = in_order(*replies)
        content = [{"type": "text", "text": text}]
        lines = [
            {"type": "control_request", "request_id": "1", "request": INITIALIZE | request},
            {"type": "user", "message": {"role": "user", "content": content}},
        ]
        unassisted = {
            "CLAUDE_CODE_MAX_RETRIES": "0",
            "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        }
        done = subprocess.run(
            [cli_command, *ARGUMENTS],
            input="".join(json.dumps(line) + "\n" for line in lines),
            env={**cli_environment, **unassisted},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


def deltas(lines: list[Line], kind: str) -> str:
    """All deltas of one kind, such as "text", together."""
    events = [line["event"] for line in lines if line["type"] == "stream_event"]
    return "".join(event.get("delta", {}).get(kind, "") for event in events)


def test_an_offline_answer_arrives_and_the_request_is_ours(ask: Ask, upstream: Upstream) -> None:
    lines = ask()
    assert deltas(lines, "text") == lines[-1]["result"]
    assert lines[-1]["result"].endswith("You said: Hello")
    (request,) = upstream.requests
    assert (request.system_text, request.last_user_text) == ("Be brief.", "Hello")


def test_thinking_arrives_with_its_signature(ask: Ask) -> None:
    lines = ask(
        Answer(blocks=(ThinkingBlock("Well.", signature="sig"), TextBlock("Hi")), ping=True)
    )
    assert deltas(lines, "thinking") == "Well."
    assert deltas(lines, "signature") == "sig"


def test_structured_output_fits_the_schema(ask: Ask) -> None:
    schema = {"type": "object", "properties": {"n": {"const": 3}}, "required": ["n"]}
    assert ask(jsonSchema=schema)[-1]["structured_output"] == {"n": 3}


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (Failure(400, "invalid_request_error", "messages.0: wrong"), "unknown"),
        (Failure(400, "invalid_request_error", "prompt is too long: 3 > 2"), "invalid_request"),
        (Failure(401, "authentication_error", "invalid x-api-key"), "authentication_failed"),
        (Failure(403, "permission_error", "Not yours"), "authentication_failed"),
        (Failure(404, "not_found_error", "model: none"), "model_not_found"),
        (Failure(413, "request_too_large", "Too large"), "invalid_request"),
        (Failure(429, "rate_limit_error", "Slow down"), "rate_limit"),
        (Failure(500, "api_error", "Broken"), "server_error"),
        (Failure(529, "overloaded_error", "Overloaded"), "server_error"),
    ],
    ids=lambda value: value.message if isinstance(value, Failure) else value,
)
def test_a_failure_is_a_synthetic_message_and_a_result_with_its_status(
    ask: Ask, failure: Failure, kind: str
) -> None:
    *_, message, result = ask(failure)
    assert message["error"] == kind
    assert message["message"]["model"] == "<synthetic>"
    assert (result["is_error"], result["api_error_status"]) == (True, failure.status)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Cut(), "server_error"),
        (Cut(text_answer("Hel", "lo"), after=3), "server_error"),
        (StreamError(text_answer("Hel", "lo"), after=3), "unknown"),
    ],
    ids=["before", "within", "error-event"],
)
def test_an_answer_that_breaks_off_is_an_error_and_is_not_asked_for_again(
    ask: Ask, upstream: Upstream, reply: Reply, kind: str
) -> None:
    lines = ask(reply)
    assert [line["error"] for line in lines if "error" in line] == [kind]
    assert deltas(lines, "text") == ("" if reply == Cut() else "Hel")
    assert lines[-1]["is_error"] is True
    assert len(upstream.requests) == 1
