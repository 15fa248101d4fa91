"""`--help` is a manual, and docs/commands.md is its mirror."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gateway.cli.main import cli
from gateway_terminal import manual
from tests.terminal.terminal_support import Run

PAGE = Path(__file__).parents[2] / "docs/commands.md"


def test_the_page_is_what_help_says() -> None:
    # in a process of its own: click keeps the help option that another test's group had first
    command = [sys.executable, "-m", "gateway_terminal.manual"]
    said = subprocess.run(command, capture_output=True, timeout=60, check=True).stdout
    assert PAGE.read_bytes() == said, "run `make docs-commands`"


@pytest.mark.parametrize(
    "command",
    [pytest.param(each, id=path) for path, each in manual.commands() if path != "dragoman"],
)
def test_every_command_has_examples_that_name_it(command: click.Command) -> None:
    assert command.help
    assert "Examples:\n" in (command.epilog or "")
    assert re.search(rf"^  .*dragoman .*\b{command.name}\b", command.epilog or "", re.MULTILINE)


def test_examples_name_only_options_that_there_are() -> None:
    for path, command in manual.commands():
        known = {"--help"} | {
            option for _, each in manual.commands() for p in each.params for option in p.opts
        }
        ours = re.sub(r" -- .*", "", command.epilog or "")  # what is after it is another program's
        for option in re.findall(r"(?<=\s)--[a-z-]+", ours):
            assert option in known, f"{path}: {option}"


@pytest.mark.parametrize(
    ("shell", "says"),
    [("bash", "complete -o nosort"), ("zsh", "#compdef dragoman"), ("fish", "complete --no-files")],
)
def test_completion_prints_the_shell_s_script(shell: str, says: str, run: Run) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert says in result.stdout
    assert "_DRAGOMAN_COMPLETE" in result.stdout


def test_the_commands_are_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_DRAGOMAN_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "dragoman sta")
    monkeypatch.setenv("COMP_CWORD", "1")
    result = CliRunner().invoke(cli, [], prog_name="dragoman")
    assert result.stdout == "plain,status\n"
