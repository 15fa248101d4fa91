"""Every command in every situation of the first minutes, and in a folder that means harm.

A row for each command says what becomes of it without a gateway, with one, with one that wants a
key which nobody has set, without a login, and without a network. A new command is missing here
until it has a row. All of them run in a folder with `models.yaml` and `plugins/evil.py` of
somebody else's, of which nothing may run.
"""

import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import click
import pytest
from anyio.from_thread import start_blocking_portal
from click.testing import CliRunner, Result

from gateway.cli import main as command_line
from gateway.client import running_gateways
from gateway_access.keys import keys_file
from gateway_claude_code.upstream import Upstream, offline_script

State: TypeAlias = Literal["no_server", "server", "keys", "no_login", "no_network"]
STATES: Final[tuple[State, ...]] = ("no_server", "server", "keys", "no_login", "no_network")

DRAGOMAN: Final = Path(sys.executable).with_name("dragoman")
RUNTIME_FOLDER: Final = running_gateways.folder  # before tests/conftest.py replaces it
NOWHERE: Final = "http://127.0.0.1:1"
"""Port 1 is tcpmux's, and nothing listens there."""


@dataclass(frozen=True, slots=True)
class Row:
    """A command's path in the tree, its arguments, and the exit code with a part of its output.

    `usually` holds for the states that `but` does not name.
    """

    command: str
    arguments: str
    usually: tuple[int, str]
    but: dict[State, tuple[int, str]] = field(default_factory=dict)
    real_cli: bool = False

    def expected(self, state: State) -> tuple[int, str]:
        """The exit code, and what is to be read."""
        return self.but.get(state, self.usually)


KEY_WANTED: Final = (1, "a key: set DRAGOMAN_API_KEY")

ROWS: Final = (
    # A configuration that was merely found is refused for what it wants to run.
    Row("serve", "--port 0", (2, "dragoman serve --config models.yaml")),
    Row("models", "", (0, "claude-sonnet-4")),
    Row("models", "--config {tmp}/empty.yaml", (0, "No models: ")),
    Row("models show", "opus", (0, "claude-opus-4")),
    Row("models show", "nothing", (1, "nothing")),
    Row("models resolve", "opus", (0, "alias opus")),
    Row("models resolve", "nothing", (1, "nothing")),
    Row("plugins list", "", (0, "claude_code (dragoman")),
    Row("plugins check", "{tmp}/good.py", (0, "Its hooks:")),
    Row("plugins new", "mine", (0, "wrote plugins/mine.py")),
    Row("keys list", "", (0, "There are no keys, so none is required"),
        {"keys": (0, "laptop")}),
    Row("keys new", "--config {tmp}/own.yaml new phone", (0, "dgm-")),
    Row("keys revoke", "revoke nobody", (2, "unknown key 'nobody'")),
    Row("init", "{tmp}/new.yaml", (0, "new.yaml")),
    Row("completion", "bash", (0, "_DRAGOMAN_COMPLETE")),
    Row("status", "", (2, "start it with `"),
        {"server": (0, "running"), "keys": (0, "set DRAGOMAN_API_KEY")}),
    Row("connect", "curl", (0, "http://127.0.0.1:3456/v1"),
        {"server": (0, "{url}/v1"), "keys": (0, "a key: set DRAGOMAN_API_KEY")}),
    Row("connect", "curl --check", (1, "start it with `dragoman serve`"),
        {"server": (0, "answered in"), "keys": KEY_WANTED}),
    Row("chat", "Hello", (0, "stand-in"),
        {"keys": KEY_WANTED, "no_login": (1, "ogged in"), "no_network": (1, "could not get an answer")}, real_cli=True),
    Row("login", "", (0, "No login is needed"), {"no_login": (2, "needs a terminal")},
        real_cli=True),
    Row("login-status", "", (0, "Logged in: API key"), {"no_login": (1, "ot logged in")},
        real_cli=True),
    Row("login", "--status", (0, "Logged in: API key"), {"no_login": (1, "ot logged in")},
        real_cli=True),
    Row("doctor", "", (2, "the CLI")),
    Row("doctor", "--live", (2, "--live sends requests to the real API"), {"no_login": (2, "not logged in")},
        real_cli=True),
    Row("logs", "", (1, "no request log at")),
    Row("service install", "--dry-run", (0, "ExecStart")),
    Row("service uninstall", "--dry-run", (0, "rm ")),
    Row("service start", "--dry-run", (0, "systemctl")),
    Row("service stop", "--dry-run", (0, "systemctl")),
    Row("service start", "--as-root", (2, "install it with `dragoman service install`")),
    Row("service status", "", (1, "install it with `dragoman service install`")),
    Row("service logs", "", (2, "install it with `dragoman service install`")),
)  # fmt: skip

WITHOUT_CLI: Final = frozenset({"doctor"})
"""With a CLI it takes most of a minute: tests/e2e/doctor/test_doctor.py."""


def commands(group: click.Group, path: str = "") -> Iterator[str]:
    """What can be run, by its path; also a group that does something by itself."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        here = f"{path} {name}".strip()
        if isinstance(command, click.Group):
            yield from commands(command, here)
            if not command.invoke_without_command:
                continue
        yield here


def test_every_command_has_a_row() -> None:
    assert set(commands(command_line.cli)) == {row.command for row in ROWS}


# -- where the commands run ---------------------------------------------------------------

EVIL: Final = "from pathlib import Path\nPath({ran!r}).touch()\n"
EVIL_MODELS: Final = """\
models: {{m: {{backend: claude-code, target: opus}}}}
server: {{host: 0.0.0.0, insecure: true}}
plugins: {{claude_code: {{command: {folder}/claude, environment: {{X: y}}}}}}
"""


def plant(folder: Path) -> Path:
    """A folder of somebody else's; returns the file that tells whether any of it ran."""
    ran = folder / "ran"
    (folder / "plugins").mkdir(parents=True)
    for package in ("gateway", "anyio", "click"):  # `python -m` would take them from here
        (folder / package).mkdir()
        for name in ("__init__.py", "__main__.py", "to_process.py"):
            (folder / package / name).write_text(EVIL.format(ran=str(ran)))
    for name in ("plugins/evil.py", "plugins/__init__.py", "json.py", "yaml.py", "conftest.py"):
        (folder / name).write_text(EVIL.format(ran=str(ran)))
    for name in ("claude", "git", "lsof", "ps", "systemctl", "python3"):
        (folder / name).write_text(f"#!/bin/sh\n: >{ran}\n")
        (folder / name).chmod(0o755)
    (folder / "models.yaml").write_text(EVIL_MODELS.format(folder=folder))
    (folder / ".env").write_text("DRAGOMAN_CLAUDE_COMMAND=./claude\n")
    return ran


@contextmanager
def serving(home: Path) -> Iterator[str]:
    """A gateway of its own process, offline; its URL, once it can be found."""
    with subprocess.Popen(
        [str(DRAGOMAN), "serve", "--offline", "--port", "0"],
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
        cwd=home,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        url = ""
        for line in process.stderr:
            if "serving at " in line:
                url = url or line.split()[-1]
            if "Application startup complete" in line:
                break
        try:
            assert url, "it did not start"
            yield url
        finally:
            process.send_signal(signal.SIGTERM)
            process.stderr.read()
            process.wait()


@dataclass(frozen=True, slots=True)
class Situation:
    """A state with its home; `url` is the gateway's, and `login` leads the CLI to an API."""

    state: State
    home: Path
    url: str
    login: dict[str, str]


@pytest.fixture(scope="module", params=STATES)
def situation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Situation]:
    """Each state, once for all commands."""
    state: State = request.param
    home = tmp_path_factory.mktemp(state)
    if state == "keys":
        subprocess.run(
            [str(DRAGOMAN), "keys", "new", "laptop"],
            env={"HOME": str(home), "PATH": os.environ["PATH"]},
            capture_output=True,
            check=True,
        )
    if state in {"server", "keys"}:
        with serving(home) as url:
            yield Situation(state, home, url, key_for(NOWHERE))
    elif state == "no_server":
        with (
            start_blocking_portal() as portal,
            portal.wrap_async_context_manager(Upstream(offline_script, record=False)) as upstream,
        ):
            yield Situation(state, home, "", key_for(upstream.url))
    else:
        yield Situation(state, home, "", key_for(NOWHERE) if state == "no_network" else {})


def key_for(url: str) -> dict[str, str]:
    return {"ANTHROPIC_API_KEY": "made-up", "ANTHROPIC_BASE_URL": url}


Run: TypeAlias = Callable[[Row], Result]


@pytest.fixture
def run(situation: Situation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a row in this process, in the planted folder."""
    for name in [*os.environ]:
        if name.startswith(("DRAGOMAN_", "ANTHROPIC_", "CLAUDE_", "XDG_")):
            monkeypatch.delenv(name)
    for name, value in {"HOME": str(situation.home), **situation.login}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", f":.:{os.environ['PATH']}")  # as careless as it gets
    monkeypatch.setattr(running_gateways, "folder", RUNTIME_FOLDER)
    monkeypatch.setattr(keys_file, "DEFAULT", "~/.config/dragoman/keys.yaml")
    monkeypatch.setattr(command_line.logs, "set_up", lambda *_: None)
    monkeypatch.setattr(command_line.Server, "run", lambda *_, **__: None)
    if situation.state == "no_network":
        unplug(monkeypatch)
    monkeypatch.chdir(tmp_path / "theirs")

    def invoke(row: Row) -> Result:
        if row.command in WITHOUT_CLI and not row.real_cli:
            monkeypatch.setenv("DRAGOMAN_CLAUDE_COMMAND", str(tmp_path / "no-claude"))
        first, *rest = row.command.split()
        # what comes before a subcommand is said in the row
        words = row.arguments.format(tmp=tmp_path).split()
        words = [first, *words] if first == "keys" and words else [first, *rest, *words]
        return CliRunner().invoke(command_line.cli, words)

    return invoke


def unplug(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process reaches itself and this machine, and nothing else."""
    connect = socket.socket.connect

    def here_only(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in {"127.0.0.1", "::1"}:
            raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", here_only)


@pytest.fixture
def ran(tmp_path: Path) -> Path:
    ran = plant(tmp_path / "theirs")
    (tmp_path / "empty.yaml").write_text("models: {}\n")
    (tmp_path / "own.yaml").write_text("plugins: {access: {keys_file: own-keys.yaml}}\n")
    (tmp_path / "good.py").write_text(
        "import gateway\n\n\n@gateway.hookimpl\ndef gateway_resolve_model(name):\n    return None\n"
    )
    return ran


def cases() -> Iterator[Any]:
    for row in ROWS:
        name = f"{row.command} {row.arguments}".strip()
        yield pytest.param(row, id=name, marks=[pytest.mark.e2e] if row.real_cli else [])


@pytest.mark.parametrize("row", [*cases()])
def test_a_command_does_what_its_row_says(
    row: Row, situation: Situation, ran: Path, run: Run
) -> None:
    result = run(row)
    code, said = row.expected(situation.state)
    shown = f"{result.output}\n{result.exception!r}"
    assert result.exit_code == code, shown
    assert isinstance(result.exception, SystemExit | None), shown
    assert said.format(url=situation.url) in result.output, shown
    assert "Traceback" not in result.output
    if code:
        assert len(result.stderr.splitlines()) <= 1, shown
    assert not ran.exists(), "code of the folder was run"


# -- the real command, from its start -----------------------------------------------------


def dragoman(home: Path, folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """In the folder, with a PATH that begins with it."""
    return subprocess.run(
        [str(DRAGOMAN), *words],
        env={"HOME": str(home), "PATH": f":.:{os.environ['PATH']}"},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "words",
    [
        "models",
        "plugins list",
        "keys list",
        "status",
        "connect curl",
        "service install --dry-run",
        "doctor --report --config {home}/no-cli.yaml",
    ],
)
def test_the_command_runs_nothing_of_the_folder(words: str, tmp_path: Path) -> None:
    ran = plant(tmp_path / "theirs")
    no_cli = "plugins: {claude_code: {command: /nowhere/claude}}\n"
    (tmp_path / "no-cli.yaml").write_text(no_cli)
    done = dragoman(tmp_path, tmp_path / "theirs", *words.format(home=tmp_path).split())
    assert "Traceback" not in done.stderr
    assert not ran.exists()


def test_serve_names_the_code_of_the_folder_and_runs_none(tmp_path: Path) -> None:
    ran = plant(tmp_path / "theirs")
    (tmp_path / "theirs/models.yaml").write_text("models: {m: {backend: echo}}\n")
    with subprocess.Popen(
        [str(DRAGOMAN), "serve", "--offline", "--port", "0"],
        env={"HOME": str(tmp_path), "PATH": f":.:{os.environ['PATH']}"},
        cwd=tmp_path / "theirs",
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if "Application startup complete" in line:
                break
        process.terminate()
        lines += process.stderr.readlines()
    [warning] = [line for line in lines if "not loading the code" in line]
    assert "plugins/evil.py" in warning
    assert "dragoman serve --config models.yaml" in warning
    assert not ran.exists()


def test_named_it_is_run(tmp_path: Path) -> None:
    """So the tests above would see it."""
    ran = plant(tmp_path / "theirs")
    shutil.rmtree(tmp_path / "theirs/plugins")
    (tmp_path / "theirs/plugins").mkdir()
    (tmp_path / "theirs/plugins/evil.py").write_text(EVIL.format(ran=str(ran)))
    dragoman(tmp_path, tmp_path / "theirs", "models", "--config", "models.yaml")
    assert ran.exists()
