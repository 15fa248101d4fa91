"""One `POST /v1/messages` as it was received, with the questions of scripts and tests."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

JsonObject: TypeAlias = Mapping[str, Any]

_IDENTITY = ("x-anthropic-billing-header:", "You are a Claude agent,", "You are Claude Code,")
_NOTES = ("<system-reminder>", "<local-command-", "<command-name>")


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesRequest:
    """A request for a message.

    `body` is the parsed JSON and `size` its length in bytes; `headers` have lower-case names;
    `received` is `time.monotonic()` when the whole body was there. What the CLI (seen with
    2.1.197 and 2.1.330) adds of its own is left out of the texts, not of `body`.
    """

    body: JsonObject
    size: int
    headers: Mapping[str, str]
    received: float

    @property
    def model(self) -> str:
        """The upstream's name of the requested model."""
        return str(self.body.get("model", ""))

    @property
    def streamed(self) -> bool:
        """Whether the answer is requested as server-sent events."""
        return self.body.get("stream") is True

    @property
    def messages(self) -> Sequence[JsonObject]:
        """All messages of the conversation, including those of the role "system"."""
        return list(self.body.get("messages", ()))

    @property
    def turns(self) -> Sequence[JsonObject]:
        """The messages of the roles "user" and "assistant" only."""
        return [m for m in self.messages if m.get("role") in ("user", "assistant")]

    @property
    def tools(self) -> Sequence[JsonObject]:
        """The offered tools: `name`, `description`, `input_schema`."""
        return list(self.body.get("tools") or ())

    @property
    def tool_choice(self) -> JsonObject:
        """`{"type": "auto" | "any" | "tool" | "none", ...}`."""
        choice: JsonObject = self.body.get("tool_choice") or {"type": "auto"}
        return choice

    @property
    def system_text(self) -> str:
        """The system prompt without the CLI's lines about itself, blocks joined by a blank line."""
        texts = _texts(self.body.get("system"))
        return "\n\n".join(text for text in texts if not is_the_clis(text))

    @property
    def last_user_text(self) -> str:
        """The text of the last turn if it is the user's, blocks joined by a line end."""
        if not self.turns or self.turns[-1].get("role") != "user":
            return ""
        texts = _texts(self.turns[-1].get("content"))
        return "\n".join(text for text in texts if not is_note(text))

    @property
    def last_tool_results(self) -> Sequence[JsonObject]:
        """The `tool_result` blocks of the last turn."""
        content = self.turns[-1].get("content") if self.turns else None
        return [block for block in _blocks(content) if block.get("type") == "tool_result"]

    @property
    def cache_marks(self) -> int:
        """The number of blocks with `cache_control`; the API accepts four."""
        content = [message.get("content") for message in self.messages]
        places = [self.body.get("system"), self.body.get("tools"), *content]
        return sum("cache_control" in block for place in places for block in _blocks(place))

    def tool_name(self, tool_use_id: str) -> str:
        """The name of the tool in the earlier call with this id, or ""."""
        for turn in self.turns:
            for block in _blocks(turn.get("content")):
                if block.get("type") == "tool_use" and block.get("id") == tool_use_id:
                    return str(block.get("name", ""))
        return ""


def is_the_clis(text: str) -> bool:
    """Whether this text of a system prompt is the CLI's own about itself."""
    return text.startswith(_IDENTITY)


def is_note(text: str) -> bool:
    """Whether this text of a user is a note of the CLI."""
    return text.startswith(_NOTES)


def result_text(tool_result: JsonObject) -> str:
    """The text in a `tool_result` block."""
    return "\n".join(_texts(tool_result.get("content")))


def _blocks(content: object) -> Iterator[JsonObject]:
    if isinstance(content, str):
        yield {"type": "text", "text": content}
    elif isinstance(content, list):
        yield from content


def _texts(content: object) -> list[str]:
    return [str(block["text"]) for block in _blocks(content) if block.get("type") == "text"]
