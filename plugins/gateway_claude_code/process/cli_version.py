"""Differences between versions of the CLI. Pure."""

import re
from typing import Final

SWITCHES_MODELS: Final = (2, 1, 330)
"""2.1.330 is the first version seen to switch models without a trace in the conversation, and to take
texts as written (`history.earlier`); 2.1.197 does neither."""


def switches_models(version: str | None) -> bool:
    """Whether a running process can switch models without a trace in the conversation."""
    # `claude --version` prints "2.1.330 (Claude Code)" (seen with 2.1.330)
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version or "")
    return found is not None and tuple(map(int, found.groups())) >= SWITCHES_MODELS
