"""The models of each CLI in a small file of the user's, so that a CLI is asked only once.

What it says depends on the login too (a plan may lack a model), so both are part of the key.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from gateway_claude_code.facts.asked import AskedModel
from gateway_claude_code.facts.known import KnownModels
from gateway_claude_code.facts.model_facts import EFFORT_LEVELS
from gateway_claude_code.process.launch import Program
from gateway_claude_code.state_file import StateFile, state_path

FILE_NAME: Final = "cli-models.json"
MOST: Final = 20
"""The number of CLIs and logins that are remembered; the last ones stay."""


class RememberedModels:
    """Lists of models by the CLI's program and the kind of its login."""

    def __init__(self, path: Path | None) -> None:
        self._file = StateFile(path)

    @classmethod
    def of_user(cls, environ: Mapping[str, str]) -> "RememberedModels":
        """Those in the user's own state folder."""
        return cls(state_path(environ, FILE_NAME))

    def recall(self, program: Program, login: str | None = None) -> list[AskedModel] | None:
        """The answer of this CLI with this login, or with its last one; None if it was not asked."""
        identity = _identity(program, login)
        for entry in reversed(self._entries()):
            key = entry["cli"]
            if key == identity or (login is None and key[:-1] == identity[:-1]):
                try:
                    return [_read(model) for model in entry["models"]]
                except (LookupError, TypeError, ValueError):
                    return None
        return None

    def keep(self, program: Program, login: str, models: list[AskedModel]) -> None:
        """Remember a list; an empty one is not worth it."""
        if not models:
            return
        identity = _identity(program, login)
        others = [entry for entry in self._entries() if entry["cli"] != identity]
        entry = {"cli": identity, "models": [asdict(model) for model in models]}
        self._file.write({"entries": [*others, entry][-MOST:]})

    def _entries(self) -> list[dict[str, Any]]:
        entries = self._file.read().get("entries")
        return [
            entry
            for entry in (entries if isinstance(entries, list) else ())
            if isinstance(entry, dict) and isinstance(entry.get("cli"), list)
        ]


def known_to_user(environ: Mapping[str, str], program: Program | None) -> KnownModels:
    """The answers that are known without asking: for commands that look from outside."""
    models = RememberedModels.of_user(environ).recall(program) if program is not None else None
    return KnownModels.of_user(environ, models or ())


def _identity(program: Program, login: str | None) -> list[object]:
    return [str(program.path), *program.stamp, login]


def _read(model: Mapping[str, Any]) -> AskedModel:
    efforts = model["efforts"]
    return AskedModel(
        value=str(model["value"]),
        model=str(model["model"]),
        description=model["description"],
        efforts=None
        if efforts is None
        else tuple(level for level in EFFORT_LEVELS if level in efforts),
        adaptive_thinking=model["adaptive_thinking"],
        thinking_off=model["thinking_off"],
    )
