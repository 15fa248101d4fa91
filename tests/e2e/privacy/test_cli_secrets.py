"""With the real CLI, too, what people say and the keys that they use stand in no log and no file."""

from pathlib import Path

import pytest

from gateway_claude_code.upstream import Answer, Failure, Reply, TextBlock, ToolUseBlock, in_order
from tests.e2e.conftest import StartUpstream
from tests.security.served import chat, head, served

pytestmark = pytest.mark.e2e

MARK = "Xq7-marker-Zw3"
KEY = "sk-ant-api03-" + "k3y" * 10
MODELS = {"claude-sonnet-4": {"backend": "claude-code", "target": "sonnet"}}
TOOL = {"type": "function", "function": {"name": "f", "description": MARK}}
CALL = {
    "id": "c1",
    "type": "function",
    "function": {"name": "f", "arguments": f'{{"a": "{MARK}"}}'},
}
RESULTS = [
    {"role": "user", "content": MARK},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c1", "content": MARK},
]
MADE_UP_TOOL = ToolUseBlock(name="Bash", input={"command": MARK})


def test_nothing_that_was_said_is_kept(
    tmp_path: Path, start_upstream: StartUpstream, cli_command: str
) -> None:
    replies: list[Reply] = [
        Answer(blocks=(TextBlock(MARK),)),
        Answer(blocks=(TextBlock(MARK),)),
        Answer(blocks=(MADE_UP_TOOL,)),
        Answer(blocks=(TextBlock(MARK),)),
        Failure(400, "invalid_request_error", f"what is this: {KEY}"),
    ]
    upstream = start_upstream(in_order(*replies))
    environment = {
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": upstream.url,
        "DRAGOMAN_CLAUDE_COMMAND": cli_command,
    }
    config = {"models": MODELS, "plugins": {"claude_code": {"max_live": 0}}}
    options = ("--log-level", "debug")
    with served(tmp_path, config, *options, environment=environment, disabled=()) as gateway:
        statuses = [
            gateway.ask(body, f"authorization: Bearer {KEY}").status
            for body in (
                chat(MARK, "claude-sonnet-4"),
                chat(model="claude-sonnet-4", messages=RESULTS, tools=[TOOL], stream=True),
                chat(MARK, "claude-sonnet-4", tools=[TOOL]),
            )
        ]
        refused = gateway.ask(chat(MARK, "claude-sonnet-4"))
        malformed = gateway.ask(chat(MARK, "claude-sonnet-4", max_tokens=MARK))
        gateway.exchange(head("GET", "/health"))
    assert statuses == [200, 200, 200]
    assert refused.status == 400
    assert KEY not in refused.error["message"]
    assert "[redacted]" in refused.error["message"]
    assert malformed.status == 400
    files = [gateway.log, *(path for path in gateway.home.rglob("*") if path.is_file())]
    for text in (MARK, KEY):
        assert [str(file) for file in files if text.encode() in file.read_bytes()] == []
