"""The LaunchAgent for macOS, as a property list."""

import plistlib
from pathlib import Path
from typing import Final

from gateway_service.definition import Definition

LABEL: Final = "dragoman.gateway"
LOGS: Final = "Library/Logs/dragoman"
"""In the user's home."""

UMASK: Final = 0o077


def log_file(home: Path) -> Path:
    """The file for the gateway's output."""
    return home / LOGS / "dragoman.log"


def plist_text(definition: Definition) -> str:
    """The whole property list, by launchd.plist(5) of macOS 10.10 and later.

    `SuccessfulExit` false starts it again when it failed, and not when it was stopped;
    `ThrottleInterval` is the shortest time between two starts and `ExitTimeOut` the time between
    SIGTERM and SIGKILL, both in seconds. A job without a `ProcessType`, or with "Standard", has its
    CPU and disk throttled; people wait for these answers. launchd's own PATH has only
    the system's folders, in which there is no `claude`: `environment` brings the user's.
    """
    log = str(log_file(definition.home))
    content = {
        "Label": LABEL,
        "ProgramArguments": list(definition.command),
        "EnvironmentVariables": dict(definition.environment),
        "WorkingDirectory": "/",
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 10,
        "ExitTimeOut": definition.stop_seconds,
        "StandardOutPath": log,
        "StandardErrorPath": log,
        "Umask": UMASK,
        "ProcessType": "Interactive",
    }
    return plistlib.dumps(content, sort_keys=False).decode("utf-8")


def command_in(text: str) -> tuple[str, ...]:
    """The command of a property list."""
    return tuple(plistlib.loads(text.encode("utf-8"))["ProgramArguments"])
