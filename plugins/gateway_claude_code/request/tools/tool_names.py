"""The model's names of the client's tools and their arguments. Pure.

A tool's name is `^[a-zA-Z0-9_-]{1,128}$` to the model's API: its 400s have said so since June 2025
(github.com/home-assistant/core/issues/147760, and github.com/anthropics/claude-code/issues/96152 of
September 2026), whereas platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools still had
64 in August 2026. The CLI puts `mcp__SERVER__` in front (seen with 2.1.197 and 2.1.330). For
arguments see `property_names`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from gateway_claude_code.process.command import MCP_SERVER

PREFIX = f"mcp__{MCP_SERVER}__"


class ToolNames:
    """Both directions of the mapping for one request. Accepted names stay unchanged.

    `names` are the offered tools; others may appear in the history. `arguments` has for each tool
    the client's names of renamed arguments, by the model's.
    """

    def __init__(
        self, names: Iterable[str], arguments: Mapping[str, Mapping[str, str]] | None = None
    ) -> None:
        self._arguments = arguments or {}
        self._inner: dict[str, str] = {}
        self._outer: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        # accepted names first, so that none of them has to change
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
        """The client's name of a tool that the model called; None for an unknown tool."""
        # a name that the model made up, or a tool of the CLI's own
        if not name.startswith(PREFIX):
            return None
        return self._offered.get(name.removeprefix(PREFIX))

    def own_arguments(self, name: str) -> Mapping[str, str]:
        """The client's names of a tool's arguments, by the model's, where they differ."""
        return self._arguments.get(name, {})

    def arguments_to_model(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Arguments of an earlier call under the model's names."""
        sent = {own: name for name, own in self.own_arguments(name).items()}
        return {
            sent[key] if key in sent and sent[key] not in arguments else key: value
            for key, value in arguments.items()
        }

    def _add(self, name: str) -> str:
        inner = plain = _plain(name)
        while inner in self._outer:
            # the count goes on, as thousands may have the same plain name
            number = self._numbers[plain] = self._numbers.get(plain, 1) + 1
            inner = f"{plain}_{number}"
        self._inner[name] = inner
        self._outer[inner] = name
        return inner


def _plain(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)
