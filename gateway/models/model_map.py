"""The model map: from the name that a client asks for to a backend and its own name for it."""

import difflib
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.errors import ModelNotFound
from gateway.models.entry import ModelEntry
from gateway.models.splits import pick
from gateway.types import Target
from gateway.yaml_file.wording import yaml_name

__all__ = ["Found", "ModelEntry", "ModelMap", "Step"]

MAX_ALIAS_STEPS = 10
"""An alias may lead to an alias; a longer chain than this is a loop."""
MAX_NAME_SHOWN = 100
USUAL = "claude-sonnet-4"
"""The packaged YAML's model for every day, to which a proposed alias leads if it is offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step on the way from a name to a model: the key of the map that took it, and to where."""

    kind: Literal["alias", "split", "model"]
    key: str
    leads_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A model and how it was found. `description` is that of the split, where there was one.

    `reach` has the names of all entries that the name can lead to: several with a split.
    """

    target: Target
    entry: ModelEntry
    steps: tuple[Step, ...]
    description: str | None
    reach: tuple[str, ...]


class ModelMap:
    """Entries and aliases. A key with one `*` is a pattern; exact names come before patterns,
    and of two patterns the longer one wins.

    `sources` says where each key comes from, for people: a line of a file, a plugin; `file` names
    the YAML to change. `replaced` are default names that are missing because that file has its
    own `models:`; errors say so. A map is never changed; a reload makes another one.
    """

    def __init__(
        self,
        entries: Mapping[str, ModelEntry],
        aliases: Mapping[str, str],
        sources: Mapping[str, str] | None = None,
        file: str = "the gateway's YAML",
        replaced: Collection[str] = (),
    ) -> None:
        self.entries = dict(entries)
        self.aliases = dict(aliases)
        self.sources = dict(sources or {})
        self._file = file
        self._replaced = tuple(replaced)

    @property
    def listed(self) -> dict[str, ModelEntry]:
        """The entries that can be listed, which patterns and hidden ones can't."""
        return {
            name: entry
            for name, entry in self.entries.items()
            if "*" not in name and not entry.hidden
        }

    @property
    def names(self) -> list[str]:
        """All exact names: models, then aliases."""
        return [key for key in (*self.entries, *self.aliases) if "*" not in key]

    def same_as(self, other: "ModelMap") -> bool:
        """Whether both say the same, wherever they have it from."""
        return (self.entries, self.aliases) == (other.entries, other.aliases)

    def resolve(self, name: str) -> Target:
        """Where `name` leads. Raises `ModelNotFound`, with the nearest names there are."""
        return self.find(name).target

    def find(self, name: str, conversation: Callable[[], str] = str) -> Found:
        """The model that `name` leads to, and how. Raises `ModelNotFound`.

        Of a split's models, what has the same `conversation()` always gets the same one.
        """
        current, entry, steps = self._follow(name)
        description = entry.description
        reach: tuple[str, ...] = (current,)
        if entry.split:
            reach = tuple(self._follow(model)[0] for model in entry.split)
            picked = pick(entry.split, f"{current}\0{conversation()}")
            steps.append(Step(kind="split", key=steps.pop().key, leads_to=picked))
            current, entry, more = self._follow(picked)
            steps += more
        if entry.split:
            raise ModelNotFound(
                f"The model {_short(name)!r} is a split that points to another split.",
                param="model",
            )
        target = _target(current, entry)
        return Found(
            target=target,
            entry=entry,
            steps=tuple(steps),
            description=description or entry.description,
            reach=reach,
        )

    def lost_aliases(self) -> Iterator[tuple[str, str]]:
        """The aliases that lead to no model, and where they lead instead."""
        for alias, name in self.aliases.items():
            if "*" in alias and "*" in name:
                continue  # where it leads depends on what it matches
            if self._leads_to(name) is None:
                yield alias, name

    def goes_round(self, alias: str) -> bool:
        """Whether it is one of the aliases that it leads to."""
        seen, name = {alias}, self.aliases[alias]
        while name in self.aliases and name not in seen:
            seen.add(name)
            name = self.aliases[name]
        return name in seen

    def lost_splits(self) -> Iterator[tuple[str, str]]:
        """The splits that lead to something else than a model, and to what."""
        for name, entry in self.entries.items():
            for model in entry.split:
                found = self._leads_to(model)
                if found is None or found.split:
                    yield name, model

    def _leads_to(self, name: str) -> ModelEntry | None:
        try:
            return self._follow(name)[1]
        except ModelNotFound:
            return None

    def _follow(self, name: str) -> tuple[str, ModelEntry, list[Step]]:
        """The name that is an entry's at last, that entry, and the steps to it."""
        current = name
        steps: list[Step] = []
        for _ in range(MAX_ALIAS_STEPS):
            if (key := self._key(current)) is None:
                raise ModelNotFound(
                    f"The model {_short(name)!r} does not exist. {self._suggestion(name)}",
                    param="model",
                )
            if (entry := self.entries.get(key)) is not None:
                steps.append(Step(kind="model", key=key, leads_to=entry.target or current))
                return current, entry, steps
            current = self.aliases[key].replace("*", _matched(key, current) or "")
            steps.append(Step(kind="alias", key=key, leads_to=current))
        raise ModelNotFound(
            f"The alias {_short(name)!r} is circular and resolves to no model.",
            param="model",
        )

    def _key(self, name: str) -> str | None:
        """The model or the alias that has this name, or else the longest pattern that matches."""
        if "*" in name:
            return None  # no name, but perhaps the text of a pattern
        if name in self.entries or self.aliases.get(name):
            return name
        patterns = (key for key in (*self.entries, *self.aliases) if "*" in key)
        matching = (key for key in patterns if _matched(key, name) is not None)
        return max(matching, key=len, default=None)

    def _suggestion(self, name: str) -> str:
        """The names that are near, else all of them and how to make `name` another one.

        Where only aliases are near, the name may be one that a program can't be told to change,
        as they are; then it gets both. A default that the file replaced is none that was mistyped.
        """
        if any(key == name or _matched(key, name) for key in self._replaced):
            why = f"It is one of the default models, which `models:` in {self._file} replaces. "
            return why + self._available(name)
        names = [one for one in self.names if one not in self.entries or one in self.listed]
        spelt = {one.lower(): one for one in reversed(names)}
        found = difflib.get_close_matches(_short(name).lower(), spelt, n=3, cutoff=0.5)
        near = [spelt[one] for one in found]
        if not near:
            return self._available(name)
        said = f"Did you mean {' or '.join(map(repr, near))}?"
        return (
            said
            if any(one in self.entries for one in near)
            else said + self._alias_line(name, near)
        )

    def _available(self, name: str) -> str:
        return f"Available: {', '.join(self.listed) or 'none'}.{self._alias_line(name, ())}"

    def _alias_line(self, name: str, near: Sequence[str]) -> str:
        """What to put into the YAML if it is the client that can't be changed."""
        usual = [USUAL] if USUAL in self.listed else [*self.listed]
        model = next(iter((*near, *usual)), "")
        alias, leads_to = yaml_name(name), yaml_name(model)
        if alias is None or leads_to is None or "*" in name:
            return ""
        line = f"aliases: {{{alias}: {leads_to}}}"
        return f" To accept this name, add to {self._file}: {line}"


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


def _matched(pattern: str, name: str) -> str | None:
    """What the `*` of a pattern stands for in a name; None if it does not match."""
    before, star, after = pattern.partition("*")
    if not star:
        return None
    found = re.fullmatch(f"{re.escape(before)}(.+){re.escape(after)}", name, re.DOTALL)
    return found[1] if found else None
