"""What the CLI runs in: the user's own environment, or one made from nothing."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway_claude_code import command


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the CLI runs in: the environment that it is built from, and what overrides it."""

    environ: Mapping[str, str]
    overrides: Mapping[str, str]

    @classmethod
    def of_user(cls) -> "Surroundings":
        """The gateway's own environment, with the user's login and settings."""
        return cls(environ=dict(os.environ), overrides={})

    @classmethod
    def offline(cls, url: str, home: Path) -> "Surroundings":
        """Nothing of the user's: an empty home, a made-up key and the stand-in's address."""
        environ = {"HOME": str(home), "PATH": os.environ.get("PATH", os.defpath)}
        if named := os.environ.get(command.COMMAND_VARIABLE):
            environ[command.COMMAND_VARIABLE] = named
        overrides = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "offline"}
        return cls(environ=environ, overrides=overrides)
