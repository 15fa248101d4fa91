"""`dragoman service`: install the gateway as a service of the user, and control it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from gateway.client.health import url_for
from gateway.errors import ConfigurationError
from gateway.machine.command_name import command_line
from gateway_service import system_commands, this_machine
from gateway_service.definition import Definition, configuration_in
from gateway_service.files import remove_file, write_file
from gateway_service.platforms import Platform, PlatformName, shown
from gateway_service.status_commands import logs, not_installed, status

Command = TypeVar("Command", bound=Callable[..., Any])


EXAMPLES = """\b
Examples:
  dragoman service install
  dragoman service status
  dragoman service uninstall
"""
INSTALL_EXAMPLES = """\b
Examples:
  dragoman service install --dry-run
  dragoman service install --config ~/gateway/models.yaml
"""
UNINSTALL_EXAMPLES = """\b
Examples:
  dragoman service uninstall
"""
START_EXAMPLES = """\b
Examples:
  dragoman service start
"""
STOP_EXAMPLES = """\b
Examples:
  dragoman service stop
"""


@click.group("service", epilog=EXAMPLES)
def service_command() -> None:
    """Start the gateway at login, and keep it running.

    \b
    Linux    a unit of systemd's user manager
    macOS    a LaunchAgent
    """


def _acting(command: Command) -> Command:
    """Add the options of all commands that change something."""
    for option in (
        click.option("--as-root", is_flag=True, help="Allow root, for a service of root."),
        click.option(
            "--platform",
            "system",
            type=click.Choice(get_args(PlatformName)),
            help="With --dry-run: the system to print them for.",
        ),
        click.option("--dry-run", is_flag=True, help="Only print the commands and files."),
    ):
        command = option(command)
    return command


@service_command.command(epilog=INSTALL_EXAMPLES)
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The configuration file to serve; else ~/.config/dragoman/models.yaml, or the packaged one.",
)
@click.option(
    "--sandbox/--no-sandbox",
    "sandboxed",
    default=True,
    help="On Linux: run in separate namespaces, which some systems forbid (226/NAMESPACE).",
)
@_acting
def install(
    config_file: Path | None,
    *,
    sandboxed: bool,
    dry_run: bool,
    system: PlatformName | None,
    as_root: bool,
) -> None:
    """Start it now and at every login.

    Writes the unit file. Run it again after an update that moved the command, or after changing
    PATH or server.drain_seconds.
    """
    platform = _platform(system, dry_run=dry_run, as_root=as_root)
    definition = this_machine.definition(config_file, os.environ, sandboxed=sandboxed)
    text = platform.text(definition)
    if dry_run:
        click.echo(f"# {platform.file}\n{text}")
        _show(platform.install)
    else:
        _install(platform, text)
        _say_where(definition)
    _note(platform)


@service_command.command(epilog=UNINSTALL_EXAMPLES)
@_acting
def uninstall(*, dry_run: bool, system: PlatformName | None, as_root: bool) -> None:
    """Stop it and remove its file."""
    platform = _platform(system, dry_run=dry_run, as_root=as_root)
    if dry_run:
        _show(platform.uninstall)
        click.echo(shown(("rm", str(platform.file))))
        _show(platform.after_removal)
    elif not platform.file.exists():
        click.echo(f"Not installed: {platform.file} does not exist.", err=True)
    else:
        system_commands.perform(platform.uninstall, system_commands.run)
        remove_file(platform.file)
        system_commands.perform(platform.after_removal, system_commands.run)
        click.echo(f"Stopped, and removed {platform.file}.", err=True)


@service_command.command(epilog=START_EXAMPLES)
@_acting
def start(*, dry_run: bool, system: PlatformName | None, as_root: bool) -> None:
    """Start it."""
    platform = _platform(system, dry_run=dry_run, as_root=as_root)
    _act(platform, platform.start, dry_run=dry_run)


@service_command.command(epilog=STOP_EXAMPLES)
@_acting
def stop(*, dry_run: bool, system: PlatformName | None, as_root: bool) -> None:
    """Stop it until the next login.

    Answers in progress may finish, for up to server.drain_seconds.
    """
    platform = _platform(system, dry_run=dry_run, as_root=as_root)
    _act(platform, platform.stop, dry_run=dry_run)


service_command.add_command(status)
service_command.add_command(logs)


def _platform(system: PlatformName | None, *, dry_run: bool, as_root: bool) -> Platform:
    """The system to act on, if this user may. Raises `ConfigurationError`."""
    this = system if dry_run and system else this_machine.this_system()
    if system not in {None, this}:
        raise ConfigurationError(f"this is {this}; --platform {system} requires --dry-run")
    if os.getuid() == 0 and not (dry_run or as_root):
        raise ConfigurationError(
            "as root this would install root's service, not yours: run it without sudo, or with "
            "--as-root for a service of root"
        )
    return this_machine.platform_named(this, os.environ)


def _install(platform: Platform, text: str) -> None:
    for folder in platform.folders:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_file(platform.file, text)
    try:
        system_commands.perform(platform.install, system_commands.run)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"{platform.file} was written, but the service does not run: {error}; see "
            f"`{command_line('service', 'logs')}`"
        ) from None
    click.echo(f"Installed as {platform.file}.", err=True)


def _say_where(definition: Definition) -> None:
    config = this_machine.configuration(configuration_in(definition.command))
    click.echo(f"It serves {config.path} at {url_for(config.values.server)}/v1.", err=True)


def _note(platform: Platform) -> None:
    """Notes for the user after an installation."""
    if names := this_machine.left_out(os.environ):
        click.echo(
            f"Not written to the file, because they may be secrets: {', '.join(names)}. "
            f"{platform.advice()}",
            err=True,
        )
    if platform.hint:
        click.echo(platform.hint, err=True)


def _act(
    platform: Platform, todo: tuple[system_commands.SystemCommand, ...], *, dry_run: bool
) -> None:
    if dry_run:
        _show(todo)
    elif not platform.file.exists():
        raise ConfigurationError(not_installed())
    else:
        system_commands.perform(todo, system_commands.run)


def _show(todo: tuple[system_commands.SystemCommand, ...]) -> None:
    for each in todo:
        click.echo(shown(each.command))
