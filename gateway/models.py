"""The model map: from the name that a client asks for to a backend and its own name for it."""

import difflib
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from gateway.errors import ConfigurationError, ModelNotFound
from gateway.types import Target

MAX_ALIAS_STEPS = 10
"""An alias may lead to an alias; a longer chain than this is a loop."""


class ModelEntry(BaseModel):
    """One entry of `models:` in the YAML.

    `target` is the backend's own name for the model; without it, the name that was asked for
    goes through as it is. `options` are the backend's, and are validated by it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    backend: str
    target: str | None = None
    description: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)


class ModelMap:
    """Entries and aliases. A key with one `*` is a pattern; exact names come before patterns,
    and of two patterns the longer one wins."""

    def __init__(self, entries: Mapping[str, ModelEntry], aliases: Mapping[str, str]) -> None:
        self.entries = dict(entries)
        self.aliases = dict(aliases)

    @property
    def listed(self) -> dict[str, ModelEntry]:
        """The entries that can be listed, which patterns can't."""
        return {name: entry for name, entry in self.entries.items() if "*" not in name}

    def resolve(self, name: str) -> Target:
        """Where `name` leads. Raises `ModelNotFound`, with the nearest names there are."""
        current = name
        for _ in range(MAX_ALIAS_STEPS):
            if (entry := self.entries.get(current)) is not None:
                return _target(current, entry)
            if (followed := self._follow_alias(current)) is None:
                break
            current = followed
        if (pattern := _best_match(current, self.entries)) is not None:
            return _target(current, self.entries[pattern[0]])
        raise ModelNotFound(
            f"The model {name!r} does not exist. {self._suggestion(name)}", param="model"
        )

    def check_aliases(self, source: object = None) -> None:
        """Raise `ConfigurationError` for an alias that leads to no model."""
        for alias, name in self.aliases.items():
            if "*" in alias:
                continue
            try:
                self.resolve(alias)
            except ModelNotFound:
                raise ConfigurationError(
                    f"{source or 'configuration'}: the alias {alias!r} leads to {name!r}, "
                    f"which is no model. {self._suggestion(name)}"
                ) from None

    def _follow_alias(self, name: str) -> str | None:
        if (exact := self.aliases.get(name)) is not None:
            return exact
        if (found := _best_match(name, self.aliases)) is None:
            return None
        pattern, matched = found
        return self.aliases[pattern].replace("*", matched)

    def _suggestion(self, name: str) -> str:
        names = [key for key in (*self.entries, *self.aliases) if "*" not in key]
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        if near:
            return f"Did you mean {' or '.join(map(repr, near))}?"
        return f"There are: {', '.join(self.listed) or 'none'}."


def _target(name: str, entry: ModelEntry) -> Target:
    return Target(
        model=name, backend=entry.backend, name=entry.target or name, options=entry.options
    )


def _best_match(name: str, patterns: Mapping[str, object]) -> tuple[str, str] | None:
    """The longest pattern that matches, and what its `*` stands for."""
    for pattern in sorted((key for key in patterns if "*" in key), key=len, reverse=True):
        before, _, after = pattern.partition("*")
        if found := re.fullmatch(f"{re.escape(before)}(.+){re.escape(after)}", name, re.DOTALL):
            return pattern, found[1]
    return None
