"""What `serve` says at its start."""

import io
import logging
import sys
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from gateway import __version__, logs
from gateway.machine import command_name
from gateway.startup.build import build_gateway
from gateway_terminal import welcome as module
from gateway_terminal.colours import Paint, wants_colour
from gateway_terminal.welcome import NO_CLI, as_text, facts_of, next_step, welcome

CLI = {
    "status": "ok",
    "cli_path": "/bin/claude",
    "cli_version": "2.1.330",
    "logged_in": True,
    "login": "claude.ai",
}
URL = "http://127.0.0.1:3456"


@pytest.fixture(autouse=True)
def on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """`dragoman` can be typed as that."""
    monkeypatch.setattr(command_name, "_program", lambda: None)


def gateway(**changes: Any) -> Any:
    entry = SimpleNamespace(hidden=False)
    entries = {"opus": entry, "secret": SimpleNamespace(hidden=True), "claude-*": entry}
    return SimpleNamespace(
        **{
            "host": "127.0.0.1",
            "urls": (URL,),
            "offline": False,
            "requires_keys": False,
            "models": SimpleNamespace(entries=entries),
            **changes,
        }
    )


def health(offline: bool = False, **changes: Any) -> dict[str, Any]:
    return {"offline": offline, "claude_code": {**CLI, **changes}}


STAND_IN = {"logged_in": None, "login": None, "stand_in": True}


def test_it_says_where_and_who() -> None:
    assert dict(facts_of(gateway(), health())) == {
        "address": f"{URL}/v1",
        "CLI": "2.1.330, /bin/claude",
        "login": "Claude plan",
        "models": "opus, claude-*",
        "keys": "not required: any key is accepted",
    }


@pytest.mark.parametrize(
    ("changes", "said", "name", "says"),
    [
        ({}, health(logged_in=False), "login", "none"),
        ({}, health(login="api_key"), "login", "API key"),
        ({}, health(login="new"), "login", "new"),
        ({}, health(offline=True, **STAND_IN), "login", "not needed"),
        ({}, health(offline=True, **STAND_IN, waiting_for_login=True), "login", "none yet"),
        (
            {"requires_keys": True},
            health(),
            "keys",
            "required; create one with `dragoman keys new NAME`",
        ),
        (
            {"host": "0.0.0.0"},
            health(),
            "address",
            f"{URL}/v1, and any other address of this machine",
        ),
        ({}, {"claude_code": {"status": "unavailable", "message": "no CLI"}}, "CLI", "no CLI"),
        ({}, {"claude_code": {"status": "unavailable", "message": "no CLI"}}, "login", NO_CLI),
        (
            {},
            health(cli_path=f"/home/somebody/{'a' * 40}/claude_agent_sdk/_bundled/claude"),
            "CLI",
            "2.1.330, …/claude_agent_sdk/_bundled/claude",
        ),
    ],
)
def test_what_differs(changes: dict[str, Any], said: dict[str, Any], name: str, says: str) -> None:
    assert dict(facts_of(gateway(**changes), said))[name] == says


STATES: Mapping[str, tuple[dict[str, Any], str, str]] = {
    "ready": (health(), "is up, and ready", "dragoman connect CLIENT"),
    "no login": (health(logged_in=False), "is up, but not logged in", "dragoman login"),
    "until login": (
        health(offline=True, **STAND_IN, waiting_for_login=True),
        "is up, and offline until you log in",
        "dragoman login",
    ),
    "offline": (
        health(offline=True, **STAND_IN),
        "is up, and offline: a built-in stand-in answers, not a model",
        "dragoman serve",
    ),
    "no CLI": (
        {"claude_code": {"status": "unavailable", "message": "none", "cli_named": False}},
        "is up, but has no CLI",
        "curl -fsSL https://claude.ai/install.sh | bash",
    ),
    "CLI gone": (
        {"claude_code": {"status": "unavailable", "message": "gone", "cli_named": True}},
        "is up, but can't answer requests",
        "dragoman doctor",
    ),
    "silent": (health(status="silent"), "is up, but can't answer requests", "dragoman doctor"),
    "unsafe": (health(status="unsafe_cli"), "is up, but can't answer requests", "dragoman doctor"),
    "another backend": ({"offline": False}, "is up, and ready", "dragoman connect CLIENT"),
}


@pytest.mark.parametrize("state", STATES)
def test_there_is_one_next_step(state: str) -> None:
    said, title, command = STATES[state]
    step = next_step(said)
    assert step.title == f"Dragoman {__version__} {title}"
    assert step.command == command
    assert step.good is ("ready" in title or "offline" in title)


@pytest.mark.parametrize("state", STATES)
def test_it_fits_a_terminal(state: str) -> None:
    said, *_ = STATES[state]
    names = [f"claude-model-{number}" for number in range(20)]
    entries = SimpleNamespace(entries=dict.fromkeys(names, SimpleNamespace(hidden=False)))
    facts = dict(facts_of(gateway(models=entries, requires_keys=True), said))
    lines = as_text(facts, next_step(said), Paint(colour=False), 80).splitlines()
    assert len(lines) < 24
    assert max(map(len, lines)) <= 80


def test_a_command_is_not_broken_into_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    program = "~/some/where/far/away/in/a/home/with/many/folders/.venv/bin/dragoman"
    monkeypatch.setattr(module, "command_line", lambda *words: " ".join([program, *words]))
    step = next_step(health(logged_in=False))
    text = as_text(dict(facts_of(gateway(), health())), step, Paint(colour=False), 60)
    assert f" {program} login\n" in text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def say(monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO, *, served: bool = True) -> None:
    reports = iter([{"claude_code": {"status": "starting"}}, health()])

    async def report() -> dict[str, Any]:
        return next(reports)

    monkeypatch.setattr(module, "LOOK_SECONDS", 0)
    monkeypatch.setattr(sys, "stderr", stderr)
    await welcome(gateway(health=report) if served else gateway(urls=()))


async def test_a_terminal_gets_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    await say(monkeypatch, stderr := Terminal())
    assert "\x1b[1m" in stderr.getvalue()
    assert "2.1.330" in stderr.getvalue()


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
async def test_a_terminal_without_colours_gets_none(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    await say(monkeypatch, stderr := Terminal())
    assert "\x1b" not in stderr.getvalue()
    assert "2.1.330" in stderr.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
async def test_the_log_of_the_start_is_dropped_only_where_the_banner_is_shown(
    terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    over: list[bool] = []
    monkeypatch.setattr(logs, "start_is_over", lambda *, banner: over.append(banner))
    await say(monkeypatch, Terminal() if terminal else io.StringIO())
    assert over == ([True] if terminal else [])


async def test_elsewhere_it_is_lines_of_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await say(monkeypatch, stderr := io.StringIO())
    assert stderr.getvalue() == ""
    assert [record.getMessage() for record in caplog.records] == [
        "models: opus, claude-*",
        f"for clients: base URL {URL}/v1, API key: any",
        "next: `dragoman connect CLIENT` prints the settings for a program: curl, aider, "
        "open-webui, …",
    ]


async def test_a_gateway_that_is_not_served_says_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    over: list[bool] = []
    monkeypatch.setattr(logs, "start_is_over", lambda *, banner: over.append(banner))
    await say(monkeypatch, stderr := Terminal(), served=False)
    assert (stderr.getvalue(), caplog.records) == ("", [])
    assert over == [False]


def test_a_gateway_is_not_served_until_something_listens() -> None:
    assert build_gateway().urls == ()


def test_a_closed_stream_wants_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = io.StringIO()
    stream.close()
    assert not wants_colour(stream)


def test_the_log_is_held_from_when_the_gateway_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[str] = []
    monkeypatch.setattr(logs, "hold_start", lambda: held.append("held"))
    complete = build_gateway()
    assert held == []
    complete.plugins.hooks.ready(complete)
    assert held == ["held"]
