"""The content blocks of a request, with their paths in the API's messages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway_claude_code.upstream.request import JsonObject, MessagesRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A content block, and where it is: `path` as in "messages.2.content.0"."""

    path: str
    index: int
    role: str
    block: JsonObject

    @property
    def kind(self) -> str:
        """The block's `type`."""
        return str(self.block.get("type"))


def content_blocks(content: object) -> list[JsonObject]:
    """The blocks of a `content`; a string is one text block."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list):
        return []
    return [block for block in content if isinstance(block, Mapping)]


def placed_blocks(request: MessagesRequest) -> Iterator[Placed]:
    """The blocks of all messages in order, without those inside tool results."""
    for number, message in enumerate(request.messages):
        for index, block in enumerate(content_blocks(message.get("content"))):
            yield Placed(
                path=f"messages.{number}.content.{index}",
                index=number,
                role=str(message.get("role")),
                block=block,
            )


def all_blocks(request: MessagesRequest) -> Iterator[Placed]:
    """The blocks of all messages in order, each tool result followed by those inside it."""
    for placed in placed_blocks(request):
        yield placed
        if placed.kind != "tool_result":
            continue
        for index, block in enumerate(content_blocks(placed.block.get("content"))):
            path = f"{placed.path}.tool_result.content.{index}"
            yield Placed(path=path, index=placed.index, role=placed.role, block=block)


def text_of(block: JsonObject) -> str:
    """The text of a text block."""
    return str(block.get("text", ""))


def field_of(value: object, name: str) -> Any:  # noqa: ANN401 - any JSON value
    """A field of a JSON object; None for a missing field, and for any other value."""
    return value.get(name) if isinstance(value, Mapping) else None


def thinking_type(request: MessagesRequest) -> str | None:
    """The `thinking.type` of the request; None if it says nothing about thinking."""
    kind = field_of(request.body.get("thinking"), "type")
    return None if kind is None else str(kind)


def thinks(request: MessagesRequest) -> bool:
    """Whether the request asks for thinking before the answer."""
    return thinking_type(request) in ("adaptive", "enabled")


def betas(request: MessagesRequest) -> set[str]:
    """The values of the `anthropic-beta` header."""
    return {beta.strip() for beta in request.headers.get("anthropic-beta", "").split(",")}
