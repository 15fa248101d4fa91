"""From the items of `input` to the hub's conversation.

- `instructions`, and system and developer messages before the first other item, are the system text.
  Later ones stay at their place, in a user message with texts of their own (`Text.speaker`).
- The items of an answer (thinking, texts, calls) are one message of the assistant's.
- The outputs of an answer's calls are one user message, right after it. What else is said there comes
  after them.
- A conversation has to end with the user's turn; where it does not, "Continue." is added.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from gateway.errors import InvalidRequest, UnsupportedParameter
from gateway.types import Message, Part, Role, Text, ToolResult
from gateway_openai_responses.decode.calls import called, result_of
from gateway_openai_responses.decode.content import decode_content, decode_text
from gateway_openai_responses.thinking import opened
from gateway_openai_responses.wire import items as wire

CONTINUE: Final = Message(role="user", parts=(Text(text="Continue."),))

REFUSED_ITEMS: Final[Mapping[str, str]] = {
    "compaction": "holds a conversation that only OpenAI can read",
    "compaction_trigger": "asks for a compaction, which is not supported",
}
"""Types of items that nothing can be made of, and that must not be left out."""

EARLIER: Final = "previous_response_id"
"""The place of items that are kept."""

Placed: TypeAlias = tuple[str, wire.Item]
"""An item, and its place in the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """The decoded items, and the system text that they had among them.

    `ignored` names the types of items that were left out.
    """

    system: str
    messages: tuple[Message, ...]
    ignored: tuple[str, ...] = ()


def decode_items(
    items: Sequence[Placed], instructions: str | None, referenced: Mapping[str, wire.Item]
) -> Conversation:
    """Decode a whole conversation. `referenced` are the items that `item_reference`s mean, by id.

    Raises `InvalidRequest` with `param` leading to the place.
    """
    decoder = _Decoder(instructions, referenced)
    for place, item in items:
        decoder.add(item, place)
    return decoder.finish()


class _Decoder:
    def __init__(self, instructions: str | None, referenced: Mapping[str, wire.Item]) -> None:
        self._system = [instructions] if instructions and instructions.strip() else []
        self._referenced = referenced
        self._messages: list[Message] = []
        self._answer: list[Part] = []
        self._results: list[ToolResult] = []
        self._beside: list[Message] = []
        self._begun = False
        self._call_ids: set[str] = set()
        self._ignored: dict[str, None] = {}

    def add(self, item: wire.Item, param: str) -> None:
        match item:
            case wire.ReferenceItem():
                self._add_reference(item, param)
            case wire.MessageItem():
                self._add_message(item, param)
            case wire.ReasoningItem():
                self._add_reasoning(item)
            case wire.AdditionalToolsItem():
                pass  # they are among the tools
            case (
                wire.ToolSearchCallItem(execution="server")
                | wire.ToolSearchOutputItem(execution="server")
            ):
                self._ignored[f"input.{item.type}"] = None
            case wire.OtherItem():
                self._pass_over(item, param)
            case _ if call := called(item, param):
                self._begin_answer()
                self._answer.append(call)
                self._call_ids.add(call.id)
            case _:
                self._add_result(result_of(item, param), param)

    def finish(self) -> Conversation:
        self._end_answer()
        self._end_user()
        if not self._messages or self._messages[-1].role == "assistant":
            self._messages.append(CONTINUE)
        return Conversation(
            system="\n\n".join(self._system),
            messages=tuple(self._messages),
            ignored=tuple(self._ignored),
        )

    def _add_reference(self, item: wire.ReferenceItem, param: str) -> None:
        if (meant := self._referenced.get(item.id)) is None:
            raise InvalidRequest(
                f"Item with id {item.id!r} not found: its response was not kept, or has expired. "
                "Send the item itself.",
                param=f"{param}.id",
            )
        self.add(meant, param)

    def _add_message(self, item: wire.MessageItem, param: str) -> None:
        content = f"{param}.content"
        match item.role:
            case "system" | "developer":
                self._add_system(decode_text(item.content, content))
            case "user":
                self._add_user(decode_content(item.content, content))
            case "assistant":
                self._begin_answer()
                self._answer.extend(decode_text(item.content, content))

    def _add_system(self, texts: Sequence[Text]) -> None:
        if self._begun:
            said = tuple(replace(text, speaker="system") for text in texts)
            self._end_answer()
            self._beside.append(Message(role="user", parts=said))
        else:
            self._system += [text.text for text in texts if text.text.strip()]

    def _add_user(self, parts: tuple[Part, ...]) -> None:
        self._begun = True
        self._end_answer()
        self._beside.append(Message(role="user", parts=parts))

    def _add_result(self, result: ToolResult, param: str) -> None:
        if result.call_id not in self._call_ids:
            raise InvalidRequest(
                f"No tool call found for the output with the call_id {result.call_id!r}.",
                param=f"{param}.call_id",
            )
        self._end_answer()
        self._results.append(result)

    def _add_reasoning(self, item: wire.ReasoningItem) -> None:
        thinking = opened(item.encrypted_content) if item.encrypted_content else None
        self._begin_answer()
        if thinking is None:
            self._ignored["input.reasoning"] = None
        else:
            self._answer.append(thinking)

    def _pass_over(self, item: wire.OtherItem, param: str) -> None:
        if item.type in REFUSED_ITEMS:
            raise UnsupportedParameter(
                f"An item of the type {item.type!r} {REFUSED_ITEMS[item.type]}.",
                param=f"{param}.type",
            )
        if param != EARLIER:  # what is kept was never sent by the client
            self._ignored[f"input.{item.type}"] = None

    # -- turns ------------------------------------------------------------------------

    def _begin_answer(self) -> None:
        self._begun = True
        self._end_user()

    def _end_answer(self) -> None:
        self._append("assistant", tuple(self._answer))
        self._answer = []

    def _end_user(self) -> None:
        """The user's side is complete: its results, and then the messages beside them."""
        self._append("user", tuple(self._results))
        for message in self._beside:
            self._append("user", message.parts)
        self._results, self._beside = [], []

    def _append(self, role: Role, parts: tuple[Part, ...]) -> None:
        if parts:
            self._messages.append(Message(role=role, parts=parts))
