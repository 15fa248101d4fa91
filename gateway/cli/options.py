"""Options that commands have in common, those of plugins too."""

import shlex
from pathlib import Path

import click

from gateway.client.running_gateways import with_another_configuration

config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The configuration file; else ~/.config/dragoman/models.yaml, or the packaged one.",
)
"""`config_file: Path | None`, for `gateway.config.chosen_file.configuration`."""


def note_other_configuration(named: Path | None, used: Path | None) -> None:
    """Say on stderr that the gateway that runs serves another file than the one `used` here.

    Not if the file was `named` with `--config`: then it was meant.
    """
    if named is not None or (running := with_another_configuration(used)) is None:
        return
    other = running.config
    if other is None:
        return
    risk = "" if running.trusted else " (which also runs the code in `plugins` beside it)"
    click.echo(
        f"This is from {used}; the gateway at {running.url} uses another file: "
        f"--config {shlex.quote(str(other))}{risk}",
        err=True,
    )
