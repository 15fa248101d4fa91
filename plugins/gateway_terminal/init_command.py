"""`dragoman init`: a configuration file to begin with."""

import os
from importlib.resources import files
from pathlib import Path
from typing import Final

import click

from gateway.config.chosen_file import NAME, folder_has_its_own
from gateway.errors import ConfigurationError
from gateway.machine.command_name import command_line

USER_FILE: Final = "~/.config/dragoman/models.yaml"

EXAMPLES = """\b
Examples:
  dragoman init
  dragoman init ./models.yaml
  dragoman init --force ~/.config/dragoman/models.yaml
"""


@click.command("init", epilog=EXAMPLES)
@click.argument("path", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace an existing file; it is kept as PATH.bak.")
def init(path: Path | None, force: bool) -> None:  # noqa: FBT001 - click passes it by name
    """Write a commented configuration.

    PATH is ~/.config/dragoman/models.yaml unless another is given. Every setting is in the file,
    commented out, with its default, so it changes nothing yet. An existing file is left alone.
    """
    target = path if path is not None else user_file()
    write_sample(target, force=force)
    click.echo(f"Wrote {target}. Remove the # from the settings that you change.")
    if path is None and folder_has_its_own():
        serve = command_line("serve")
        click.echo(f"Note: in this folder, `{serve}` uses ./{NAME} instead.", err=True)


def sample() -> str:
    """The commented file. Lines of settings begin with `#` alone, prose with `# `."""
    return files("gateway_terminal").joinpath("sample.yaml").read_text(encoding="utf-8")


def write_sample(path: Path, *, force: bool) -> None:
    """Raises `ConfigurationError` if it can't be written, or is there and not to be replaced."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if force and path.exists():
            path.replace(path.with_name(f"{path.name}.bak"))
        # "x": nothing that somebody else makes meanwhile is overwritten
        with path.open("x", encoding="utf-8") as file:
            file.write(sample())
    except FileExistsError:
        raise ConfigurationError(
            f"{path} already exists and was left unchanged; --force replaces it"
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"{path} can't be written: {os.strerror(error.errno or 0)}"
        ) from None


def user_file() -> Path:
    """The user's own configuration. Raises `ConfigurationError` for a user without a home."""
    try:
        return Path(USER_FILE).expanduser()
    except RuntimeError:
        raise ConfigurationError(
            f"no home folder; give a path: {command_line('init', 'PATH')}"
        ) from None
