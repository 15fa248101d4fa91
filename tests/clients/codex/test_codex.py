"""Codex, configured by `dragoman connect codex`, over the gateway and the real CLI."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from gateway_claude_code.upstream import (
    Answer,
    Failure,
    MessagesRequest,
    Reply,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
)
from tests.e2e.conftest import StartGateway
from tests.e2e.gateways import RunningGateway

PATIENCE: Final = 240
KNOWN: Final = "gpt-5.5"
"""A model of which Codex knows that it takes `apply_patch` as a custom tool."""
CONFIG: Final[dict[str, object]] = {
    "aliases": {KNOWN: "claude-sonnet-4"},
    "plugins": {"claude_code": {"max_spares": 0, "max_live": 4}},
}
PATCH: Final = '*** Begin Patch\n*** Add File: greeting.txt\n+Grüße, "world"\n*** End Patch'
FREELY: Final = ("--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox")


def working(request: MessagesRequest) -> Reply:
    """A model that runs a command, writes a file, and answers; and one that fails when asked to."""
    results = json.dumps(request.last_tool_results)
    if "was here" in results:
        return Answer(blocks=(ThinkingBlock("Now the file."), *_patch(request)))
    if request.last_tool_results:
        assert "greeting.txt" in results
        return Answer(blocks=(ThinkingBlock("Done."), TextBlock("It is written.")))
    if "fail" in request.last_user_text:
        return Failure(400, "invalid_request_error", "prompt is too long: 9 tokens > 8 maximum")
    if "again" in request.last_user_text:
        return Answer(blocks=(TextBlock("As I said."),))
    run = ToolUseBlock("mcp__t__exec_command", {"cmd": "echo was here"})
    return Answer(blocks=(ThinkingBlock("A look first."), TextBlock("Let me look."), run))


def _patch(request: MessagesRequest) -> tuple[ToolUseBlock, ...]:
    if "mcp__t__apply_patch" in {tool["name"] for tool in request.tools}:
        return (ToolUseBlock("mcp__t__apply_patch", {"input": PATCH}),)
    command = f"apply_patch <<'EOF'\n{PATCH}\nEOF"
    return (ToolUseBlock("mcp__t__exec_command", {"cmd": command}),)


class Codex:
    """Codex in a home of its own, configured for a gateway."""

    def __init__(self, gateway: RunningGateway, path: str, home: Path, model: str) -> None:
        self.work = home / "work"
        self.work.mkdir(parents=True)
        self._environment = {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8"}
        dragoman = str(Path(sys.executable).parent / "dragoman")
        connect = (dragoman, "connect", "codex", "--write", "--url", gateway.url, "--model", model)
        assert self._run(*connect).returncode == 0

    def __call__(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run `codex exec`."""
        return self._run("codex", "exec", *arguments)

    def _run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command,
            env=self._environment,
            cwd=self.work,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=False,
        )


def thinking_of(request: MessagesRequest) -> list[str]:
    blocks: list[dict[str, Any]] = [
        block for turn in request.turns if turn["role"] == "assistant" for block in turn["content"]
    ]
    return [block["thinking"] for block in blocks if block["type"] == "thinking"]


@pytest.mark.parametrize("model", ["claude-sonnet-4", KNOWN])
def test_a_task_a_second_turn_and_an_error(
    start_gateway: StartGateway, codex_path: str, tmp_path: Path, model: str
) -> None:
    gateway = start_gateway(config=CONFIG, script=working)
    codex = Codex(gateway, codex_path, tmp_path / "home", model)

    done = codex(*FREELY, "--json", "Write the greeting.")
    assert done.returncode == 0, done.stdout + done.stderr
    written = (codex.work / "greeting.txt").read_text(encoding="utf-8")
    assert written == 'Grüße, "world"\n'
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    items = [line["item"] for line in said if line["type"] == "item.completed"]
    kinds = {item["type"] for item in items}
    assert kinds >= {"agent_message", "command_execution", "file_change"}
    assert items[-1]["text"] == "It is written."

    resumed = codex("resume", "--last", *FREELY, "Say it again.")
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert resumed.stdout.strip() == "As I said."
    last = gateway.upstream.requests[-1]
    assert thinking_of(last) == ["A look first.", "Now the file.", "Done."]
    assert "mcp__t__exec_command" in {tool["name"] for tool in last.tools}

    failed = codex("resume", "--last", *FREELY, "Now fail.")
    assert failed.returncode != 0
    assert "context window" in failed.stderr
