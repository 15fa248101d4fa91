"""What the terminal's tests share: the command line, in an empty home and an empty folder."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import cli
from tests.terminal.terminal_support import Run


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(tmp_path)
    for variable in ("LLM_USER_PATH", "OPENCLAW_CONFIG_PATH", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    return home


@pytest.fixture
def run() -> Run:
    def invoke(*arguments: object, stdin: str = "") -> Result:
        words = [str(argument) for argument in arguments]
        return CliRunner().invoke(cli, words, input=stdin)

    return invoke
