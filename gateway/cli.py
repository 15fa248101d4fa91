"""The command `dragoman`."""

import logging
import sys
from pathlib import Path

import click
import uvicorn

from gateway import __version__
from gateway.app import build_gateway, create_app
from gateway.errors import ConfigurationError
from gateway.plugins import PluginRegistry


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dragoman")
def cli() -> None:
    """Every tool that speaks the OpenAI API, on your own Claude Code login."""


@cli.command()
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The YAML; else ./models.yaml, ~/.config/dragoman/models.yaml, or the packaged one.",
)
@click.option("--host", help="Listen here instead of server.host (127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="Instead of server.port (3456).")
@click.option(
    "--offline", is_flag=True, help="Answer from a built-in stand-in: no account, no network."
)
@click.option("--disable", "disabled", multiple=True, metavar="PLUGIN", help="Leave a plugin out.")
def serve(
    config_file: Path | None,
    host: str | None,
    port: int | None,
    offline: bool,  # noqa: FBT001 - click passes it by name
    disabled: tuple[str, ...],
) -> None:
    """Start the gateway."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    gateway = build_gateway(config_file, disabled=disabled, offline=offline)
    app = create_app(gateway)
    server = gateway.config.values.server
    uvicorn.run(
        app,
        host=host if host is not None else server.host,
        port=port if port is not None else server.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=30,
    )


def main() -> None:
    """Run the command line. Wrong configuration is one clear line and exit code 2."""
    try:
        registry = PluginRegistry()
        registry.load_entry_points()
        registry.call_register("gateway_register_commands", cli=cli)
        cli()
    except ConfigurationError as error:
        click.echo(f"dragoman: {error}", err=True)
        sys.exit(2)
