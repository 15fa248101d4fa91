"""The row of one answer, and its material. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from gateway.context import OutcomeStatus
from gateway.errors import GatewayError, ServerFault
from gateway.secrets.patterns import redact
from gateway.types import (
    ChatRequest,
    Document,
    Image,
    Part,
    Target,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Usage,
    WebSearch,
)

MESSAGE_CHARACTERS: Final = 2000
"""How much of an error's message is kept."""


class Row(NamedTuple):
    """One answer.

    `time` is that of the request's arrival, in UTC. Durations are milliseconds since then; None: it
    did not get there.
    `input_tokens` are all of them, `cached_tokens` those of them that were read from a cache.
    `cost_usd` is reported by the backend, in US dollars; None if it was not, or too late.
    `request` and `answer` are JSON, and None unless bodies are kept.
    """

    time: str
    request_id: str
    key: str | None
    client: str | None
    model: str
    backend: str | None
    backend_model: str | None
    status: str
    finish_reason: str | None
    queue_ms: float | None
    asked_ms: float | None
    first_token_ms: float | None
    total_ms: float
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    reasoning_tokens: int | None
    tools_offered: int
    tool_calls: int
    error_code: str | None
    error_message: str | None
    cost_usd: float | None = None
    request: str | None = None
    answer: str | None = None


COLUMNS: Final = Row._fields


@dataclass(slots=True)
class Answered:
    """The material of a row at the answer's end; the row is made later, by the writer.

    `arrived` is Unix time, `duration` and `first_token` are seconds since then. `error` is the code
    and the message. `cost` may still grow.
    """

    arrived: float
    request_id: str
    key: str | None
    client: str | None
    model: str
    tools_offered: int
    target: Target | None
    timings: Mapping[str, float]
    status: OutcomeStatus
    finish_reason: str | None
    backend_model: str | None
    duration: float
    first_token: float | None
    tool_calls: int
    usage: Usage | None
    error: tuple[str | None, str | None] | None = None
    bodies: "Bodies | None" = None
    cost: float | None = None

    def row(self) -> Row:
        """The row."""
        usage, target = self.usage, self.target
        code, message = self.error or (None, None)
        request, answer = self.bodies.texts() if self.bodies is not None else (None, None)
        return Row(
            time=datetime.fromtimestamp(self.arrived, UTC).isoformat(timespec="milliseconds"),
            request_id=self.request_id,
            key=self.key,
            client=clean(self.client),
            model=clean(self.model) or "",
            backend=target.backend if target else None,
            backend_model=clean(self.backend_model or (target.name if target else None)),
            status=self.status,
            finish_reason=self.finish_reason,
            queue_ms=milliseconds(self.timings.get("ready")),
            asked_ms=milliseconds(self.timings.get("asked")),
            first_token_ms=milliseconds(self.first_token),
            total_ms=round(self.duration * 1000, 3),
            input_tokens=usage.prompt_tokens if usage else None,
            output_tokens=usage.output_tokens if usage else None,
            cached_tokens=usage.cache_read_tokens if usage else None,
            reasoning_tokens=usage.reasoning_tokens if usage else None,
            tools_offered=self.tools_offered,
            tool_calls=self.tool_calls,
            error_code=code,
            error_message=message,
            cost_usd=None if self.cost is None else round(self.cost, 9),
            request=request,
            answer=answer,
        )


def explain(error: BaseException | None) -> tuple[str | None, str | None]:
    """The code and the message of a failure; a client that went away is none."""
    if not isinstance(error, Exception):
        return None, None
    known = error if isinstance(error, GatewayError) else ServerFault("the gateway failed")
    code = known.code or f"status_{known.status}"
    return code, clean(redact(known.message[:MESSAGE_CHARACTERS]))


def milliseconds(seconds: float | None) -> float | None:
    """Rounded to microseconds."""
    return None if seconds is None else round(seconds * 1000, 3)


def clean(text: str | None) -> str | None:
    """The text without halves of surrogate pairs, which JSON can bring and no file takes."""
    if text is None or text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")


def as_json(row: Row) -> dict[str, Any]:
    """A row as JSON has it: bodies as values and not as text, and none where none are kept."""
    values = row._asdict()
    for name in ("request", "answer"):
        text = values.pop(name)
        if text is not None:
            values[name] = json.loads(text)
    return values


# -- bodies -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Bodies:
    """The request and the answer, as they are in the hub."""

    request: ChatRequest
    answer: Sequence[Part]

    @property
    def characters(self) -> int:
        """Roughly how much memory it holds."""
        parts = [part for message in self.request.messages for part in message.parts]
        return len(self.request.system) + sum(map(_size, (*parts, *self.answer)))

    def texts(self) -> tuple[str, str]:
        """Both as JSON, without secrets, and with sizes instead of files."""
        messages = [
            {"role": message.role, "parts": [_as_value(part) for part in message.parts]}
            for message in self.request.messages
        ]
        request = {"system": _plain(self.request.system), "messages": messages}
        return _dump(request), _dump([_as_value(part) for part in self.answer])


def _size(part: Part) -> int:
    match part:
        case Text() | Thinking():
            return len(part.text)
        case ToolCall():
            return len(part.arguments)
        case WebSearch():
            return len(part.query)
        case ToolResult():
            return sum(map(_size, part.parts))
        case Image() | Document():
            return len(part.data or "")


def _as_value(part: Part) -> Mapping[str, object]:
    match part:
        case Text():
            return {"type": "text", "text": _plain(part.text)}
        case Thinking():
            return {"type": "thinking", "text": _plain(part.text)}
        case ToolCall():
            call = {"id": part.id, "name": part.name, "arguments": _plain(part.arguments)}
            return {"type": "tool_call", **call}
        case ToolResult():
            parts = [_as_value(inner) for inner in part.parts]
            return {"type": "tool_result", "call_id": part.call_id, "parts": parts}
        case WebSearch():
            found = {"status": part.status, "error": part.error, "pages": len(part.sources)}
            return {"type": "web_search", "query": _plain(part.query), **found}
        case Image():
            return {"type": "image", "media_type": part.media_type, "characters": _size(part)}
        case Document():
            return {"type": "document", "media_type": part.media_type, "characters": _size(part)}


def _plain(text: str) -> str:
    return redact(clean(text) or "")


def _dump(value: object) -> str:
    return clean(json.dumps(value, ensure_ascii=False)) or ""
