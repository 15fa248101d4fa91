"""`dragoman doctor` as it is used: what it says, its JSON, and its exit codes."""

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway import __version__
from gateway.cli.main import cli
from gateway.client import running_gateways as running
from gateway.client.published import published
from gateway.config.settings import packaged_file
from gateway.startup.build import build_gateway
from gateway_claude_code.compatibility.behaviours import BEHAVIOURS
from gateway_claude_code.doctor import command as doctor_command
from gateway_claude_code.doctor import setup_checks
from gateway_claude_code.doctor.scenarios import table as scenarios
from gateway_claude_code.doctor.scenarios import tools

MakeCli = Callable[..., Path]
Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "OPEN_SECONDS", 0.2)
    monkeypatch.setattr(scenarios, "AT_ONCE", 5)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the command with this YAML; without any, on a free port."""

    def invoke(*options: str, config: str = "server: {port: 0}", **more: Any) -> Result:
        path = tmp_path / "models.yaml"
        path.write_text(config, encoding="utf-8")
        return CliRunner().invoke(cli, ["doctor", "--config", str(path), *options], **more)

    return invoke


@pytest.fixture
def nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is around the CLI is looked at."""

    async def look_at_all(*_: object) -> list[object]:
        return []

    monkeypatch.setattr(doctor_command, "look_at_all", look_at_all)


def findings(result: Result) -> dict[str, dict[str, str]]:
    return {finding["name"]: finding for finding in json.loads(result.stdout)["findings"]}


# -- a CLI that is as it should be, and one that is not -----------------------------------


def test_the_json_has_its_documented_shape(
    fake_claude: MakeCli, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fake_claude()
    monkeypatch.setenv("DRAGOMAN_CLAUDE_COMMAND", str(path))
    result = run("--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report.keys() == {
        "format", "exit_code", "dragoman", "python", "platform", "cli", "findings", "seconds",
    }  # fmt: skip
    assert (report["format"], report["exit_code"], report["dragoman"]) == (1, 0, __version__)
    assert report["cli"] == {
        "path": str(path), "version": "9.9.9", "origin": "DRAGOMAN_CLAUDE_COMMAND",
        "installed_by": "unknown", "age": "newer than this Dragoman knows",
        "update": f"{path} update",
    }  # fmt: skip
    for finding in report["findings"]:
        assert finding.keys() == {"name", "group", "title", "verdict", "seen", "advice"}
        assert (finding["verdict"], finding["advice"]) == ("holds", "")
    names = [finding["name"] for finding in report["findings"]]
    assert names == [
        "configuration", "working_directory", "port", "cli", "login", *BEHAVIOURS,
    ]  # fmt: skip


def test_what_differs_is_said_with_what_to_do(fake_claude: MakeCli, run: Run) -> None:
    path = fake_claude("file_mentions")
    result = run(config=f"{{server: {{port: 0}}, plugins: {{claude_code: {{command: {path}}}}}}}")
    assert result.exit_code == 1
    assert "Claude Code CLI 9.9.9" in result.stdout
    assert "(plugins.claude_code.command)" in result.stdout
    lines = result.stdout.splitlines()
    place = next(i for i, line in enumerate(lines) if "file_mentions" in line)
    assert lines[place].startswith("  FAIL     file_mentions")
    assert "allow_unsafe_cli" in lines[place + 1]
    assert lines[-1].startswith("43 ok, 1 failed, in ")


@pytest.mark.usefixtures("nothing_is_tried")
@pytest.mark.parametrize("no_color", [None, "1"])
def test_colours_are_for_terminals_that_want_them(
    fake_claude: MakeCli, run: Run, monkeypatch: pytest.MonkeyPatch, no_color: str | None
) -> None:
    monkeypatch.setenv("DRAGOMAN_CLAUDE_COMMAND", str(fake_claude()))
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", no_color)
    assert ("\x1b[" in run(color=True).stdout) is (no_color is None)
    assert "\x1b[" not in run().stdout


def test_what_was_found_is_remembered_for_the_gateway(
    fake_claude: MakeCli, run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGOMAN_CLAUDE_COMMAND", str(fake_claude()))
    run()
    text = (home / ".local/state/dragoman/cli-checks.json").read_text(encoding="utf-8")
    (entry,) = json.loads(text)["entries"]
    assert "file_mentions" in entry["findings"]
    assert "memory" not in entry["findings"]


# -- no CLI -------------------------------------------------------------------------------


def test_without_a_cli_there_is_still_a_report(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGOMAN_CLAUDE_COMMAND", "/nowhere/claude")
    result = run("--json")
    assert result.exit_code == 2
    report = json.loads(result.stdout)
    assert (report["cli"], report["exit_code"]) == (None, 2)
    assert "/nowhere/claude" in findings(result)["cli"]["seen"]
    assert "No CLI to test" in run().stdout


def test_a_cli_that_says_nothing_is_not_tried_out(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "claude"
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(0o755)
    result = run("--json", config=f"plugins: {{claude_code: {{command: {path}}}}}")
    assert result.exit_code == 2
    assert findings(result)["cli"]["verdict"] == "differs"
    assert findings(result).keys().isdisjoint(BEHAVIOURS)


# -- what is around it --------------------------------------------------------------------


@pytest.fixture
def whole(fake_claude: MakeCli, nothing_is_tried: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = fake_claude()
    monkeypatch.setenv("DRAGOMAN_CLAUDE_COMMAND", str(path))
    return path


@pytest.mark.usefixtures("whole")
@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("servr: {}", "unknown key 'servr'"),
        ("plugins: {claude_code: {comand: /opt/claude}}", "did you mean 'command'"),
        ("plugins: {nobodys: {}}", "unknown section 'nobodys'"),
        ("server: [", "not valid YAML"),
    ],
)
def test_a_wrong_configuration_is_a_finding(run: Run, config: str, words: str) -> None:
    result = run("--json", config=config)
    assert result.exit_code == 1, result.output
    finding = findings(result)["configuration"]
    assert finding["verdict"] == "differs"
    assert words in finding["seen"]


@pytest.mark.usefixtures("whole")
def test_a_plugin_of_the_users_that_fails_is_a_finding(run: Run, tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "broken.py").write_text("1 / 0\n", encoding="utf-8")
    finding = findings(run("--json"))["configuration"]
    assert finding["verdict"] == "differs"
    assert "broken" in finding["seen"]


def test_a_cli_without_login_is_told_how_to_get_one(
    fake_claude: MakeCli, nothing_is_tried: None, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fake_claude()
    source = path.read_text(encoding="utf-8").replace('"loggedIn": True', '"loggedIn": False')
    path.write_text(source, encoding="utf-8")
    monkeypatch.setenv("DRAGOMAN_CLAUDE_COMMAND", str(path))
    result = run("--json")
    assert result.exit_code == 1
    assert findings(result)["login"]["verdict"] == "differs"
    assert findings(result)["login"]["seen"].startswith("none: run `dragoman login`")
    line = next(line for line in run().output.splitlines() if "FAIL     login" in line)
    assert line.startswith(
        "  FAIL     login              the CLI's login: none: run `dragoman login`"
    )


@pytest.mark.usefixtures("whole")
def test_a_working_directory_that_is_not_empty_is_a_finding(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "full"
    folder.mkdir()
    (folder / "file").touch()
    config = f"{{server: {{port: 0}}, plugins: {{claude_code: {{working_directory: {folder}}}}}}}"
    found = findings(run("--json", config=config))
    assert found["working_directory"]["verdict"] == "differs"
    assert "must be empty" in found["working_directory"]["seen"]
    assert found["cli"]["verdict"] == "holds"


@pytest.mark.usefixtures("whole")
@pytest.mark.parametrize(
    ("answer", "verdict", "words"),
    [
        ({"status": "ok", "version": "1.2.3", "offline": False}, "holds", "dragoman 1.2.3 is"),
        ({"status": "ok"}, "differs", " uses it; choose another"),
        (None, "differs", " uses it; choose another"),
    ],
    ids=["dragoman", "something else", "no HTTP"],
)
def test_who_has_the_port(run: Run, answer: object, verdict: str, words: str) -> None:
    with _listening(answer) as port:
        finding = findings(run("--json", config=f"server: {{port: {port}}}"))["port"]
    assert finding["verdict"] == verdict
    assert words in finding["seen"]


@pytest.mark.usefixtures("whole")
def test_a_gateway_at_another_port_is_mentioned(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "folder", lambda *_: tmp_path / "running")
    monkeypatch.setattr(setup_checks, "listen", lambda *_: [])
    gateway = build_gateway(packaged_file())
    gateway.urls = ("http://127.0.0.1:38456",)
    with published(gateway):
        finding = findings(run("--json", config="server: {port: 3456}"))["port"]
    assert finding["verdict"] == "holds"
    assert finding["seen"] == "dragoman is running at http://127.0.0.1:38456; port 3456 is free"


@pytest.mark.usefixtures("whole")
def test_ones_own_gateway_that_asks_for_keys_is_no_stranger(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It tells nobody without a key its version, but it has published itself."""
    monkeypatch.setattr(running, "folder", lambda *_: tmp_path / "running")
    with _listening({"status": "ok"}) as port:
        gateway = build_gateway(packaged_file())
        gateway.urls = (f"http://127.0.0.1:{port}",)
        with published(gateway):
            finding = findings(run("--json", config=f"server: {{port: {port}}}"))["port"]
    assert finding["verdict"] == "holds"
    assert finding["seen"].endswith(
        f": dragoman {__version__} (process {os.getpid()}) is running there; its status is ok"
    )


@pytest.mark.usefixtures("whole")
def test_a_free_port_is_free(run: Run) -> None:
    assert findings(run("--json"))["port"]["seen"].endswith("is free")


ASKED = 2
"""By who finds the port taken, and by the doctor, who wants to know more."""


@contextmanager
def _listening(answer: object) -> Iterator[int]:
    """A port on which this is the answer to everything, or none if it is None."""
    if answer is None:
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def hang_up() -> None:
                for _ in range(ASKED):
                    listener.accept()[0].close()

            thread = Thread(target=hang_up)
            thread.start()
            yield int(listener.getsockname()[1])
            thread.join()
        return

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=lambda: [server.handle_request() for _ in range(ASKED)])
        thread.start()
        yield server.server_port
        thread.join()
