"""Two upstream requests beside each other, and the differences that are allowed. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway_claude_code.upstream import MessagesRequest

EACH_TIME: Final = ("x-claude-code-session-id", "x-client-request-id", "host", "content-length")
"""Headers that differ between any two requests or processes: ids, the address, and the length that
goes with them."""
ABSENT: Final = "(absent)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """At a path of a request, `reused` is what the reused process sent, `fresh` what the other did."""

    path: str
    reused: Any
    fresh: Any

    def __str__(self) -> str:
        return f"{self.path}: {_short(self.reused)} | fresh: {_short(self.fresh)}"


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:400]


def differences(reused: MessagesRequest, fresh: MessagesRequest) -> list[Difference]:
    """All that are not allowed."""
    found = [
        *_within("body", _body(reused), _body(fresh)),
        *_within("headers", _headers(reused), _headers(fresh)),
    ]
    return [one for one in found if not any(allowed(one) for allowed in ALLOWED.values())]


def _body(request: MessagesRequest) -> dict[str, Any]:
    # of the process: its session's id, the same for all its conversations
    return {key: value for key, value in request.body.items() if key != "metadata"}


def _headers(request: MessagesRequest) -> dict[str, Any]:
    headers: dict[str, Any] = dict(request.headers)
    headers["anthropic-beta"] = headers.get("anthropic-beta", "").split(",")
    return {key: value for key, value in headers.items() if key not in EACH_TIME}


def _within(path: str, one: Any, other: Any) -> Iterator[Difference]:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in {**one, **other}:
            yield from _within(f"{path}.{key}", one.get(key, ABSENT), other.get(key, ABSENT))
        if list(one) != list(other) and set(one) == set(other):
            yield Difference(path=f"{path} (order)", reused=list(one), fresh=list(other))
    elif isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            yield Difference(path=f"{path} (length)", reused=one, fresh=other)
        for number, (here, there) in enumerate(zip(one, other, strict=False)):
            yield from _within(f"{path}[{number}]", here, there)
    elif one != other:
        yield Difference(path=path, reused=one, fresh=other)


ALLOWED: Final[Mapping[str, Any]] = {}
"""By its reason, whether a difference is allowed."""
