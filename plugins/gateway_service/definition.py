"""A service, independent of the system's file format."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.errors import ConfigurationError

DESCRIPTION: Final = "Dragoman: an OpenAI-compatible gateway to the Claude Code CLI"

MARGIN_SECONDS: Final = 20
"""What an orderly end may take besides the draining: idle connections, and the CLI's processes."""

KEPT: Final = ("PATH", "CLAUDE_CONFIG_DIR", "DRAGOMAN_CLAUDE_COMMAND")
"""Of the environment, what is written into a service's file: where things are, and no secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """`command` is the whole of it, with the program's path; `stop_seconds` is how long it may take to end.

    `environment` is what the service gets besides what the system gives it. `sandboxed` is for
    systemd alone.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str]
    home: Path
    stop_seconds: int
    sandboxed: bool = True

    def __post_init__(self) -> None:
        for text in (*self.command, *self.environment.values(), str(self.home)):
            if not text.isprintable():
                raise ConfigurationError(
                    f"{text!r} has characters that are not allowed in a service file"
                )


def kept(environ: Mapping[str, str]) -> dict[str, str]:
    """The part of an environment that a service is given."""
    found = {name: environ[name] for name in KEPT if environ.get(name)}
    if "PATH" in found:
        found["PATH"] = ":".join(_absolute(found["PATH"].split(":")))
    return found


def _absolute(folders: Iterable[str]) -> list[str]:
    """Relative folders mean nothing to a service, and are not safe in a PATH."""
    return list(dict.fromkeys(folder for folder in folders if folder.startswith("/")))


def configuration_in(command: tuple[str, ...]) -> Path | None:
    """The YAML that a service's command names, if it names one."""
    for option, value in itertools.pairwise(command):
        if option == "--config":
            return Path(value)
    return None
