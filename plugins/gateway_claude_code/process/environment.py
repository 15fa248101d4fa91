"""The environment that the CLI runs in: the user's own, or one built from nothing."""

import os
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway_claude_code import cli_variables
from gateway_claude_code.process import command
from gateway_claude_code.upstream import Script, Upstream

CONTAINER_FILES: Final = (".dockerenv", "run/.containerenv")
"""Docker makes the first, Podman the second (docs.podman.io, podman-run, "Exported files")."""
CONTAINER_VARIABLES: Final = ("container", "KUBERNETES_SERVICE_HOST")
"""systemd.io/CONTAINER_INTERFACE, and kubernetes.io/docs "Discovering services"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CliEnvironment:
    """The environment that the CLI's own is built from, and the variables that override it."""

    environ: Mapping[str, str]
    overrides: Mapping[str, str]

    @classmethod
    def of_user(cls) -> "CliEnvironment":
        """The gateway's own environment, with the user's login and settings."""
        return cls(environ=dict(os.environ), overrides={})

    @classmethod
    def offline(cls, url: str, home: Path) -> "CliEnvironment":
        """An empty home, a made-up key and the stand-in's address; nothing of the user's."""
        environ = {"HOME": str(home), "PATH": os.environ.get("PATH", os.defpath)}
        if named := os.environ.get(command.COMMAND_VARIABLE):
            environ[command.COMMAND_VARIABLE] = named
        # the CLI then asks this address alone, and any key will do (seen with 2.1.197 and 2.1.330)
        overrides = {cli_variables.BASE_URL: url, cli_variables.API_KEY: "offline"}
        return cls(environ=environ, overrides=overrides)


@asynccontextmanager
async def stand_in(script: Script) -> AsyncGenerator[CliEnvironment]:
    """An environment in which the CLI asks the stand-in for the model's API, in this process."""
    with tempfile.TemporaryDirectory(prefix="dragoman-", ignore_cleanup_errors=True) as home:
        async with Upstream(script, record=False) as upstream:
            yield CliEnvironment.offline(upstream.url, Path(home))


def in_container(environ: Mapping[str, str], root: Path = Path("/")) -> bool:
    """Whether this runs in a container, whose home and browser are not those of its user."""
    named = any(environ.get(name) for name in CONTAINER_VARIABLES)
    return named or any((root / name).exists() for name in CONTAINER_FILES)


def without_browser(environ: Mapping[str, str], platform: str) -> bool:
    """Whether the browser is likely to be on another machine: over SSH, or without a display."""
    if any(environ.get(name) for name in ("SSH_CONNECTION", "SSH_TTY")):
        return True
    displays = ("DISPLAY", "WAYLAND_DISPLAY")
    return platform.startswith("linux") and not any(environ.get(name) for name in displays)
