"""`dragoman doctor --report`: what is in it, and what is not."""

import re
import subprocess
import sys
from collections.abc import Callable
from email.message import Message
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway import __version__
from gateway.cli.main import cli
from gateway_claude_code.compatibility.behaviours import BEHAVIOURS
from gateway_claude_code.doctor import bug_report as module
from gateway_claude_code.doctor import command as doctor_command
from gateway_claude_code.doctor.anonymous import anonymous
from gateway_claude_code.doctor.bug_report import bug_report
from gateway_claude_code.doctor.report import CliFound, Report

MakeCli = Callable[..., Path]

USER = {"HOME": "/home/zoe.o", "USER": "zoe"}
HOST = "zoes-book.example.net"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/home/zoe.o/x/models.yaml", "~/x/models.yaml"),
        ("at /home/zoe.o: empty", "at ~: empty"),
        ("/home/zoe.other/x", "/home/USER/x"),
        ("/Users/yan/x", "/Users/USER/x"),
        ("/var/folders/zoe/T", "/var/folders/USER/T"),
        ("zoe is logged in", "USER is logged in"),
        ("zoetrope", "zoetrope"),
        ("on zoes-book.example.net", "on HOST"),
        ("on zoes-book", "on HOST"),
        ("of zoe@example.org.", "of MAIL."),
        ("key sk-ant-api03-abcdefghijkl", "key [redacted]"),
        ("Claude Code CLI 2.1.330: /opt/claude", "Claude Code CLI 2.1.330: /opt/claude"),
    ],
)
def test_what_tells_who_wrote_it_is_taken_out(text: str, said: str) -> None:
    assert anonymous(text, USER, HOST) == said


@pytest.mark.parametrize("name", ["root", "claude", "Dragoman", "me", ""])
def test_a_name_that_is_a_word_of_the_report_stays(name: str) -> None:
    text = f"claude root dragoman {name}"
    assert anonymous(text, {"USER": name, "HOME": "/"}, "") == text


def test_a_home_behind_a_link_is_the_same_home(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    text = f"{tmp_path}/real/a {tmp_path}/link/a"
    assert anonymous(text, {"HOME": f"{tmp_path}/link"}, "") == "~/a ~/a"


def test_a_secret_of_the_environment_is_taken_out_whatever_it_looks_like(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MY_TOKEN", "plain words of mine")
    assert anonymous("plain words of mine", {}, "") == "[redacted]"


REPORT = Report(
    dragoman="1.2.3",
    python="3.13.1",
    platform="Darwin arm64",
    cli=CliFound(
        path="/home/zoe.o/.local/bin/claude",
        version="2.1.330",
        origin="on PATH",
        installed_by="native",
        age="7 days old",
    ),
    findings=[BEHAVIOURS["streaming"].found("streaming", "differs", "for zoe it came at once")],
    seconds=1.0,
)


@pytest.fixture
def _told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service says what it says; nothing is started."""
    said = SimpleNamespace(stdout="installed  yes: /home/zoe.o/x\nrunning    no\n", stderr="")
    run = subprocess.run

    def answered(command: list[str], **options: Any) -> object:
        return said if "service" in command else run(command, **options)

    monkeypatch.setattr(module.subprocess, "run", answered)
    monkeypatch.setattr(module.socket, "gethostname", lambda: HOST)


def rows(text: str) -> dict[str, str]:
    block = text.split("```")[1].removeprefix("text\n").partition("\n\n")[0]
    return {line[:11].strip(): line[11:] for line in block.splitlines()}


@pytest.mark.usefixtures("_told")
def test_what_is_in_it() -> None:
    environ = {**USER, "TERM": "xterm", "ANTHROPIC_BASE_URL": "https://in.house", "OTHER": "x"}
    text = bug_report(REPORT, environ)
    said = rows(text)
    assert said["dragoman"].startswith("1.2.3, installed by: ")
    assert said["cli"] == (
        "2.1.330, 7 days old: ~/.local/bin/claude (on PATH, installed by: native)"
    )
    assert said["service"] == "installed yes: ~/x; running no"
    assert re.fullmatch(
        r"start: seen, memory: \d+ MB, port: seen, command lines: \d+ texts", said["processes"]
    )
    assert said["variables"] == "ANTHROPIC_BASE_URL (names only)"
    assert set(said) == {
        "dragoman", "python", "platform", "cli", "service", "processes", "open files", "terminal",
        "variables",
    }  # fmt: skip
    assert "FAIL     streaming" in text
    assert "for USER it came at once" in text


@pytest.mark.usefixtures("_told")
def test_nothing_of_the_user_is_in_it() -> None:
    text = bug_report(REPORT, {**USER, "ANTHROPIC_BASE_URL": "https://in.house"})
    for word in ("zoe", HOST, "in.house", "\x1b"):
        assert word not in text


@pytest.mark.usefixtures("_told")
def test_a_machine_that_shows_no_processes_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("start_of", "resident_bytes", "listener_on"):
        monkeypatch.setattr(module, name, lambda _: None)
    monkeypatch.setattr(module, "visible_texts", lambda: iter(()))
    said = rows(bug_report(REPORT, USER))["processes"]
    assert said == "start: not seen, memory: not seen, port: not seen, command lines: 0 texts"


@pytest.mark.usefixtures("_told")
@pytest.mark.parametrize(
    ("urls", "ends"),
    [
        ([], "paste it into an issue where you got Dragoman."),
        (["Homepage, https://x.example"], "where you got Dragoman."),
        (["Issues, https://x.example/issues"], "an issue at https://x.example/issues."),
    ],
)
def test_where_to_send_it(urls: list[str], ends: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values = Message()
    for url in urls:
        values["Project-URL"] = url
    monkeypatch.setattr(module, "metadata", lambda _: values)
    assert bug_report(REPORT, USER).endswith(ends)


def test_a_service_that_does_not_answer_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SERVICE_SECONDS", 0)
    assert rows(bug_report(REPORT, USER))["service"] == "unknown: TimeoutExpired"


# -- the command --------------------------------------------------------------------------


@pytest.fixture
def run(
    tmp_path: Path, fake_claude: MakeCli, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    async def nothing(*_: object) -> list[object]:
        return []

    monkeypatch.setattr(doctor_command, "look_at_all", nothing)
    monkeypatch.setenv("DRAGOMAN_CLAUDE_COMMAND", str(fake_claude()))
    config = tmp_path / "models.yaml"
    config.write_text("server: {port: 0}", encoding="utf-8")
    return lambda *options: CliRunner().invoke(
        cli, ["doctor", "--config", str(config), "--report", *options]
    )


def test_the_command_prints_it(run: Callable[..., Result]) -> None:
    result = run()
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("```text\n")
    said = rows(result.stdout)
    assert said["dragoman"].startswith(f"{__version__}, ")
    assert said["python"].startswith("{}.{}".format(*sys.version_info))
    assert "service" in said["service"]


@pytest.mark.parametrize("option", ["--json", "--live"])
def test_it_goes_alone(option: str, run: Callable[..., Result]) -> None:
    result = run(option)
    assert result.exit_code == 2
    assert "--report can't be combined with --live or --json" in result.stderr
