"""The command `llm`, configured by its file `extra-openai-models.yaml`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gateway_claude_code.upstream import text_answer
from tests.clients.python.cells import (
    ADA,
    FINAL,
    GIVE_UP_SECONDS,
    QUESTION,
    WEATHER,
    answer_structured,
    assert_schema_arrived,
    assert_tool_loop,
    call_get_weather,
    stream_slowly,
)
from tests.clients.python.snippets import addressed
from tests.e2e.gateways import RunningGateway

TOOL = f'''
def get_weather(city: str) -> str:
    """The weather of a city."""
    assert city == "Bern"
    return {WEATHER!r}
'''


class Llm:
    """The command, with a folder of its own."""

    def __init__(self, folder: Path, url: str) -> None:
        models = addressed("llm", url)
        (folder / "extra-openai-models.yaml").write_text(models, encoding="utf-8")
        model = yaml.safe_load(models)[0]["model_id"]
        self._command = [str(Path(sys.executable).with_name("llm")), "-m", model]
        self._environment = {"HOME": str(folder), "LLM_USER_PATH": str(folder)}

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [*self._command, *arguments],
            env={**self._environment, "PYTHONUTF8": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def run(self, *arguments: str) -> str:
        """What it prints."""
        with self.start(*arguments) as process:
            output, _ = process.communicate(timeout=60)
        assert process.returncode == 0, output.decode()
        return output.decode()


@pytest.fixture
def llm(gateway: RunningGateway, tmp_path: Path) -> Llm:
    return Llm(tmp_path, gateway.url)


def test_text(gateway: RunningGateway, llm: Llm) -> None:
    gateway.upstream.script = lambda _: text_answer(FINAL)
    assert llm.run("--no-stream", "-s", "Be brief.", QUESTION).strip() == FINAL
    request = gateway.upstream.requests[0]
    assert (request.system_text, request.last_user_text) == ("Be brief.", QUESTION)


def test_stream(gateway: RunningGateway, llm: Llm) -> None:
    held = stream_slowly(gateway)
    with llm.start(QUESTION) as process:
        assert process.stdout is not None
        while piece := process.stdout.read1():
            held.see(piece.decode())
        assert process.wait(GIVE_UP_SECONDS) == 0
    held.assert_streamed()


def test_a_conversation_goes_on(gateway: RunningGateway, llm: Llm) -> None:
    gateway.upstream.script = lambda _: text_answer(FINAL)
    llm.run(QUESTION)
    llm.run("-c", "And now?")
    assert [turn["role"] for turn in gateway.upstream.requests[1].turns] == [
        "user",
        "assistant",
        "user",
    ]


@pytest.mark.parametrize("options", [(), ("--no-stream",)], ids=["streamed", "whole"])
def test_tools(gateway: RunningGateway, llm: Llm, options: tuple[str, ...]) -> None:
    call_get_weather(gateway)
    assert llm.run("--functions", TOOL, *options, QUESTION).strip().endswith(FINAL)
    assert_tool_loop(gateway)


@pytest.mark.parametrize("options", [(), ("--no-stream",)], ids=["streamed", "whole"])
def test_structured(gateway: RunningGateway, llm: Llm, options: tuple[str, ...]) -> None:
    answer_structured(gateway)
    assert json.loads(llm.run("--schema", "name, age int", *options, "Who?")) == ADA
    assert_schema_arrived(gateway)
