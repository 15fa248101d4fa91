"""The rows that `dragoman status` prints."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import click
import pytest

from gateway.machine import command_name
from gateway_terminal.colours import Paint
from gateway_terminal.status.text import as_text, duration, wrapped
from tests.terminal.status.status_support import HEALTH, NOW, URL


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
        "gateway": "running",
        "address": "http://127.0.0.1:3456/v1",
        "version": "1.2.3",
        "up since": "09:00 UTC (3 h)",
        "requests": "7: 7 answered, 0 failed",
        "CLI": "2.1.330, /bin/claude",
        "CLI check": "ok",
        "login": "Claude plan",
        "processes": "1 answering, 2 idle",
        "plan, 5 hours": "██░░░░░░░░  25% used, resets 13:30 UTC (in 1 h 30 min)",
        "plan, 7 days Opus": "██████████ 100% used, resets 03 Mar 13:00 UTC (in 1 d 1 h)",
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
    [first] = [number for number, line in enumerate(lines) if line.startswith("rejected")]
    shown = [line.removeprefix("rejected").strip() for line in lines[first : first + 6]]
    assert shown == [
        "origin app://obsidian.md, 3 times, last 11:59:00; to allow it:",
        'plugins: {access: {origins: ["app://obsidian.md"]}}',
        "host nas, once, last Sun 01 Mar 11:59; to allow it:",
        'plugins: {access: {hosts: ["nas"]}}',
        "pages from files or sandboxed frames, 2 times, last 11:59:00",
        "and 1 more; `dragoman status --json` lists them",
    ]


def test_without_refusals_there_is_no_such_row() -> None:
    assert "rejected" not in rows({**HEALTH, "access": {"refused": []}})
    assert "rejected" not in rows(HEALTH)


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
    assert cli_rows(**installed) == [says, "/bin/claude", "to update: claude update"]


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
    assert cli_rows(update=update)[2] == f"to update: {says}"


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


def test_a_cli_that_is_gone_leaves_no_age_and_no_command() -> None:
    health = changed(
        status="degraded",
        claude_code={
            "status": "unavailable",
            "message": "The CLI is gone.",
            "cli_installed": {"age": "12 days old", "update": "claude update"},
        },
    )
    lines = as_text(URL, health, NOW, Paint(colour=False)).splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("CLI "))
    assert [line[len("plan, 7 days Opus  ") :] for line in lines[first : first + 3]] == [
        "gone: /bin/claude",
        "The CLI is gone.",
        "unknown, as there is no CLI",
    ]


@pytest.mark.parametrize("waiting", [True, False])
def test_without_a_cli_no_stand_in_is_said_to_answer(waiting: bool) -> None:
    shown = rows(
        {
            **HEALTH,
            "status": "degraded",
            "offline": True,
            "claude_code": {
                "status": "unavailable",
                "message": "there is no CLI",
                **({"waiting_for_login": True} if waiting else {}),
            },
        }
    )
    assert "offline" not in shown
    assert shown["CLI"] == "there is no CLI"
    assert shown["login"] == "unknown, as there is no CLI"


def test_a_long_path_of_the_cli_is_shortened() -> None:
    health = changed(claude_code={"cli_path": f"/{'a' * 60}/claude_agent_sdk/_bundled/claude"})
    assert rows(health)["CLI"] == "2.1.330, …/claude_agent_sdk/_bundled/claude"


def failure(**changes: Any) -> dict[str, Any]:
    return {**ERROR, **changes}


PLAN = {"status": 429, "kind": "AccountRefusal", "account": "plan_used_up"}


def test_equal_errors_are_one_row() -> None:
    errors = [
        failure(**PLAN, message="in 1 h 57 min", at="2026-03-02T11:59:09+00:00"),
        failure(kind="LoginRefused", status=401, message="(long)"),
        failure(**PLAN, message="in 1 h 58 min", request_id="req_2"),
        failure(**PLAN, message="in 1 h 59 min", model="claude-haiku-4"),
        failure(kind="ModelNotFound", status=404, message=""),
    ]
    lines = as_text(
        URL, changed(terminal={"last_errors": errors}), NOW, Paint(colour=False)
    ).splitlines()
    assert [line.removeprefix("last errors").strip() for line in lines[-4:]] == [
        "11:59:09  429  claude-opus-4  plan used up (2 times)",
        "11:59:00  401  claude-opus-4  login refused",
        "11:59:00  429  claude-haiku-4  plan used up",
        "11:59:00  404  claude-opus-4  model not found",
    ]


def test_a_plan_that_is_used_up_is_told_once() -> None:
    account = {
        "state": "plan_used_up",
        "message": "Quota exceeded: a long sentence.",
        "resets_at": NOW.timestamp() + 5400,
    }
    health = changed(
        claude_code={"account": account},
        terminal={"last_errors": [failure(**PLAN, message=account["message"])] * 5},
    )
    text = as_text(URL, health, NOW, Paint(colour=False))
    assert "Quota exceeded" not in text
    assert len(text.splitlines()) <= 24


@pytest.mark.parametrize("colour", [True, False])
def test_values_are_wrapped_at_the_terminals_width_beside_their_names(colour: bool) -> None:
    health = changed(terminal={"last_errors": [failure(message="all of them are busy " * 9)]})
    text = as_text(URL, health, NOW, Paint(colour=colour), 60)
    lines = click.unstyle(text).splitlines()
    assert max(map(len, lines)) <= 60
    margin = len("plan, 7 days Opus  ")
    assert all(line[: margin - 1].strip() == "" for line in lines[-3:])
    assert "".join(text.split()) == "".join(as_text(URL, health, NOW, Paint(colour=colour)).split())


def test_all_lines_fit_80_columns_when_all_is_well() -> None:
    path = f"/home/somebody/{'a' * 60}/claude_agent_sdk/_bundled/claude"
    installed = {"age": "12 days old", "update": "make update-cli"}
    for waiting in (True, False):
        health = changed(
            offline=True,
            claude_code={
                "cli_path": path,
                "cli_installed": installed,
                "processes": {"busy": 1, "live": 0, "spare": 1, "waiting": 0},
                "waiting_for_login": waiting,
            },
        )
        lines = as_text(URL, health, NOW, Paint(colour=False)).splitlines()
        assert max(map(len, lines)) <= 80, max(lines, key=len)


def test_a_command_is_not_broken() -> None:
    assert wrapped("say `a b c` now", 8) == ["say", "`a b c`", "now"]
    assert wrapped("two  spaces", 6) == ["two ", "spaces"]


def test_what_is_to_be_copied_stays_on_its_line() -> None:
    line = f"plugins: {{access: {{hosts: [{'n' * 80}]}}}}"
    health = {**HEALTH, "access": {"refused": [{**REFUSED[1], "add": line}]}}
    assert f"  {line}\n" in as_text(URL, health, NOW, Paint(colour=False), 60)


@pytest.mark.parametrize(
    ("zone", "said"),
    [("Europe/Berlin", "14:30 CET"), ("Europe/Istanbul", "16:30 +03")],
)
def test_times_are_local_and_those_to_come_have_their_zone(zone: str, said: str) -> None:
    now = NOW.astimezone(ZoneInfo(zone))
    assert f"resets {said} (in" in as_text(URL, HEALTH, now, Paint(colour=False))


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
        (changed(status="degraded"), "gateway", "running, but degraded"),
        (changed(status="draining"), "gateway", "shutting down: running answers may finish"),
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
            "a built-in stand-in answers until you log in",
        ),
        (changed(claude_code={"logged_in": False}), "login", "none: run `dragoman login`"),
        (
            changed(
                claude_code={
                    "status": "login_refused",
                    "login_refused": {
                        "at": "2026-03-02T11:27:00+00:00",
                        "message": "OAuth token has expired. Get a new one.",
                    },
                }
            ),
            "login",
            "refused 11:27:00 (OAuth token has expired): run `dragoman login`",
        ),
        (
            changed(claude_code={"cli_check": {"checked": False}}),
            "CLI check",
            "pending; run `dragoman doctor` to check now",
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
            "plan used up, resets 13:30 UTC (in 1 h 30 min)",
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
            "rejected as extra usage beyond the plan (sonnet), last at 11:59:00",
        ),
        (changed(claude_code={"account": {"state": "new", "message": "Why."}}), "account", "new"),
        (changed(claude_code={"account": {"state": "new", "message": "Why."}}), "", "Why."),
        (changed(config={"last_error": "line 3"}), "", "last change rejected: line 3"),
        (changed(config={"needs_restart": ["server.port"]}), "", "needs a restart: server.port"),
        (
            changed(terminal={"last_errors": [ERROR]}),
            "last errors",
            "11:59:00  503  claude-opus-4  all processes are busy",
        ),
        ({"status": "ok"}, "more", "key required: set DRAGOMAN_API_KEY for the details"),
    ],
)
def test_what_is_not_as_usual_is_said(health: dict[str, Any], name: str, says: str) -> None:
    assert rows(health)[name] == says


def test_colours_are_only_around_the_texts() -> None:
    plain = as_text(URL, HEALTH, NOW, Paint(colour=False))
    coloured = as_text(URL, HEALTH, NOW, Paint(colour=True))
    assert "\x1b" not in plain
    assert "\x1b[32mrunning\x1b[0m" in coloured


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-1, "0 s"), (59.9, "59 s"), (60, "1 min"), (3725, "1 h 2 min"), (90061, "1 d 1 h")],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said
