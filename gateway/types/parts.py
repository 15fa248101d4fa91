"""Messages and their parts, the model's and the user's."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Role: TypeAlias = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A page that the model cites, with its words if the backend quotes them."""

    url: str
    title: str | None = None
    quoted: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Plain text.

    `speaker` is "system" for the text of a system message that came after the first turn: it is
    kept in its place, as a part of a user's message, but is not the user's. Otherwise None.
    `citations` are the sources of the whole of this text, if it is the model's.
    """

    text: str
    speaker: Literal["system"] | None = None
    citations: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinking:
    """The model's own reasoning. `signature` is the backend's proof of it, opaque to others."""

    text: str
    signature: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture: either `data` (base64, with its `media_type`) or a `url` that the backend fetches.

    `place` is its path in the client's request, for errors.
    """

    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    place: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file to be read: `data` in base64 for `application/pdf`, the text itself for `text/*`.

    `place` is its path in the client's request, for errors.
    """

    media_type: str
    data: str
    title: str | None = None  # such as the file's name
    place: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call of a tool by the model. `arguments` is JSON text, exactly as the model wrote it."""

    id: str
    name: str
    arguments: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """The result of the call with the id `call_id`."""

    call_id: str
    parts: tuple["Text | Image | Document", ...] = ()
    is_error: bool = False  # the model is told that the call failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A page that a search has found."""

    url: str
    title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSearch:
    """A search of the web that the provider made while it answered.

    `status` "incomplete" is a search whose result did not come in this answer; `error` is the
    backend's word for the reason of a failed one, such as "max_uses_exceeded".
    """

    id: str
    query: str = ""
    sources: tuple[Source, ...] = ()
    status: Literal["completed", "failed", "incomplete"] = "incomplete"
    error: str | None = None


Part: TypeAlias = Text | Thinking | Image | Document | ToolCall | ToolResult | WebSearch
AnswerPart: TypeAlias = Text | Thinking | ToolCall | WebSearch


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn. Tool results are parts of a user message; system text is not a message."""

    role: Role
    parts: tuple[Part, ...]
