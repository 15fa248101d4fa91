"""Facts about this machine: the system, the user, the command `dragoman`, its configuration."""

import fnmatch
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gateway.config import chosen_file as found
from gateway.config.settings import Config, packaged_file
from gateway.errors import ConfigurationError
from gateway.machine.command_name import command_line
from gateway_service import platforms
from gateway_service.definition import MARGIN_SECONDS, Definition, kept
from gateway_service.platforms import Platform, PlatformName

_SYSTEMS: Final[Mapping[str, PlatformName]] = {
    "linux": "linux",
    "darwin": "macos",
}

NOT_WRITTEN: Final = (
    "ANTHROPIC_*", "CLAUDE_CODE_OAUTH_*", "CLAUDE_CODE_USE_*", "AWS_*", "GOOGLE_*", "CLOUDSDK_*",
    "AZURE_*", "VERTEX_*", "BEDROCK_*", "DRAGOMAN_API_KEY", "DRAGOMAN_API_KEYS",
    "*_PROXY", "*_proxy",
)  # fmt: skip
"""Variables that the gateway or the CLI would use, and that may be secrets."""


def this_system() -> PlatformName:
    """Raises `ConfigurationError` where services are not known."""
    try:
        return _SYSTEMS[sys.platform]
    except KeyError:
        raise ConfigurationError(
            f"services are not supported on {sys.platform}; `{command_line('serve')}` "
            "runs without a service"
        ) from None


def platform_named(name: PlatformName, environ: Mapping[str, str]) -> Platform:
    """A system for this user; also another one than this, for a look."""
    home = home_of_user()
    match name:
        case "linux":
            return platforms.linux(home, environ)
        case "macos":
            return platforms.macos(home, os.getuid())


def home_of_user() -> Path:
    """Raises `ConfigurationError` for a user without one."""
    try:
        return Path.home()
    except RuntimeError:
        raise ConfigurationError("a service needs a home folder, but this user has none") from None


def definition(
    config_file: Path | None, environ: Mapping[str, str], *, sandboxed: bool = True
) -> Definition:
    """A service that serves this configuration. Raises `ConfigurationError` if that is wrong."""
    config = configuration(config_file)
    command = [str(program()), "serve"]
    if config.path is not None and config.path.resolve() != packaged_file():
        command += ["--config", str(config.path.absolute())]
    return Definition(
        command=tuple(command),
        environment=kept(environ),
        home=home_of_user(),
        stop_seconds=round(config.values.server.drain_seconds) + MARGIN_SECONDS,
        sandboxed=sandboxed,
    )


def configuration(config_file: Path | None) -> Config:
    """The YAML that a service serves: never one of the current folder, unless it is named."""
    return found.configuration(config_file)


def program() -> Path:
    """The command `dragoman`: the one that runs, or that of this Python. Links are kept as they
    are, so that an update behind them is taken up. Raises `ConfigurationError`."""
    name = "dragoman"
    running = shutil.which(sys.argv[0])
    if running is not None and Path(running).name == name:
        return Path(running).absolute()
    beside = Path(sys.executable).absolute().parent / name
    if beside.is_file():
        return beside
    raise ConfigurationError(f"the command {name!r} was not found next to {sys.executable}")


def left_out(environ: Mapping[str, str]) -> list[str]:
    """The names of variables that are set here and will be missing in the service."""
    return sorted(
        name
        for name in environ
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in NOT_WRITTEN)
    )
