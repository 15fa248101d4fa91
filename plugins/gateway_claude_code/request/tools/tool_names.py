"""What the client's tools and their arguments are called towards the model. Pure.

For a tool the model's API takes `^[a-zA-Z0-9_-]{1,128}$`, and the CLI puts `mcp__SERVER__` in front;
for arguments see `property_names`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from gateway_claude_code.process.command import MCP_SERVER

PREFIX = f"mcp__{MCP_SERVER}__"


class ToolNames:
    """Both directions of the mapping for one request. Names that are fine stay as they are.

    `names` are the tools on offer; others may turn up in the history. `arguments` has for each
    tool the client's names of those arguments that have another name towards the model, by that.
    """

    def __init__(
        self, names: Iterable[str], arguments: Mapping[str, Mapping[str, str]] | None = None
    ) -> None:
        self._arguments = arguments or {}
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

    def own_arguments(self, name: str) -> Mapping[str, str]:
        """The client's names of a tool's arguments, by the model's, where they differ."""
        return self._arguments.get(name, {})

    def arguments_to_model(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Arguments of an earlier call under the names that the model knows."""
        sent = {own: name for name, own in self.own_arguments(name).items()}
        return {
            sent[key] if key in sent and sent[key] not in arguments else key: value
            for key, value in arguments.items()
        }

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
