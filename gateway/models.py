"""The model map: from the name that a client asks for to a backend and its own name for it."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.errors import ModelNotFound
from gateway.types import Target

MAX_ALIAS_STEPS = 10
"""An alias may lead to an alias; a longer chain than this is a loop."""
MAX_NAME_SHOWN = 100


class ModelEntry(BaseModel):
    """One entry of `models:` in the YAML.

    `target` is the backend's own name for the model; without it, the name that was asked for
    goes through as it is. `sampling` says whether the model takes temperature and top_p: with
    `false` they are not passed on, and reported as ignored; with `auto` they are left out, and
    reported, once the model has refused them. `options` are the backend's own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    backend: str
    target: str | None = None
    description: str | None = None
    sampling: bool | Literal["auto"] = "auto"
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

    @property
    def names(self) -> list[str]:
        """All exact names: models, then aliases."""
        return [key for key in (*self.entries, *self.aliases) if "*" not in key]

    def resolve(self, name: str) -> Target:
        """Where `name` leads. Raises `ModelNotFound`, with the nearest names there are."""
        current = name
        for _ in range(MAX_ALIAS_STEPS):
            if isinstance(found := self._step(current), ModelEntry):
                return _target(current, found)
            if found is None:
                raise ModelNotFound(
                    f"The model {_short(name)!r} does not exist. {self._suggestion(name)}",
                    param="model",
                )
            current = found
        raise ModelNotFound(
            f"The alias {_short(name)!r} goes round in a circle, and leads to no model.",
            param="model",
        )

    def lost_aliases(self) -> Iterator[tuple[str, str]]:
        """The aliases that lead to no model, and where they lead instead."""
        for alias, name in self.aliases.items():
            if "*" in alias and "*" in name:
                continue  # where it leads depends on what it matches
            try:
                self.resolve(name)
            except ModelNotFound:
                yield alias, name

    def _step(self, name: str) -> ModelEntry | str | None:
        """The model that has this name, or the name that it is an alias of."""
        if "*" in name:
            return None  # no name, but perhaps the text of a pattern
        if (exact := self.entries.get(name) or self.aliases.get(name)) is not None:
            return exact
        if (found := _best_match(name, (*self.entries, *self.aliases))) is None:
            return None
        pattern, matched = found
        if pattern in self.entries:
            return self.entries[pattern]
        return self.aliases[pattern].replace("*", matched)

    def _suggestion(self, name: str) -> str:
        near = difflib.get_close_matches(_short(name), self.names, n=3, cutoff=0.5)
        if near:
            return f"Did you mean {' or '.join(map(repr, near))}?"
        return f"There are: {', '.join(self.listed) or 'none'}."


def _short(name: str) -> str:
    return name if len(name) <= MAX_NAME_SHOWN else f"{name[:MAX_NAME_SHOWN]}…"


def _target(name: str, entry: ModelEntry) -> Target:
    return Target(
        model=name,
        backend=entry.backend,
        name=entry.target or name,
        sampling=entry.sampling,
        options=entry.options,
    )


def _best_match(name: str, patterns: Iterable[str]) -> tuple[str, str] | None:
    """The longest pattern that matches, and what its `*` stands for."""
    for pattern in sorted((key for key in patterns if "*" in key), key=len, reverse=True):
        before, _, after = pattern.partition("*")
        if found := re.fullmatch(f"{re.escape(before)}(.+){re.escape(after)}", name, re.DOTALL):
            return pattern, found[1]
    return None
