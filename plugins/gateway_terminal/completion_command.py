"""`dragoman completion`: the script with which a shell completes the command."""

from typing import Final

import click
from click.shell_completion import get_completion_class

PROGRAM: Final = "dragoman"
VARIABLE: Final = "_DRAGOMAN_COMPLETE"
"""Click's own name for it."""

EXAMPLES = """\b
Examples:
  dragoman completion bash > ~/.local/share/bash-completion/completions/dragoman
  dragoman completion zsh > ~/.zfunc/_dragoman      # with ~/.zfunc in fpath
  dragoman completion fish > ~/.config/fish/completions/dragoman.fish
"""


@click.command("completion", epilog=EXAMPLES)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a shell's completion script."""
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click has all three
    click.echo(kind(context.find_root().command, {}, PROGRAM, VARIABLE).source())
