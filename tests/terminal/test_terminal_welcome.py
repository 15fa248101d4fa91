"""What `serve` says at its start."""

import io
import logging
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.app import build_gateway
from gateway_terminal import welcome as module
from gateway_terminal.colours import Paint, wants_colour
from gateway_terminal.welcome import as_text, facts_of, welcome

CLI = {
    "status": "ok",
    "cli_path": "/bin/claude",
    "cli_version": "2.1.330",
    "logged_in": True,
    "login": "claude.ai",
}
URL = "http://127.0.0.1:3456"


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


def test_it_says_where_who_and_what_to_paste() -> None:
    assert dict(facts_of(gateway(), {"claude_code": CLI})) == {
        "address": f"{URL}/v1",
        "CLI": "2.1.330, /bin/claude",
        "login": "claude.ai",
        "models": "opus, claude-*",
        "keys": "not asked for",
        "paste": f"export OPENAI_BASE_URL={URL}/v1 OPENAI_API_KEY=unused",
        "or": "dragoman connect CLIENT (curl, llm, aider, openclaw, …)",
    }


@pytest.mark.parametrize(
    ("changes", "backend", "name", "says"),
    [
        ({}, {**CLI, "logged_in": False}, "login", "none: run `claude`, and there /login"),
        ({"offline": True}, CLI, "login", "not needed: offline"),
        ({"requires_keys": True}, CLI, "keys", "asked for; `dragoman keys new NAME` makes one"),
        (
            {"requires_keys": True},
            CLI,
            "paste",
            f"export OPENAI_BASE_URL={URL}/v1 OPENAI_API_KEY=YOUR-KEY",
        ),
        (
            {"host": "0.0.0.0"},
            CLI,
            "address",
            f"{URL}/v1, and any other address of this machine",
        ),
        ({}, {"status": "unavailable", "message": "no CLI"}, "CLI", "no CLI"),
        ({}, {"status": "unavailable", "message": "no CLI"}, "login", "unknown"),
    ],
)
def test_what_differs(
    changes: dict[str, Any], backend: dict[str, Any], name: str, says: str
) -> None:
    assert dict(facts_of(gateway(**changes), {"claude_code": backend}))[name] == says


def test_without_a_login_it_does_not_say_ready() -> None:
    facts = dict(facts_of(gateway(), {"claude_code": {**CLI, "logged_in": False}}))
    text = as_text(facts, Paint(colour=False))
    assert "can't answer yet" in text
    assert "ready" not in text


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def say(monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO, *, served: bool = True) -> None:
    health = iter([{"claude_code": {"status": "starting"}}, {"claude_code": CLI}])

    async def report(_: object) -> dict[str, Any]:
        return next(health)

    monkeypatch.setattr(module, "report", report)
    monkeypatch.setattr(module, "LOOK_SECONDS", 0)
    monkeypatch.setattr(sys, "stderr", stderr)
    await welcome(gateway() if served else gateway(urls=()))


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


async def test_elsewhere_it_is_lines_of_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await say(monkeypatch, stderr := io.StringIO())
    assert stderr.getvalue() == ""
    assert [record.getMessage() for record in caplog.records] == [
        "models: opus, claude-*",
        f"for clients: base URL {URL}/v1, API key not looked at; "
        "or dragoman connect CLIENT (curl, llm, aider, openclaw, …)",
    ]


async def test_a_gateway_that_is_not_served_says_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await say(monkeypatch, stderr := Terminal(), served=False)
    assert (stderr.getvalue(), caplog.records) == ("", [])


def test_a_gateway_is_not_served_until_something_listens() -> None:
    assert build_gateway().urls == ()


def test_a_closed_stream_wants_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = io.StringIO()
    stream.close()
    assert not wants_colour(stream)
