"""The unit for systemd's user manager, as text, and the command read back from it.

Seen with systemd 252: sandboxing in a user unit needs a user namespace, which `PrivateUsers` makes.
"""

import re
from typing import Final

from gateway_service.definition import DESCRIPTION, Definition

UNIT: Final = "dragoman.service"
ENVIRONMENT_FILE: Final = ".config/dragoman/environment"
"""In the user's home; where a login or a key is given as a variable. It need not be there."""

WATCHDOG_SECONDS: Final = 60

READ_ONLY: Final = (
    ".config", ".local/bin", ".local/share/systemd", ".local/share/applications",
    ".profile", ".bash_profile", ".bash_login", ".bashrc", ".bash_logout",
    ".zshenv", ".zprofile", ".zshrc", ".zlogin", ".xprofile", ".xsessionrc", ".pam_environment",
)  # fmt: skip
"""In the user's home, what runs when the user logs in or types a command."""

_TEMPLATE: Final = """\
# Written by `dragoman service install`, which overwrites it.
# Put changes into a separate file: systemctl --user edit {unit}

[Unit]
Description={description}
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
WorkingDirectory=/
{environment}
# Variables for the login or for keys, a NAME=value in each line; chmod 600.
EnvironmentFile=-%h/{environment_file}

# Exit code 2: a mistake to fix first, such as one in the configuration file.
Restart=on-failure
RestartSec=3
RestartPreventExitStatus=2
WatchdogSec={watchdog}

# SIGTERM is for the gateway alone: it lets answers finish and ends the CLI's processes itself.
KillMode=mixed
TimeoutStopSec={stop}

# The CLI's JavaScript engine writes code while it runs.
MemoryDenyWriteExecute=no
NoNewPrivileges=yes
KeyringMode=private
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
UMask=0077
{sandbox}
[Install]
WantedBy=default.target
"""

_SANDBOX: Final = """
# The paths that it may write to. The CLI replaces ~/.claude.json and makes locks beside ~/.claude, for which
# it has to write in the home itself; but not to what is run at login.
PrivateUsers=yes
ProtectSystem=strict
ProtectHome=read-only
CacheDirectory=dragoman
CacheDirectoryMode=0700
ReadWritePaths={writable}
ReadOnlyPaths={read_only}
InaccessiblePaths=-%h/.ssh
PrivateTmp=yes
PrivateDevices=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
"""
"""What needs a user namespace, which not every system lets its users have."""


def unit_text(definition: Definition) -> str:
    """The whole unit."""
    variables = definition.environment.items()
    return _TEMPLATE.format(
        unit=UNIT,
        description=DESCRIPTION,
        command=" ".join(_argument(word) for word in definition.command),
        environment="\n".join(
            f"Environment={_quoted(f'{name}={value}')}" for name, value in variables
        ),
        environment_file=ENVIRONMENT_FILE,
        watchdog=WATCHDOG_SECONDS,
        stop=definition.stop_seconds,
        sandbox=_sandbox(definition) if definition.sandboxed else "",
    )


def command_in(text: str) -> tuple[str, ...]:
    """The command of a unit that `unit_text` made. Raises `LookupError` for one without."""
    if (line := re.search("^ExecStart=.*$", text, re.MULTILINE)) is None:
        raise LookupError("ExecStart")
    words = re.findall(r'"((?:[^"\\]|\\.)*)"', line[0])
    return tuple(re.sub(r"\\(.)|%(%)|\$(\$)", r"\1\2\3", word) for word in words)


def _sandbox(definition: Definition) -> str:
    return _SANDBOX.format(
        writable=" ".join(_writable(definition)),
        read_only=" ".join(f"-%h/{path}" for path in READ_ONLY),
    )


def _writable(definition: Definition) -> list[str]:
    """`-` skips missing paths."""
    elsewhere = definition.environment.get("CLAUDE_CONFIG_DIR")
    return ["%h", *([_quoted(f"-{elsewhere}")] if elsewhere is not None else [])]


def _argument(word: str) -> str:
    return _quoted(word).replace("$", "$$")


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
