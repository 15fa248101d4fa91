"""From the hub's answers and events to text completions, whole and streamed.

The shape of both is `openai.types.Completion` (openai-python 3.54). The model's reasoning has
no place in it and is left out.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.errors import BackendFailed
from gateway.frontend import sse_event
from gateway.types import (
    ChatResponse,
    PartDelta,
    PartStart,
    ResponseEnd,
    StreamEvent,
    Text,
    Usage,
    UsageUpdate,
)
from gateway_openai.encode.chat import SYSTEM_FINGERPRINT, encode_usage, finish_reason
from gateway_openai.encode.chat_chunks import DONE, OpenAIEncoder


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionEncoding:
    """How the answers to one call are written. `created` is in seconds since the epoch.

    `prompts` have the same number of choices each, one prompt after another.
    """

    id: str
    created: int
    model: str
    prompts: tuple[str, ...]
    echo: bool = False
    include_usage: bool = False

    def whole(self, responses: Sequence[ChatResponse]) -> dict[str, Any]:
        """The whole answer: a choice for each response."""
        choices = [
            self.choice(index, before + _text(response), _finish_reason(response))
            for index, (before, response) in enumerate(
                zip(self.before(len(responses)), responses, strict=True)
            )
        ]
        return {**self.frame(choices), "usage": self.usage([each.usage for each in responses])}

    def stream(self, choices: int) -> "CompletionChunkEncoder":
        """An encoder for a streamed answer with so many choices."""
        return CompletionChunkEncoder(self, choices)

    def before(self, choices: int) -> list[str]:
        """What comes before the text of each choice: its prompt, if that has to be echoed."""
        each = choices // len(self.prompts)
        return [prompt if self.echo else "" for prompt in self.prompts for _ in range(each)]

    def usage(self, usages: Sequence[Usage]) -> dict[str, Any]:
        """The tokens of all choices."""
        return encode_usage(usages, len(self.prompts))

    def choice(self, index: int, text: str, finish: str | None) -> dict[str, Any]:
        """One choice, or a piece of one."""
        return {"index": index, "text": text, "logprobs": None, "finish_reason": finish}

    def frame(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        """What surrounds choices."""
        return {
            "id": self.id,
            "object": "text_completion",
            "created": self.created,
            "model": self.model,
            "system_fingerprint": SYSTEM_FINGERPRINT,
            "choices": choices,
        }


class CompletionChunkEncoder(OpenAIEncoder):
    """Encodes the events of all choices of one answer."""

    def __init__(self, encoding: CompletionEncoding, choices: int) -> None:
        self._encoding = encoding
        self._before = encoding.before(choices)
        self._usages = [Usage()] * choices
        self._is_text: dict[tuple[int, int], bool] = {}

    def encode(self, choice: int, event: StreamEvent) -> bytes:
        """The chunks for one event of one choice; often one, sometimes none.

        Raises `BackendFailed` for more of a part that never began.
        """
        before, self._before[choice] = self._before[choice], ""
        return self._chunk(choice, before) + self._event(choice, event)

    def finish(self) -> bytes:
        """What comes after the last choice's end."""
        if not self._encoding.include_usage:
            return DONE
        usage = self._encoding.usage(self._usages)
        return sse_event({**self._encoding.frame([]), "usage": usage}) + DONE

    def _event(self, choice: int, event: StreamEvent) -> bytes:
        match event:
            case PartStart():
                self._is_text[choice, event.index] = isinstance(event.part, Text)
            case PartDelta():
                if (is_text := self._is_text.get((choice, event.index))) is None:
                    raise BackendFailed(f"part {event.index} of the answer never began")
                return self._chunk(choice, event.text if is_text else "")
            case UsageUpdate():
                self._usages[choice] = event.usage
            case ResponseEnd():
                return self._end(choice, _finish_reason(event))
        return b""

    def _chunk(self, choice: int, text: str) -> bytes:
        return self._send(self._encoding.choice(choice, text, None)) if text else b""

    def _end(self, choice: int, finish: str) -> bytes:
        return self._send(self._encoding.choice(choice, "", finish))

    def _send(self, choice: dict[str, Any]) -> bytes:
        frame = self._encoding.frame([choice])
        return sse_event({**frame, "usage": None} if self._encoding.include_usage else frame)


def text_completion_id() -> str:
    """A new id for an answer."""
    return f"cmpl-{secrets.token_hex(16)}"


def _text(response: ChatResponse) -> str:
    return "".join(part.text for part in response.parts if isinstance(part, Text))


def _finish_reason(end: ChatResponse | ResponseEnd) -> str:
    # There were no tools to call, and this shape has no word for it.
    reason = finish_reason(end.stop_reason, legacy_functions=False)
    return "stop" if reason == "tool_calls" else reason
