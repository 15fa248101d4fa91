"""The command line, and the commands that plugins add to it."""

import click
import pytest

from gateway import __version__
from gateway.cli import main as cli
from tests.gateway.cli.cli_support import run
from tests.gateway.core_support import entry_point, install, plugin


def test_help_names_the_commands() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert "serve" in result.output


def test_version() -> None:
    assert run("--version").output == f"dragoman, version {__version__}\n"


def test_main_runs_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["dragoman", "--version"])
    with pytest.raises(SystemExit, match="0"):
        cli.main()


# -- plugins' commands --------------------------------------------------------------------


def adding(name: str) -> object:
    def gateway_register_commands(cli: click.Group) -> None:
        cli.add_command(click.Command(name, callback=lambda: click.echo("the plugin's")))

    return plugin(gateway_register_commands)


def test_plugins_add_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, entry_point("a", "another", adding("greet")))
    assert run("greet").output == "the plugin's\n"
    assert "greet" in run("--help").output


def test_plugins_do_not_replace_the_cores_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, entry_point("a", "another", adding("serve")))
    group = cli.Commands("dragoman", commands={"serve": cli.serve})
    context = click.Context(group)
    assert group.list_commands(context) == ["serve"]
    assert group.get_command(context, "serve") is cli.serve


@pytest.mark.parametrize("arguments", [("--help",), ("greet",)])
def test_a_plugin_that_cannot_be_imported_is_one_line_and_exit_code_2(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, entry_point("bad", "another", ImportError("no")))
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "dragoman: plugin 'bad' (another 1.2, bad.plugin) can't be imported: ImportError('no')"
    ]


def test_an_unknown_command_is_looked_for_once_among_the_plugins() -> None:
    result = run("nonsense")
    assert result.exit_code == 2
    assert "No such command 'nonsense'" in result.stderr
