"""`dragoman service status` and `logs`, which change nothing."""

import os
import subprocess
import sys
from typing import Final
from xml.parsers.expat import ExpatError

import click

from gateway.client.health import NotUp, ask_health, url_for
from gateway.errors import ConfigurationError
from gateway.machine.command_name import command_line
from gateway_service import system_commands, this_machine
from gateway_service.definition import configuration_in
from gateway_service.platforms import Platform

EXIT_NOT_WELL: Final = 1
PATIENCE_SECONDS: Final = 10
NOT_INSTALLED: Final = "the service is not installed; install it with `%s`"


STATUS_EXAMPLES = """\b
Examples:
  dragoman service status
"""
LOGS_EXAMPLES = """\b
Examples:
  dragoman service logs
  dragoman service logs --follow
"""


def not_installed() -> str:
    """The error about a missing service, with the command that installs it."""
    return NOT_INSTALLED % command_line("service", "install")


@click.command(epilog=STATUS_EXAMPLES)
def status() -> None:
    """Show whether it is installed, running and answering.

    The exit code is 0 if it is installed, enabled and running, and `GET /healthz` is answered;
    otherwise 1.
    """
    platform = this_machine.platform_named(this_machine.this_system(), os.environ)
    if not platform.file.exists():
        click.echo(f"installed  no: {not_installed()}")
        sys.exit(EXIT_NOT_WELL)
    click.echo(f"installed  yes: {platform.file}")
    well = [
        _row("enabled", yes=system_commands.asked(platform.enabled, system_commands.run)),
        _row("running", yes=system_commands.asked(platform.running, system_commands.run)),
        _answers(platform),
    ]
    if not all(well):
        sys.exit(EXIT_NOT_WELL)


@click.command(epilog=LOGS_EXAMPLES)
@click.option("-f", "--follow", is_flag=True, help="Keep printing new lines.")
def logs(*, follow: bool) -> None:
    """Show the end of its log."""
    platform = this_machine.platform_named(this_machine.this_system(), os.environ)
    if not platform.file.exists():
        raise ConfigurationError(not_installed())
    command = platform.follow if follow else platform.logs
    try:
        sys.exit(subprocess.call(list(command)))  # noqa: S603 - our own command
    except FileNotFoundError:
        raise ConfigurationError(f"the log needs {command[0]}, which is not on PATH") from None
    except KeyboardInterrupt:
        sys.exit(0)


def _answers(platform: Platform) -> bool:
    """Whether the installed gateway answers, where its own configuration says."""
    try:
        config = this_machine.configuration(configuration_in(_command(platform)))
    except ConfigurationError as error:
        return _row("answers", yes=False, more=f": {error}")
    url = url_for(config.values.server)
    try:
        health = ask_health(url, path="/healthz", seconds=PATIENCE_SECONDS)
    except NotUp as error:
        return _row("answers", yes=False, more=f": {url}/healthz: {error}")
    return _row("answers", yes=True, more=f": {url}/healthz says {health['status']!r}")


def _command(platform: Platform) -> tuple[str, ...]:
    try:
        return platform.command_in(platform.file.read_text(encoding="utf-8"))
    except (OSError, ValueError, LookupError, ExpatError):
        raise ConfigurationError(
            f"{platform.file} can't be read; rewrite it with `{command_line('service', 'install')}`"
        ) from None


def _row(name: str, *, yes: bool, more: str = "") -> bool:
    click.echo(f"{name:<11}{'yes' if yes else 'no'}{more}")
    return yes
