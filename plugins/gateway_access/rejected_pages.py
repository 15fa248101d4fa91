"""The hosts and origins that were rejected, and the line of YAML that would allow each."""

import json
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

Kind = Literal["host", "origin"]
"""Each is also a list of `plugins.access`, in the plural."""

KEPT: Final = 20
MAX_NAME: Final = 100
_ODD: Final = re.compile(r"[^!-~]")


def shown(text: str) -> str:
    """A client's text for a line of ours: short, and of visible ASCII only."""
    cut = text if len(text) <= MAX_NAME else f"{text[: MAX_NAME - 3]}..."
    return _ODD.sub("?", cut)


def yaml_line(kind: Kind, listed: Iterable[str], name: str) -> str:
    """The line that adds `name` to those that are listed. JSON strings are YAML as well."""
    names = json.dumps([*listed, name])
    return f"plugins: {{access: {{{kind}s: {names}}}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedPage:
    """How often a name was rejected, and when last. `listable` if the YAML can name it."""

    kind: Kind
    name: str
    count: int
    last: datetime
    listable: bool


class RejectedPages:
    """The latest names, `KEPT` at most: programs and pages can make up any number of them."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._kept: OrderedDict[tuple[Kind, str], RejectedPage] = OrderedDict()

    def add(self, kind: Kind, name: str, *, listable: bool) -> None:
        """Count one more."""
        name = shown(name)
        before = self._kept.pop((kind, name), None)
        count = 1 if before is None else before.count + 1
        self._kept[kind, name] = RejectedPage(
            kind=kind, name=name, count=count, last=self._now(), listable=listable
        )
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    def forget(self, allowed: Callable[[RejectedPage], bool]) -> None:
        """Drop those that are let in from now on."""
        for key in [key for key, page in self._kept.items() if allowed(page)]:
            del self._kept[key]

    def report(self, listed: Callable[[Kind], Iterable[str]]) -> list[dict[str, Any]]:
        """For `GET /health`, the latest first; `add` is the YAML line, or null if it can't be listed.

        `listed(kind)` are those in the YAML.
        """
        return [
            {
                "kind": each.kind,
                "name": each.name,
                "count": each.count,
                "last_at": each.last.isoformat(timespec="seconds"),
                "add": yaml_line(each.kind, listed(each.kind), each.name)
                if each.listable
                else None,
            }
            for each in reversed(self._kept.values())
        ]
