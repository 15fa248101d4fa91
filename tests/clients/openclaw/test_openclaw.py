"""OpenClaw, configured by `dragoman connect openclaw`, over the gateway and the real CLI."""

import json
import subprocess
import sys
from pathlib import Path

from gateway_claude_code.upstream import Answer, MessagesRequest, TextBlock, ToolUseBlock
from tests.e2e.conftest import StartGateway

PATIENCE = 240
SAID = "dragoman was here"


def calling(request: MessagesRequest) -> Answer:
    """A model that runs a command first, and then says what it printed."""
    if request.last_tool_results:
        return Answer(blocks=(TextBlock(f"It says: {request.last_tool_results[0]['content']}"),))
    command = ToolUseBlock("mcp__t__exec", {"command": f"echo {SAID}"})
    return Answer(blocks=(TextBlock("Let me look."), command))


def test_a_message_that_takes_a_tool(
    start_gateway: StartGateway, openclaw_path: str, tmp_path: Path
) -> None:
    gateway = start_gateway(script=calling)
    home = tmp_path / "home"
    home.mkdir()
    environment = {"HOME": str(home), "PATH": openclaw_path, "LANG": "C.UTF-8"}

    def run(*command: str) -> str:
        ran = subprocess.run(
            command,
            env=environment,
            cwd=home,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    dragoman = str(Path(sys.executable).parent / "dragoman")
    run(dragoman, "connect", "openclaw", "--write", "--url", gateway.url)
    message = "What does the command print?"
    said = run("openclaw", "agent", "--local", "--agent", "main", "--message", message)
    assert "It says:" in said
    assert SAID in said
    first, second = gateway.upstream.requests
    assert "mcp__t__exec" in {tool["name"] for tool in first.tools}
    assert message in json.dumps(first.turns)
    assert SAID in json.dumps(second.last_tool_results)
