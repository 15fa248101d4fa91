"""Options that commands have in common, those of plugins too."""

from pathlib import Path

import click

config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The YAML; else ~/.config/dragoman/models.yaml, or the packaged one.",
)
"""`config_file: Path | None`, for `gateway.config_file.configuration`."""
