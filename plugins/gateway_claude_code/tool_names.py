"""The client's tool names, and what they are called towards the model. Pure.

The model's API takes `^[a-zA-Z0-9_-]{1,128}$`, and the CLI puts `mcp__SERVER__` in front.
"""

import re
from collections.abc import Iterable

from gateway_claude_code.command import MCP_SERVER

PREFIX = f"mcp__{MCP_SERVER}__"


class ToolNames:
    """Both directions of the mapping for one request. Names that are fine stay as they are.

    `names` are the tools on offer; others may turn up in the history.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._inner: dict[str, str] = {}
        self._outer: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        # those that are fine first, so that none of them has to give way
        for name in sorted(names, key=lambda name: _plain(name) != name):
            self._add(name)
        self._offered = dict(self._outer)

    def inner(self, name: str) -> str:
        """The name inside the MCP server."""
        return self._inner.get(name) or self._add(name)

    def to_model(self, name: str) -> str:
        """The name that the model sees."""
        return PREFIX + self.inner(name)

    def from_model(self, name: str) -> str | None:
        """The client's name for what the model called; None for a tool that is not on offer."""
        if not name.startswith(PREFIX):
            return None
        return self._offered.get(name.removeprefix(PREFIX))

    def _add(self, name: str) -> str:
        inner = plain = _plain(name)
        while inner in self._outer:
            # counted on, as thousands may come to the same plain name
            number = self._numbers[plain] = self._numbers.get(plain, 1) + 1
            inner = f"{plain}_{number}"
        self._inner[name] = inner
        self._outer[inner] = name
        return inner


def _plain(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)
