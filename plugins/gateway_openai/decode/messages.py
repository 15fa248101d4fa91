"""From the wire's messages to the hub's conversation.

What differs between the two:

- System and developer messages before the first turn are joined into the system text. Later ones
  stay where they were said, in a user message with texts of their own (`Text.speaker`): agents
  send outputs of tools and reminders so, which mean something else at another place.
- The results of one answer's calls are one user message, right after it: backends need all of
  them together. What else a client says there comes after them, each as a message of its own.
- Calls and results that come as parts of a message, in Anthropic's form, are calls and results.
  A call in both forms is one call, unless they differ.
- Messages without any content are left out.
- A conversation has to end with the user's turn; where it does not, "Continue." is added.
- An assistant's tool call that nobody answered stays as it is; it is for the backend to cope.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.errors import InvalidRequest, UnsupportedParameter
from gateway.types import Message, Part, Role, Text, ToolCall, ToolResult
from gateway_openai.decode.content import decode_assistant, decode_content, decode_text, decode_user
from gateway_openai.encode.chat import REFUSED
from gateway_openai.wire import messages as wire

CONTINUE: Final = Message(role="user", parts=(Text(text="Continue."),))
_NOTHING: Final = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """The decoded messages, and the system text that they had among them."""

    system: str
    messages: tuple[Message, ...]


def decode_messages(messages: Sequence[wire.Message]) -> Conversation:
    """Decode a whole conversation. Raises `InvalidRequest` with `param` leading to the place."""
    decoder = _Decoder()
    for index, message in enumerate(messages):
        decoder.add(message, f"messages[{index}]")
    return decoder.finish()


class _Decoder:
    def __init__(self) -> None:
        self._system: list[str] = []
        self._messages: list[Message] = []
        self._results: list[ToolResult] = []
        self._beside: list[Message] = []
        self._begun = False
        self._call_ids: set[str] = set()
        self._legacy_calls: dict[str, str] = {}
        self._legacy_count = 0

    def add(self, message: wire.Message, param: str) -> None:
        content = f"{param}.content"
        if isinstance(message, wire.SystemMessage):
            self._add_system(decode_text(message.content, content))
            return
        self._begun = True
        match message:
            case wire.UserMessage():
                self._add_user(message.content, content)
            case wire.AssistantMessage():
                self._flush()
                self._append("assistant", self._assistant_parts(message, param))
            case wire.ToolMessage():
                self._check_call(message.tool_call_id, f"{param}.tool_call_id")
                self._add_result(message.tool_call_id, message.content, content)
            case wire.FunctionMessage():
                self._add_result(self._legacy_id(message, param), message.content, content)
            case _:
                raise InvalidRequest(
                    f"Unknown role {message.role!r}; the roles are: system, developer, user, "
                    "assistant, tool, function.",
                    param=f"{param}.role",
                )

    def finish(self) -> Conversation:
        self._flush()
        if not self._messages or self._messages[-1].role == "assistant":
            self._messages.append(CONTINUE)
        return Conversation(system="\n\n".join(self._system), messages=tuple(self._messages))

    # -- system -----------------------------------------------------------------------

    def _add_system(self, texts: Sequence[Text]) -> None:
        if self._begun:
            said = tuple(replace(text, speaker="system") for text in texts)
            self._beside.append(Message(role="user", parts=said))
        else:
            self._system += [text.text for text in texts if text.text.strip()]

    # -- assistant --------------------------------------------------------------------

    def _assistant_parts(self, message: wire.AssistantMessage, param: str) -> tuple[Part, ...]:
        parts: list[Part] = []
        calls: list[ToolCall] = []
        for place, part in decode_assistant(message.content, f"{param}.content"):
            if isinstance(part, ToolCall):
                _check_not_empty(part.id, f"{place}.id")
                _check_not_empty(part.name, f"{place}.name")
                calls.append(part)
            parts.append(part)
        # the gateway's own sentence is none of the model's words; alone, it still tells the turn
        if message.refusal and not (parts and message.refusal == REFUSED):
            parts.append(Text(text=message.refusal))
        for index, call in enumerate(message.tool_calls or ()):
            place = f"{param}.tool_calls[{index}]"
            _check_not_empty(call.id, f"{place}.id")
            found = _tool_call(call, place)
            # some clients send their calls in both forms
            if twin := next((other for other in calls if _are_one(other, found)), None):
                calls.remove(twin)
                if _spelled(twin) == _NOTHING:
                    parts[parts.index(twin)] = found
            else:
                parts.append(found)
        self._call_ids |= {part.id for part in parts if isinstance(part, ToolCall)}
        if message.function_call is not None:
            _check_not_empty(message.function_call.name, f"{param}.function_call.name")
            parts.append(self._legacy_call(message.function_call))
        return tuple(parts)

    def _legacy_call(self, function: wire.CalledFunction) -> ToolCall:
        # Numbered, so that the same conversation gets the same ids each time it is sent.
        self._legacy_count += 1
        call_id = f"functioncall{self._legacy_count}"
        self._legacy_calls[function.name] = call_id
        return ToolCall(id=call_id, name=function.name, arguments=function.arguments or "")

    # -- the user, and results --------------------------------------------------------

    def _add_user(self, content: wire.Content | None, param: str) -> None:
        said: list[Part] = []
        for place, part in decode_user(content, param):
            if isinstance(part, ToolResult):
                self._check_call(part.call_id, f"{place}.tool_use_id")
                self._results.append(part)
            else:
                said.append(part)
        self._beside.append(Message(role="user", parts=tuple(said)))

    def _check_call(self, call_id: str, param: str) -> None:
        if call_id not in self._call_ids:
            raise InvalidRequest(
                f"No assistant message before this one has a tool call with the id {call_id!r}.",
                param=param,
            )

    def _legacy_id(self, message: wire.FunctionMessage, param: str) -> str:
        if (call_id := self._legacy_calls.get(message.function_name)) is None:
            raise InvalidRequest(
                f"No assistant message before this one calls the function {message.function_name!r}.",
                param=f"{param}.name",
            )
        return call_id

    def _add_result(self, call_id: str, content: wire.Content | None, param: str) -> None:
        self._results.append(ToolResult(call_id=call_id, parts=decode_content(content, param)))

    def _flush(self) -> None:
        """The user's side is complete: its results, and then what was said beside them."""
        self._append("user", tuple(self._results))
        for message in self._beside:
            self._append("user", message.parts)
        self._results, self._beside = [], []

    # -- both -------------------------------------------------------------------------

    def _append(self, role: Role, parts: tuple[Part, ...]) -> None:
        if parts:
            self._messages.append(Message(role=role, parts=parts))


def _check_not_empty(value: str, param: str) -> None:
    """Neither ids nor names may be empty upstream, where nobody could tell the place."""
    if not value:
        raise InvalidRequest(f"{param!r} is empty.", param=param)


def _are_one(one: ToolCall, other: ToolCall) -> bool:
    """Whether these are one call in two forms.

    They may differ in the spelling of their arguments. And one may be without: clients that put
    streamed answers together fill in but one of the forms.
    """
    if (one.id, one.name) != (other.id, other.name):
        return False
    spelled = {_spelled(one), _spelled(other)}
    return len(spelled) == 1 or _NOTHING in spelled


def _spelled(call: ToolCall) -> str:
    """A call's arguments in one spelling, if they are JSON; clients write 1.0 as 1."""
    try:
        value = json.loads(call.arguments.strip() or "{}", parse_float=_number)
        return json.dumps(value, sort_keys=True)
    except (ValueError, RecursionError):
        return call.arguments


def _number(digits: str) -> float | int:
    number = float(digits)
    return int(number) if number.is_integer() else number


def _tool_call(call: wire.AssistantToolCall, param: str) -> ToolCall:
    if call.type != "function":
        raise UnsupportedParameter(
            f"Tool calls of the type {call.type!r} are not supported.", param=f"{param}.type"
        )
    if call.function is None:
        raise InvalidRequest(
            f"Missing required parameter: '{param}.function'.", param=f"{param}.function"
        )
    _check_not_empty(call.function.name, f"{param}.function.name")
    return ToolCall(id=call.id, name=call.function.name, arguments=call.function.arguments or "")
