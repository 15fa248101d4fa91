"""`dragoman status`: rows, exit codes, JSON."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from terminal_support import Run

from gateway import command_name
from gateway_terminal import status_command
from gateway_terminal.colours import Paint
from gateway_terminal.server_call import NotUp, ServerCall
from gateway_terminal.status_text import as_text, duration

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
URL = "http://127.0.0.1:3456"
HEALTH: Mapping[str, Any] = {
    "status": "ok",
    "version": "1.2.3",
    "offline": False,
    "config": {
        "loaded_at": "2026-03-02T11:30:00+00:00",
        "last_error": None,
        "needs_restart": [],
    },
    "terminal": {
        "started_at": "2026-03-02T09:00:00+00:00",
        "answered": 7,
        "failed": 0,
        "last_errors": [],
    },
    "claude_code": {
        "status": "ok",
        "cli_path": "/bin/claude",
        "cli_version": "2.1.330",
        "answers": True,
        "logged_in": True,
        "login": "claude.ai",
        "processes": {"busy": 1, "spare": 2},
        "cli_check": {"checked": True, "differs": [], "unknown": []},
        "quota": {
            "status": "allowed",
            "limit": "five_hour",
            "resets_at": 1772460000,
            "windows": {
                "five_hour": {"utilization": 0.25, "resets_at": NOW.timestamp() + 5400},
                "seven_day_opus": {"utilization": 1.0, "resets_at": NOW.timestamp() + 90000},
            },
        },
    },
}


@pytest.fixture(autouse=True)
def on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """`dragoman` can be typed as that."""
    monkeypatch.setattr(command_name, "_program", lambda: None)


def rows(health: Mapping[str, Any]) -> dict[str, str]:
    lines = as_text(URL, health, NOW, Paint(colour=False)).splitlines()
    width = len(lines[0]) - len(lines[0].split(maxsplit=1)[1])
    return {line[:width].strip(): line[width:] for line in lines}


def test_everything_that_is_known_has_a_row() -> None:
    assert rows(HEALTH) == {
        "gateway": "up",
        "address": "http://127.0.0.1:3456/v1",
        "version": "1.2.3",
        "up since": "09:00:00 (3 h)",
        "answers": "7, and 0 that failed",
        "CLI": "2.1.330, /bin/claude",
        "CLI check": "holds",
        "login": "Claude plan",
        "processes": "1 busy, 2 spare",
        "plan, 5 hours": "█████░░░░░░░░░░░░░░░  25% used, resets 13:30:00 (in 1 h 30 min)",
        "plan, seven day opus": (
            "████████████████████ 100% used, resets Tue 03 Mar 13:00 (in 1 d 1 h)"
        ),
        "YAML": "read 11:30:00",
        "last errors": "none",
    }


REFUSED = [
    {
        "kind": "origin",
        "name": "app://obsidian.md",
        "count": 3,
        "last_at": "2026-03-02T11:59:00+00:00",
        "add": 'plugins: {access: {origins: ["app://obsidian.md"]}}',
    },
    {
        "kind": "host",
        "name": "nas",
        "count": 1,
        "last_at": "2026-03-01T11:59:00+00:00",
        "add": 'plugins: {access: {hosts: ["nas"]}}',
    },
    {
        "kind": "origin",
        "name": "null",
        "count": 2,
        "last_at": "2026-03-02T11:59:00+00:00",
        "add": None,
    },
    {"kind": "host", "name": "a@b", "count": 2, "last_at": None, "add": None},
]


def test_refused_pages_and_hosts_come_with_the_line_of_yaml() -> None:
    health = {**HEALTH, "access": {"refused": REFUSED}}
    lines = as_text(URL, health, NOW, Paint(colour=False)).splitlines()
    [first] = [number for number, line in enumerate(lines) if line.startswith("refused")]
    shown = [line.removeprefix("refused").strip() for line in lines[first : first + 6]]
    assert shown == [
        "pages of app://obsidian.md, 3 times, last 11:59:00; to allow:",
        'plugins: {access: {origins: ["app://obsidian.md"]}}',
        "host nas, once, last Sun 01 Mar 11:59; to allow:",
        'plugins: {access: {hosts: ["nas"]}}',
        "pages from files or sandboxed frames, 2 times, last 11:59:00",
        "and 1 more; `dragoman status --json` has them",
    ]


def test_without_refusals_there_is_no_such_row() -> None:
    assert "refused" not in rows({**HEALTH, "access": {"refused": []}})
    assert "refused" not in rows(HEALTH)


def cli_rows(**installed: Any) -> list[str]:
    health = changed(claude_code={"cli_installed": {"update": "claude update", **installed}})
    lines = as_text(URL, health, NOW, Paint(colour=False)).splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("CLI "))
    return [line.removeprefix("CLI").strip() for line in lines[first : first + 3]]


@pytest.mark.parametrize(
    ("installed", "says"),
    [
        ({"age": "12 days old"}, "2.1.330, 12 days old"),
        ({"age": "newer than this Dragoman knows"}, "2.1.330, newer than this Dragoman knows"),
        ({"age": None}, "2.1.330"),
    ],
)
def test_the_cli_with_its_age_and_the_command_for_a_newer_one(
    installed: dict[str, Any], says: str
) -> None:
    assert cli_rows(**installed) == [says, "/bin/claude", "for a newer one: claude update"]


@pytest.mark.parametrize(
    ("update", "says"),
    [
        ("/home/u/v/bin/python -m pip x", "~/v/bin/python -m pip x"),
        ("uv pip x --python '/home/u/a b'", "uv pip x --python '/home/u/a b'"),
        ("uv pip x --python /home/under/v", "uv pip x --python /home/under/v"),
    ],
)
def test_a_path_below_home_is_short_but_can_be_pasted(
    update: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/u")
    assert cli_rows(update=update)[2] == f"for a newer one: {says}"


def test_an_old_cli_is_marked() -> None:
    painted = {
        stale: as_text(
            URL,
            changed(claude_code={"cli_installed": {"age": "99 days old", "stale": stale}}),
            NOW,
            Paint(colour=True),
        )
        for stale in (True, False)
    }
    assert painted[True] != painted[False]


def changed(**parts: Any) -> dict[str, Any]:
    return {
        **HEALTH,
        **{
            name: {**HEALTH[name], **part} if isinstance(part, dict) else part
            for name, part in parts.items()
        },
    }


STAND_IN = {"logged_in": None, "login": None, "stand_in": True}

ERROR = {
    "at": "2026-03-02T11:59:00+00:00",
    "request_id": "req_1",
    "model": "claude-opus-4",
    "status": 503,
    "kind": "Overloaded",
    "message": "all processes are busy",
}


@pytest.mark.parametrize(
    ("health", "name", "says"),
    [
        (changed(status="degraded"), "gateway", "up, but degraded"),
        (changed(status="draining"), "gateway", "being stopped: running answers finish"),
        (changed(offline=True, claude_code=STAND_IN), "login", "not needed: offline"),
        (
            changed(offline=True, claude_code=STAND_IN),
            "offline",
            "answers come from a built-in stand-in, not from a model",
        ),
        (
            changed(offline=True, claude_code={**STAND_IN, "waiting_for_login": True}),
            "login",
            "none yet: run `dragoman login`",
        ),
        (
            changed(offline=True, claude_code={**STAND_IN, "waiting_for_login": True}),
            "offline",
            "answers come from a built-in stand-in, not from a model, until there is a login",
        ),
        (changed(claude_code={"logged_in": False}), "login", "none: run `dragoman login`"),
        (
            changed(claude_code={"cli_check": {"checked": False}}),
            "CLI check",
            "not tried out yet; `dragoman doctor` does it now",
        ),
        (
            changed(claude_code={"cli_check": {"checked": True, "differs": ["a"]}}),
            "CLI check",
            "differs: a; see `dragoman doctor`",
        ),
        (
            changed(
                claude_code={
                    "account": {
                        "state": "plan_used_up",
                        "message": "Quota exceeded.",
                        "resets_at": NOW.timestamp() + 5400,
                    }
                }
            ),
            "account",
            "plan used up, resets 13:30:00 (in 1 h 30 min)",
        ),
        (
            changed(
                claude_code={
                    "account": {
                        "state": "extra_usage",
                        "message": "Not in the plan.",
                        "since": NOW.timestamp() - 60,
                        "resets_at": None,
                        "models": "sonnet",
                    }
                }
            ),
            "account",
            "refused as extra usage beyond the plan (sonnet), last at 11:59:00",
        ),
        (changed(claude_code={"account": {"state": "new", "message": "Why."}}), "account", "new"),
        (changed(claude_code={"account": {"state": "new", "message": "Why."}}), "", "Why."),
        (changed(config={"last_error": "line 3"}), "", "refused since: line 3"),
        (changed(config={"needs_restart": ["server.port"]}), "", "needs a restart: server.port"),
        (
            changed(terminal={"last_errors": [ERROR]}),
            "last errors",
            "11:59:00 503 Overloaded claude-opus-4 req_1: all processes are busy",
        ),
        ({"status": "ok"}, "more", "asks for a key: set DRAGOMAN_API_KEY to see the rest"),
    ],
)
def test_what_is_not_as_usual_is_said(health: dict[str, Any], name: str, says: str) -> None:
    assert rows(health)[name] == says


def test_colours_are_only_around_the_texts() -> None:
    plain = as_text(URL, HEALTH, NOW, Paint(colour=False))
    coloured = as_text(URL, HEALTH, NOW, Paint(colour=True))
    assert "\x1b" not in plain
    assert "\x1b[32mup\x1b[0m" in coloured


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-1, "0 s"), (59.9, "59 s"), (60, "1 min"), (3725, "1 h 2 min"), (90061, "1 d 1 h")],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("health", "code"),
    [(HEALTH, 0), ({"status": "degraded"}, 1), ({"status": "draining"}, 1)],
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
        raise NotUp("nobody listens there")

    monkeypatch.setattr(ServerCall, "health", nobody)
    result = run("status", "--url", "localhost:1")
    assert result.exit_code == 2
    assert result.stdout == (
        "not up: http://localhost:1: nobody listens there; `dragoman serve` starts it\n"
    )
    result = run("status", "--json")
    assert (result.exit_code, json.loads(result.stdout)["status"]) == (2, "down")


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
