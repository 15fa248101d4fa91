"""The commands of every day, against a gateway with the real CLI."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gateway_claude_code.upstream import in_order, text_answer
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e

DRAGOMAN = Path(sys.executable).with_name("dragoman")


def dragoman(gateway: RunningGateway, words: str) -> "subprocess.CompletedProcess[str]":
    """Run `dragoman WORDS` in a shell, as a user of this gateway would."""
    return subprocess.run(
        ["/bin/sh", "-c", f"{DRAGOMAN} {words.replace('URL', gateway.url)}"],
        env={"HOME": str(gateway.home), "PATH": "/usr/bin:/bin", "DRAGOMAN_API_KEY": ""},
        cwd=gateway.home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_what_connect_prints_for_curl_answers(gateway: RunningGateway) -> None:
    gateway.upstream.script = in_order(text_answer("It works."))
    done = dragoman(gateway, "connect curl --url URL | sh")
    assert json.loads(done.stdout)["choices"][0]["message"]["content"] == "It works."


def test_chat_prints_the_answer(gateway: RunningGateway) -> None:
    gateway.upstream.script = in_order(text_answer("It ", "works."))
    done = dragoman(gateway, "chat --url URL 'Does it?'")
    assert (done.returncode, done.stdout, done.stderr) == (0, "It works.\n", "")


def test_status_knows_the_cli_and_the_last_error(gateway: RunningGateway) -> None:
    dragoman(gateway, "chat --url URL --model nothing-like-it hello")
    said = json.loads(dragoman(gateway, "status --json --url URL").stdout)
    assert said["claude_code"]["logged_in"] is True
    assert Path(said["claude_code"]["cli_path"]).is_file()
    error = said["terminal"]["last_errors"][0]
    assert (error["status"], error["kind"]) == (404, "ModelNotFound")
    assert "nothing-like-it" not in json.dumps(said)


def test_what_the_gateway_lists_is_what_connect_writes(gateway: RunningGateway) -> None:
    listed = {model.id: model for model in gateway.client.models.list()}
    fable = listed["claude-fable-5"].model_dump()
    assert fable["max_model_len"] == fable["context_length"] == 1_000_000
    assert fable["root"].startswith("claude-fable-5")
    assert fable["reasoning"]["mandatory"] is True
    done = dragoman(gateway, "connect opencode --url URL --model claude-fable-5")
    written = json.loads(done.stdout)["provider"]["dragoman"]["models"]["claude-fable-5"]
    assert written["limit"] == {
        "context": fable["context_length"],
        "output": fable["max_output_tokens"],
    }
    assert written["modalities"]["input"] == ["text", "image", "pdf"]


def test_models_shows_what_is_known_of_a_model(gateway: RunningGateway) -> None:
    done = dragoman(gateway, "models show --json claude-fable-5")
    shown = json.loads(done.stdout)["claude-fable-5"]
    assert done.returncode == 0
    assert {fact["name"] for fact in shown["facts"]} >= {"efforts", "thinking", "context_window"}
    assert {fact["origin"] for fact in shown["facts"]} <= {"asked", "documented"}
