"""A user of a system whose commands are noted and not obeyed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main as cli
from gateway_service import system_commands, this_machine
from tests.service.service_support import System


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    return path


@pytest.fixture
def system(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    """A Linux user's, with nothing in the environment but the home and the path."""
    found = System(tmp_path)
    for name in this_machine.left_out(this_machine.os.environ):
        monkeypatch.delenv(name)
    for name in ("XDG_CONFIG_HOME", "CLAUDE_CONFIG_DIR", "DRAGOMAN_CLAUDE_COMMAND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", found.path)
    monkeypatch.setattr(this_machine.sys, "platform", "linux")
    monkeypatch.setattr(this_machine.os, "getuid", lambda: 501)
    monkeypatch.chdir(home)
    return found


@pytest.fixture
def service(system: System) -> Callable[..., Result]:
    """Runs `dragoman service …`."""
    return lambda *arguments: CliRunner().invoke(cli.cli, ["service", *map(str, arguments)])


@pytest.fixture
def mac(system: System, monkeypatch: pytest.MonkeyPatch) -> System:
    monkeypatch.setattr(this_machine.sys, "platform", "darwin")
    monkeypatch.setattr(system_commands, "PAUSE_SECONDS", 0)
    return system
