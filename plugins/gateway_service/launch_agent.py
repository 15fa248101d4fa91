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
    """Where launchd writes what the gateway prints."""
    return home / LOGS / "dragoman.log"


def plist_text(definition: Definition) -> str:
    """The whole property list.

    `SuccessfulExit` false starts it again when it failed, and not when it was stopped;
    `ExitTimeOut` is in seconds, between SIGTERM and SIGKILL.
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
        "ProcessType": "Standard",
    }
    return plistlib.dumps(content, sort_keys=False).decode("utf-8")


def command_in(text: str) -> tuple[str, ...]:
    """The command of a property list."""
    return tuple(plistlib.loads(text.encode("utf-8"))["ProgramArguments"])
