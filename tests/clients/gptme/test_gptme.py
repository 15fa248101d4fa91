"""gptme in its markdown format: calls are code blocks, and outputs are system messages."""

import os
import subprocess
from pathlib import Path

import httpx

from gateway_claude_code.upstream import MessagesRequest, Reply, text_answer
from tests.e2e.conftest import StartGateway

LIVE = {"plugins": {"claude_code": {"max_spares": 0, "max_live": 1}}}
ROUNDS = (
    "Let me see.\n\n```shell\necho first-$((40 + 2))\n```\n",
    "And once more.\n\n```shell\necho second-$((50 + 1))\n```\n",
    "Both are there.\n",
)


def two_commands(request: MessagesRequest) -> Reply:
    """The two rounds of the conversation; a title for it, which gptme asks for as well."""
    if "title" in request.system_text:
        return text_answer("Two numbers")
    answered = sum(turn["role"] == "assistant" for turn in request.turns)
    return text_answer(ROUNDS[min(answered, len(ROUNDS) - 1)])


def test_outputs_of_tools_stand_where_they_were_said(
    start_gateway: StartGateway, gptme: Path, tmp_path: Path
) -> None:
    gateway = start_gateway(LIVE, script=two_commands)
    home, work = tmp_path / "user", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    command = [str(gptme), "--non-interactive", "--no-confirm", "--model", "local/opus"]
    done = subprocess.run(
        [*command, "--tool-format", "markdown", "--tools", "shell", "Say the numbers."],
        env={
            "HOME": str(home),
            "PATH": os.defpath,
            "OPENAI_BASE_URL": f"{gateway.url}/v1",
            "OPENAI_API_KEY": "unused",
            # nothing beyond loopback: it would fetch a tokeniser
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "127.0.0.1",
        },
        cwd=work,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert gateway.upstream.refusals == []
    asked = [request for request in gateway.upstream.requests if len(request.turns) == 5]
    texts = [block["text"] for turn in asked[0].turns for block in turn["content"]]
    assert texts == [
        "Say the numbers.",
        ROUNDS[0],
        "<system>\nRan command: `echo first-$((40 + 2))`\n\n`first-42`\n\n\n</system>",
        ROUNDS[1],
        "<system>\nRan command: `echo second-$((50 + 1))`\n\n`second-51`\n\n\n</system>",
    ]
    taken = httpx.get(f"{gateway.url}/health", timeout=30).json()["claude_code"]["taken"]
    assert taken["live"] >= 2, "its two rounds go on in one process"
