"""The service of each system: its file, and the commands that control it. No I/O."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from gateway.machine.command_name import command_line
from gateway_service import launch_agent, systemd_unit
from gateway_service.definition import Definition
from gateway_service.system_commands import Query, SystemCommand

PlatformName: TypeAlias = Literal["linux", "macos"]

LOG_LINES: Final = "200"
BOOTSTRAP_SECONDS: Final = 60
"""launchd rejects a service while the previous one is still stopping."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """The differences between the systems. `folders` are made if need be; `advice` tells how variables
    with secrets reach the service; `hint` is printed after an installation."""

    name: PlatformName
    file: Path
    text: Callable[[Definition], str]
    command_in: Callable[[str], tuple[str, ...]]
    install: tuple[SystemCommand, ...]
    uninstall: tuple[SystemCommand, ...]
    start: tuple[SystemCommand, ...]
    stop: tuple[SystemCommand, ...]
    enabled: Query
    running: Query
    logs: tuple[str, ...]
    follow: tuple[str, ...]
    advice: Callable[[], str]
    hint: str = ""
    after_removal: tuple[SystemCommand, ...] = ()
    folders: tuple[Path, ...] = ()


def linux(home: Path, environ: Mapping[str, str]) -> Platform:
    """systemd's user manager."""
    unit = systemd_unit.UNIT
    configuration = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    journal = ("journalctl", "--user", "--unit", unit, "--lines", LOG_LINES)
    reload = SystemCommand(("systemctl", "--user", "daemon-reload"))
    return Platform(
        name="linux",
        file=configuration / "systemd" / "user" / unit,
        text=systemd_unit.unit_text,
        command_in=systemd_unit.command_in,
        install=(reload, _systemctl("enable"), _systemctl("restart")),
        uninstall=(_systemctl("disable", "--now"),),
        after_removal=(reload,),
        start=(_systemctl("start"),),
        stop=(_systemctl("stop"),),
        enabled=Query(("systemctl", "--user", "is-enabled", unit)),
        running=Query(("systemctl", "--user", "is-active", unit)),
        logs=journal,
        follow=(*journal, "--follow"),
        advice=_advice_for_linux,
        hint="It runs while you are logged in; to keep it running: loginctl enable-linger",
    )


def macos(home: Path, uid: int) -> Platform:
    """launchd, in the user's own domain."""
    file = home / "Library/LaunchAgents" / f"{launch_agent.LABEL}.plist"
    domain = f"gui/{uid}"
    service = f"{domain}/{launch_agent.LABEL}"
    log = str(launch_agent.log_file(home))
    bootout = ("launchctl", "bootout", service)
    start = (
        SystemCommand(("launchctl", "enable", service)),
        SystemCommand(
            ("launchctl", "bootstrap", domain, str(file)), patience_seconds=BOOTSTRAP_SECONDS
        ),
    )
    return Platform(
        name="macos",
        file=file,
        text=launch_agent.plist_text,
        command_in=launch_agent.command_in,
        install=(SystemCommand(bootout, may_fail=True), *start),
        uninstall=(SystemCommand(bootout, may_fail=True),),
        start=start,
        # not `kill`: the gateway then ends by the signal, for which launchd starts it again
        stop=(SystemCommand(bootout),),
        enabled=Query(
            ("launchctl", "print-disabled", domain),
            rf'(?s)\A(?!.*"{launch_agent.LABEL}" => (?:disabled|true))',
        ),
        running=Query(("launchctl", "print", service), r"state = running"),
        logs=("tail", "-n", LOG_LINES, log),
        follow=("tail", "-n", LOG_LINES, "-F", log),
        folders=(home / launch_agent.LOGS,),
        advice=_advice_for_macos,
    )


def _advice_for_linux() -> str:
    file = f"~/{systemd_unit.ENVIRONMENT_FILE}"
    return (
        f"Put the needed ones into {file}, one NAME=value per line, and protect it: "
        f"chmod 600 {file}; then restart the service: {command_line('service', 'stop')} && "
        f"{command_line('service', 'start')}"
    )


def _advice_for_macos() -> str:
    return (
        f"The CLI's login needs no variable: {command_line('login')}. For clients, make keys: "
        f"{command_line('keys', 'new', 'NAME')}. Other variables of the CLI go under "
        "plugins.claude_code.environment in your configuration file; then chmod 600 it."
    )


def shown(command: tuple[str, ...]) -> str:
    """A command as one types it."""
    return shlex.join(command)


def _systemctl(*words: str) -> SystemCommand:
    return SystemCommand(("systemctl", "--user", *words, systemd_unit.UNIT))
