"""What depends on the version of the CLI. Pure."""

import re
from typing import Final

SWITCHES_MODELS: Final = (2, 1, 330)
"""The first version of the CLI that was seen to take another model cleanly, and texts as they are
written (`history.earlier`); 2.1.197 does neither."""


def switches_models(version: str | None) -> bool:
    """Whether a running process can take another model without a trace: seen with 2.1.330."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version or "")
    return found is not None and tuple(map(int, found.groups())) >= SWITCHES_MODELS
