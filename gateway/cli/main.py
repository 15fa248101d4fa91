"""The command `dragoman`."""

import contextlib
import logging
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import click
import uvicorn
from starlette.types import ASGIApp

from gateway import __version__, logs
from gateway.cli.models import models
from gateway.cli.plugins import plugins
from gateway.errors import ConfigurationError
from gateway.hooks.registry import PluginRegistry
from gateway.http.app import create_app
from gateway.machine.addresses import is_loopback, reached_at, url_of
from gateway.machine.command_name import command_line
from gateway.machine.safe_environment import make_safe, open_standard_streams
from gateway.pipeline.gateway import CoreGateway
from gateway.server.acceptor import Acceptor
from gateway.server.connection_limits import limited_protocol
from gateway.server.draining import CLOSING_SECONDS, Server, signals_of
from gateway.server.listen import listen
from gateway.server.process_limits import allow_open_files, leave_out_of_collections, no_core_dumps
from gateway.server.shedding import shedding_protocol
from gateway.startup.build import build_gateway
from gateway.startup.reload import ConfigWatch
from gateway.yaml_file.wording import one_line

log = logging.getLogger("gateway")

LEAVE_SECONDS = 5
"""Balancers ask every two seconds or so, and want two or three answers (HAProxy: 2 s, 3 times)."""

INSECURE = (
    "INSECURE: %s requires no key (server.insecure). Anyone who can reach this address can use "
    "your account. To require a key, create one with `%s`"
)


class WrongConfiguration(click.ClickException):
    """A `ConfigurationError` for the user: one line, exit code 2."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it to stderr."""
        click.echo(f"dragoman: {one_line(self.message)}", file=file, err=file is None)


class Commands(click.Group):
    """The core's commands and, where those do not suffice, the plugins' own.

    So `serve --disable broken` works although the plugin `broken` can't be imported.
    """

    _loaded = False

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Search the core's first."""
        if (command := super().get_command(ctx, cmd_name)) is not None:
            return command
        self._load()
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All of them."""
        self._load()
        return super().list_commands(ctx)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401
        """Run a command; a `ConfigurationError` is for the user, and no traceback."""
        try:
            return super().invoke(ctx)
        except ConfigurationError as error:
            logs.start_is_over(banner=False)  # so that records come before the error
            raise WrongConfiguration(str(error)) from error

    def _load(self) -> None:
        if self._loaded:
            return
        self._loaded = True
        core = dict(self.commands)
        try:
            registry = PluginRegistry()
            registry.load_entry_points()
            registry.hooks.register_commands(self)
        except ConfigurationError as error:
            raise WrongConfiguration(str(error)) from error
        self.commands.update(core)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dragoman")
def cli() -> None:
    """Use your own Claude Code CLI from every program that speaks the OpenAI API."""


SERVE_EXAMPLES = """\b
Examples:
  dragoman serve
  dragoman serve --offline
  dragoman serve --offline-until-login
  dragoman serve --config work.yaml --port 4000
  dragoman serve --disable access --log-level warning

\b
Exit codes:
  0  stopped
  2  the configuration is wrong, or the address is in use or not available
"""


@cli.command(epilog=SERVE_EXAMPLES)
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The configuration file; else ./models.yaml (unless that is the packaged one), "
    "~/.config/dragoman/models.yaml, or the packaged one.",
)
@click.option("--host", help="Listen here instead of server.host (localhost).")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Listen on this port instead of server.port (3456).",
)
@click.option(
    "--offline", is_flag=True, help="Answer from a built-in stand-in: no account, no network."
)
@click.option(
    "--offline-until-login",
    "until_login",
    is_flag=True,
    help="The same until you log in; then from the model, without a restart.",
)
@click.option(
    "--disable", "disabled", multiple=True, metavar="PLUGIN", help="Do not load this plugin."
)
@click.option(
    "--log-level",
    type=click.Choice(logs.LEVELS),
    default="info",
    help="The minimum log level (info).",
)
@click.option(
    "--reload/--no-reload",
    "watch",
    default=True,
    help="Apply changes to the configuration file without a restart.",
)
def serve(  # noqa: PLR0917 - click passes them by name
    config_file: Path | None,
    host: str | None,
    port: int | None,
    offline: bool,  # noqa: FBT001 - click passes it by name
    until_login: bool,  # noqa: FBT001
    disabled: tuple[str, ...],
    log_level: str,
    watch: bool,  # noqa: FBT001
) -> None:
    """Start the gateway."""
    logs.set_up(log_level)
    no_core_dumps()
    gateway = build_gateway(
        config_file, disabled=disabled, offline=offline or until_login, from_folder=True
    )
    gateway.until_login = until_login and not offline
    if host is not None:
        gateway.host = host
    if watch and gateway.config.values.server.reload:
        gateway.plugins.register(ConfigWatch(), "reload", f"dragoman {__version__}")
    app = create_app(gateway)
    server = gateway.config.values.server
    sockets = listen(
        gateway.host,
        port if port is not None else server.port,
        loopback_only=not (gateway.requires_keys or server.insecure),
    )
    _say_where(gateway, sockets)
    room = allow_open_files(gateway.config.values.limits.connections)
    config = _uvicorn_config(gateway, app, sockets, room)
    leave_out_of_collections()
    runner = Server(config, gateway.traffic, server.drain_seconds, _leave_seconds(gateway, sockets))
    # KeyboardInterrupt is raised again after an orderly shutdown
    with contextlib.suppress(KeyboardInterrupt), signals_of(runner):
        runner.run(sockets=sockets)


def _leave_seconds(gateway: CoreGateway, sockets: Sequence[socket.socket]) -> float:
    """As configured; else long enough for a balancer, where others can reach the gateway."""
    if (configured := gateway.config.values.server.leave_seconds) is not None:
        return configured
    here = all(is_loopback(str(each.getsockname()[0])) for each in sockets)
    return 0 if here else LEAVE_SECONDS


def _say_where(gateway: CoreGateway, sockets: Sequence[socket.socket]) -> None:
    places = [(str(host), int(port)) for host, port, *_ in (s.getsockname() for s in sockets)]
    gateway.urls = tuple(url_of(reached_at(host), port) for host, port in places)
    for host, port in places:
        log.info("serving at %s", url_of(host, port), extra=logs.IN_BANNER)
        if not (gateway.requires_keys or is_loopback(host)):
            log.warning(INSECURE, url_of(host, port), command_line("keys", "new", "NAME"))


def _uvicorn_config(
    gateway: CoreGateway, app: ASGIApp, sockets: Sequence[socket.socket], room: int
) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        http=shedding_protocol(gateway, limited_protocol(gateway, room), Acceptor(sockets)),
        ws="none",
        timeout_keep_alive=gateway.config.values.limits.keep_alive_seconds,
        timeout_graceful_shutdown=CLOSING_SECONDS,
    )


cli.add_command(models)
cli.add_command(plugins)


def main() -> None:
    """Run the command line."""
    open_standard_streams()
    make_safe(os.environ)
    with logs.uncaught_failures():
        cli()
