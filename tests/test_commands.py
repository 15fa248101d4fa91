"""Every command in a `sh` block of the README and the docs is run here, or it is said why not.

What begins with `dragoman` runs in this process, block by block and in order, in an empty home;
`serve` up to where it would begin to serve. Variables that are exported have to lead openai-python
to the gateway. Everything else is in `NOT_HERE`.
"""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner
from openai import OpenAI

from gateway.cli import main as command_line
from gateway_access.keys import keys_file
from tests.pages import PAGES, ROOT

BLOCK: Final = re.compile(r"^```(?:sh|bash|shell)\n(.*?)^```", re.DOTALL | re.MULTILINE)

NOT_HERE: Final = {
    r"git clone URL ": "URL is a placeholder, as no address is known yet; tests/test_readme.py puts one in",
    r"make run": "it stays; tests/test_readme.py runs what it runs",
    r"make test": "scripts/test runs this",
    r"\.venv/bin/dragoman (connect|login)": "as in a checkout; tests/test_readme.py runs the README's",
    r"make dist": ".ci/run runs it",
    r"curl -sS http://127\.0\.0\.1:3456/v1/chat/completions ": "tests/test_readme.py sends it",
    r"sudo apt install |~/.local/bin/dragoman serve": "in WSL; gateway/__main__.py prints it on Windows",
    r"pipx install |uv tool install ": "scripts/check-dist installs the wheel, with pip",
    r"python3 -m venv ~/dragoman": "scripts/check-dist does, elsewhere",
    r"~/dragoman/bin/pip install ": "scripts/check-dist does, without the CLI's wheel of 170 MB",
    r"dragoman login\b": "asks the real CLI; tests/claude_code/test_login_command.py has it",
    r"dragoman doctor --live": "asks the real API; tests/e2e/doctor/test_doctor_live.py has a stand-in",
    r"dragoman doctor": "starts the real CLI for seconds; tests/e2e/doctor/test_doctor.py does",
    r"dragoman (chat|status)": "needs a login or a gateway; tests/e2e/test_every_day.py does both",
    r"git diff \| dragoman chat ": "the same, from a pipe; tests/terminal/test_chat_command.py",
    r"dragoman connect ": "may write into a home; tests/terminal/connect/test_command.py does",
    r"dragoman service ": "changes the system; tests/service/test_commands.py has it",
    r"\(umask 077; echo ": "a token of yours; tests/service/test_files.py has its place",
    r"export DRAGOMAN_API_KEY=": "a key of yours; tests/service/test_container.py has its place",
    r"export CLAUDE_CODE_OAUTH_TOKEN=": "a token; tests/service/test_container.py has its place",
    r"docker compose up": "needs a container engine; tests/service/test_container.py reads the files",
    r"export OPENAI_API_BASE=": "aider's own name; tests/terminal/connect/test_command.py has it",
    r"aider ": "another program; tests/terminal/connect/test_command.py has what it is given",
    r"dragoman logs ": "shows what was logged; tests/request_log/test_command.py has it",
}
"""Beginnings of commands, as patterns, with what runs them instead. A path in it has to exist."""


def commands(text: str) -> list[str]:
    """The commands of a block, without comments; a line that goes on is one with the next."""
    lines = text.replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


def blocks() -> list[tuple[str, list[str]]]:
    """Each block that there is, with the page that has it."""
    return [
        (page.name, commands(block))
        for page in PAGES
        for block in BLOCK.findall(page.read_text(encoding="utf-8"))
    ]


def is_elsewhere(command: str) -> bool:
    return any(re.match(pattern, command) for pattern in NOT_HERE)


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with nothing in it and a folder with the default configuration; nothing is served."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(keys_file, "DEFAULT", str(tmp_path / "keys.yaml"))  # nobody else's
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "models.yaml").write_bytes((ROOT / "models.yaml").read_bytes())
    monkeypatch.chdir(folder)
    return tmp_path


def serves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_sockets(host: str, port: int, *, loopback_only: bool) -> Sequence[object]:
        assert not loopback_only or host in {"localhost", "127.0.0.1"}
        return ()

    monkeypatch.setattr(command_line, "listen", no_sockets)
    monkeypatch.setattr(command_line.Server, "run", lambda *_, **__: None)
    monkeypatch.setattr(command_line.logs, "set_up", lambda _: None)


def leads_to_the_gateway(variables: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (variable.split("=", 1) for variable in variables):
        monkeypatch.setenv(name, value)
    assert str(OpenAI().base_url) == "http://127.0.0.1:3456/v1/"


@pytest.mark.parametrize(("page", "block"), blocks())
def test_a_command_works_as_it_is_printed(
    page: str, block: list[str], empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serves_nothing(monkeypatch)
    for command in block:
        if is_elsewhere(command):
            continue
        program, *arguments = shlex.split(command, comments=True)
        if program == "export":
            leads_to_the_gateway(arguments, monkeypatch)
            continue
        assert program == "dragoman", f"{page}: run {command!r} here, or say in NOT_HERE why not"
        result = CliRunner().invoke(command_line.cli, arguments)
        assert result.exit_code == 0, f"{page}: {command}\n{result.output}"


@pytest.mark.parametrize("pattern", NOT_HERE)
def test_what_is_not_run_here_is_printed_somewhere(pattern: str) -> None:
    printed = [command for _, block in blocks() for command in block]
    assert any(re.match(pattern, command) for command in printed)


@pytest.mark.parametrize("reason", NOT_HERE.values())
def test_what_runs_it_instead_is_there(reason: str) -> None:
    [path, *_] = re.findall(r"[.\w]+/[\w./-]+\w", reason)
    assert (ROOT / path).exists()
