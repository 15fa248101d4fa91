"""What must never happen with a prompt, over the real CLI."""

import subprocess
from pathlib import Path

import httpx
import pytest

from gateway_claude_code.upstream import (
    Answer,
    MessagesRequest,
    TextBlock,
    ToolUseBlock,
    in_order,
    text_answer,
)
from tests.e2e.bodies import function, post
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e


def ask(gateway: RunningGateway, *messages: dict[str, object], **fields: object) -> MessagesRequest:
    body = {"model": "claude-sonnet-4", "messages": messages, **fields}
    answer = httpx.post(f"{gateway.url}/v1/chat/completions", json=body, timeout=30)
    assert answer.status_code == 200, answer.text
    return gateway.upstream.requests[-1]


@pytest.mark.parametrize("form", ["@{}", "look at @{} please", '@"{}"', "@{}#L1-2"])
def test_a_named_file_is_not_read(gateway: RunningGateway, tmp_path: Path, form: str) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("TOP-SECRET-CONTENT", encoding="utf-8")
    text = form.format(secret)
    request = ask(
        gateway,
        {"role": "system", "content": text},
        {"role": "user", "content": text},
        {"role": "assistant", "content": text},
        {"role": "user", "content": text},
    )
    assert "TOP-SECRET-CONTENT" not in str(request.body)
    assert text in str(request.turns[-1])


@pytest.mark.parametrize("command", ["/compact now", "/help", "/model opus", "/nonexistent x"])
def test_slash_commands_reach_the_model_as_text(gateway: RunningGateway, command: str) -> None:
    request = ask(
        gateway,
        {"role": "user", "content": command},
        {"role": "assistant", "content": "ok"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "a"}, {"type": "text", "text": command}],
        },
    )
    user_texts = [
        block["text"]
        for turn in request.turns
        if turn["role"] == "user"
        for block in turn["content"]
        if not block["text"].startswith("<system-reminder>")
    ]
    assert [text.strip() for text in user_texts] == [command, "a", command]


def test_the_prompt_is_on_no_command_line_and_on_no_disk(gateway: RunningGateway) -> None:
    secret = "xyzzy-prompt-marker"
    listings: list[str] = []
    sessions = gateway.home / ".claude" / "sessions"
    before = set(sessions.glob("*"))  # of processes that another test has killed

    def script(_: MessagesRequest) -> Answer:
        listing = subprocess.run(
            ["ps", "axww", "-o", "args", "e"], capture_output=True, check=False
        )
        listings.append(listing.stdout.decode(errors="replace"))
        return Answer(blocks=(TextBlock("done"),))

    gateway.upstream.script = script
    ask(gateway, {"role": "system", "content": secret}, {"role": "user", "content": secret})
    assert "stream-json" in listings[0]
    assert secret not in listings[0]
    assert gateway.wait_until_idle() == []
    holding = [
        str(path)
        for path in gateway.home.rglob("*")
        if path.is_file() and secret.encode() in path.read_bytes()
    ]
    assert holding == []
    assert set(sessions.glob("*")) == before


def test_built_in_tools_are_not_there(gateway: RunningGateway, tmp_path: Path) -> None:
    made = tmp_path / "made-by-bash"
    gateway.upstream.script = in_order(
        Answer(blocks=(ToolUseBlock("Bash", {"command": f"touch {made}"}),)), text_answer("Well.")
    )
    request = ask(gateway, {"role": "user", "content": "run it"}, tools=[function("look")])
    gateway.wait_until_idle()
    assert [tool["name"] for tool in request.tools] == ["mcp__t__look"]
    assert not made.exists()


@pytest.mark.parametrize(("said", "status"), [((), 502), (("Let me see.",), 200)])
def test_a_call_where_no_tool_is_offered_ends_the_answer(
    gateway: RunningGateway, tmp_path: Path, said: tuple[str, ...], status: int
) -> None:
    made = tmp_path / "made-by-bash"
    text = tuple(TextBlock(each) for each in said)
    call = ToolUseBlock("Bash", {"command": f"touch {made}"})
    gateway.upstream.script = lambda _: Answer(blocks=(*text, call))
    reply = post(gateway)
    assert reply.status == status
    assert status == 502 or (reply.choice.content, reply.choice.finish_reason) == (
        "Let me see.",
        "stop",
    )
    gateway.wait_until_idle()
    assert not made.exists()
