"""Makes docs/commands.md of the commands' own help: `python -m gateway_terminal.manual`."""

import sys
from collections.abc import Iterator
from typing import Final

import click

from gateway.cli.main import cli

WIDTH: Final = 88

HEAD: Final = """# Commands

What `dragoman COMMAND --help` says. This page is made from it by `make docs-commands`, and a test
holds it to the code.

Colours are for terminals; `NO_COLOR` turns them off. In a checkout the command is
`.venv/bin/dragoman`.
"""


def page() -> str:
    """The whole page."""
    sections = [
        f"## {'`' + path + '`'}\n\n```text\n{text.rstrip()}\n```\n"
        for path, text in _helps("dragoman", cli, None)
    ]
    return "\n".join([HEAD, *sections])


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that `--help` shows, by its whole name."""
    return ((path, command) for path, command, _ in _walk("dragoman", cli, None))


def _helps(
    path: str, command: click.Command, parent: click.Context | None
) -> Iterator[tuple[str, str]]:
    for name, each, context in _walk(path, command, parent):
        yield name, each.get_help(context)


def _walk(
    path: str, command: click.Command, parent: click.Context | None
) -> Iterator[tuple[str, click.Command, click.Context]]:
    context = click.Context(
        command,
        parent=parent,
        info_name=path.rsplit(maxsplit=1)[-1],
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        help_option_names=["-h", "--help"],
    )
    yield path, command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                yield from _walk(f"{path} {name}", inner, context)


if __name__ == "__main__":
    sys.stdout.write(page())
