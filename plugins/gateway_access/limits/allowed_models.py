"""Which models a key may ask for. Pure."""

import re
from collections.abc import Sequence
from functools import lru_cache

from gateway.errors import NotAllowed
from gateway_access.config import KeyEntry


def check_model(entry: KeyEntry, asked: str, reach: Sequence[str]) -> None:
    """Raises `NotAllowed`, unless the key may ask for this model; see `may_use`."""
    if not may_use(entry.models, asked, reach):
        raise NotAllowed(
            f"The key {entry.name!r} may not use the model {asked[:100]!r}; "
            f"it may use: {', '.join(entry.models)}.",
            param="model",
        )


def may_use(patterns: Sequence[str], asked: str, reach: Sequence[str]) -> bool:
    """Whether the patterns let a model through; without any, they do.

    `asked` is the client's name for it, `reach` the entries of the model map that it can lead to.
    The patterns have to name the first, or else all of the others: whether a request is allowed
    does not depend on which model of a split it gets.
    """
    return not patterns or _matches(patterns, asked) or all(_matches(patterns, m) for m in reach)


def _matches(patterns: Sequence[str], name: str) -> bool:
    return any(_compiled(pattern).fullmatch(name) for pattern in patterns)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)
