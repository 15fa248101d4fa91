"""Which models a key may ask for. Pure."""

import re
from collections.abc import Sequence
from functools import lru_cache

from gateway.errors import NotAllowed
from gateway_access.config import KeyEntry


def check_model(entry: KeyEntry, asked: str, target: str) -> None:
    """Raises `NotAllowed`, unless the key may ask for this model.

    `asked` is the client's name for it, `target` the entry of the model map that it led to; the
    patterns may name either.
    """
    if not may_use(entry.models, asked, target):
        raise NotAllowed(
            f"The key {entry.name!r} may not use the model {asked[:100]!r}; "
            f"it may use: {', '.join(entry.models)}.",
            param="model",
        )


def may_use(patterns: Sequence[str], asked: str, target: str) -> bool:
    """Whether the patterns let through a model with these names; without any, they do."""
    return not patterns or any(_matches(each, asked, target) for each in patterns)


def _matches(pattern: str, *names: str) -> bool:
    return any(_compiled(pattern).fullmatch(name) for name in names)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)
