"""`dragoman status`: exit codes, JSON, and the look again."""

import json
from pathlib import Path
from typing import Any

import pytest

import gateway
from gateway.client.health import NotUp
from gateway_terminal.server_call import ServerCall
from gateway_terminal.status import command as status_command
from tests.terminal.status.status_support import HEALTH, URL
from tests.terminal.terminal_support import Run


@pytest.mark.parametrize(
    ("health", "code"),
    [
        (HEALTH, 0),
        ({"status": "degraded"}, 1),
        ({"status": "draining"}, 1),
        ({**HEALTH, "offline": True, "claude_code": {"waiting_for_login": True}}, 1),
        ({**HEALTH, "offline": True, "claude_code": {"stand_in": True}}, 0),
    ],
)
def test_the_exit_code_says_how_it_is(
    health: dict[str, Any], code: int, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ServerCall, "health", lambda _: health)
    assert run("status").exit_code == code
    result = run("status", "--json")
    assert result.exit_code == code
    assert json.loads(result.stdout) == {**health, "url": URL}


def test_nobody_there_is_2(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_: ServerCall) -> None:
        raise NotUp("nothing listens there")

    monkeypatch.setattr(ServerCall, "health", nobody)
    monkeypatch.setattr(status_command, "_start_command", lambda: "dragoman serve")
    result = run("status", "--url", "localhost:1")
    assert result.exit_code == 2
    assert result.stdout == (
        "not running: http://localhost:1: nothing listens there; start it with `dragoman serve`\n"
    )
    result = run("status", "--json")
    assert (result.exit_code, json.loads(result.stdout)["status"]) == (2, "down")


def test_the_command_that_starts_a_gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = tmp_path / "a checkout"
    (checkout / "gateway").mkdir(parents=True)
    monkeypatch.setattr(gateway, "__file__", str(checkout / "gateway" / "__init__.py"))
    assert status_command._start_command() == "dragoman serve"
    (checkout / "scripts").mkdir()
    for name in ("Makefile", "scripts/serve"):
        (checkout / name).touch()
    assert status_command._start_command() == f"make -C '{checkout}' run"
    monkeypatch.chdir(checkout)
    assert status_command._start_command() == "make run"


def test_watch_looks_again_until_ctrl_c(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(ServerCall, "health", lambda _: HEALTH)
    monkeypatch.setattr(status_command.time, "sleep", sleep)
    result = run("status", "--watch", "--interval", "5", "--json")
    assert result.exit_code == 0
    assert looks == [5, 5, 5]
    assert result.stdout.count('"version": "1.2.3"') == 3
