"""From the hub's messages to the turns of the model's API. Pure.

Rules of the API that are kept here: turns alternate, the results of calls come first in the very next
user turn, one for each call, ids are unique, no text block is blank, and the conversation ends with
the user. And of the CLI: it drops some texts and takes others for commands.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import Final

from gateway.types import (
    Document,
    Image,
    Message,
    Part,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    WebSearch,
)
from gateway_claude_code.protocol import Block
from gateway_claude_code.request.tools.call_ids import UniqueIds, api_id
from gateway_claude_code.request.tools.call_input import call_input
from gateway_claude_code.request.tools.call_numbers import CallNumbers
from gateway_claude_code.request.tools.tool_names import ToolNames

# an invented user turn: the first message must be the user's, and models since 4.6 refuse prefill,
# says platform.claude.com/docs/en/api/errors, "Prefill not supported"
CONTINUE = "Continue."
# each call needs a result in the very next user turn, says
# platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls
NO_RESULT = "(no result was given for this call)"

JOINER: Final = "\u2060"
"""WORD JOINER: invisible, and no blank to either Python or JavaScript."""

STAND_INS: Final = ("", "(no content)", "[Empty text removed]")
"""The CLI's substitutes for an empty text, which it treats as empty too (seen with 2.1.330)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn as content blocks of the Messages API."""

    role: Role
    blocks: tuple[Block, ...]


def turns(messages: Iterable[Message], names: ToolNames) -> list[Turn]:
    """All messages as alternating turns, the last one the user's and protected (`protected`)."""
    writer = _TurnWriter(names)
    *earlier, last = [writer.turn(role, parts) for role, parts in alternating(messages)]
    return [*earlier, protected(last)]


def alternating(messages: Iterable[Message]) -> list[tuple[Role, list[Part]]]:
    """The parts of each turn, the first and the last one the user's, if need be invented."""
    merged = merged_turns(messages)
    if merged and merged[0][0] == "assistant":
        merged.insert(0, ("user", [Text(text=CONTINUE)]))
    if not merged or merged[-1][0] == "assistant":
        merged.append(("user", [Text(text=CONTINUE)]))
    return merged


def merged_turns(messages: Iterable[Message]) -> list[tuple[Role, list[Part]]]:
    """The parts of each turn, without those that say nothing to the model.

    If the assistant spoke again after unanswered calls, an empty user turn is put between, for the
    missing results.
    """
    said = [
        (message.role, parts)
        for message in messages
        if (parts := [part for part in _parts(message) if not _is_passed_over(part)])
    ]
    runs: list[tuple[Role, list[list[Part]]]] = [
        (role, [parts for _, parts in run]) for role, run in groupby(said, key=lambda one: one[0])
    ]
    merged: list[tuple[Role, list[Part]]] = []
    for (role, run), (_, following) in pairwise([*runs, ("user", [])]):
        if role == "user":
            merged.append((role, [part for parts in run for part in parts]))
        else:
            merged += _assistant_turns(run, _answered_ids(following))
    return merged


def _assistant_turns(
    run: Iterable[Sequence[Part]], answered: Collection[str]
) -> Iterator[tuple[Role, list[Part]]]:
    """Consecutive assistant messages as one turn, or as several with user turns between."""
    turn: list[Part] = []
    for parts in run:
        calls = [part.id for part in turn if isinstance(part, ToolCall)]
        speaks = any(not isinstance(part, ToolCall) for part in parts)
        if calls and speaks and not any(call in answered for call in calls):
            yield "assistant", turn
            yield "user", []
            turn = []
        turn.extend(parts)
    yield "assistant", turn


def _answered_ids(run: Iterable[Sequence[Part]]) -> frozenset[str]:
    return frozenset(
        part.call_id for parts in run for part in parts if isinstance(part, ToolResult)
    )


class _TurnWriter:
    """Writes one turn after another, and keeps count of the calls in them."""

    def __init__(self, names: ToolNames) -> None:
        self._names = names
        self._numbers = CallNumbers()
        self._ids: list[str] = []
        self._unique = UniqueIds()

    def turn(self, role: Role, parts: Sequence[Part]) -> Turn:
        if role == "assistant":
            return Turn(role=role, blocks=_heard(self._assistant(parts)))
        return Turn(role=role, blocks=tuple(self._user(parts)))

    def _assistant(self, parts: Sequence[Part]) -> tuple[Block, ...]:
        self._numbers.begin_turn()
        # text before calls, as the model itself writes a turn
        ordered = sorted(parts, key=lambda part: isinstance(part, ToolCall))
        return tuple(block for part in ordered if (block := self._assistant_block(part)))

    def _assistant_block(self, part: Part) -> Block | None:
        match part:
            case Text():
                return {"type": "text", "text": part.text}
            case ToolCall():
                return {
                    "type": "tool_use",
                    "id": self._new_id(part.id),
                    "name": self._names.to_model(part.name),
                    "input": self._names.arguments_to_model(part.name, call_input(part.arguments)),
                }
            case _:
                return None

    def _new_id(self, call_id: str) -> str:
        self._numbers.add(call_id)
        found = self._unique.of(api_id(call_id))
        self._ids.append(found)
        return found

    def _user(self, parts: Sequence[Part]) -> Iterator[Block]:
        """The results of the last turn's calls, in their order, and then everything else."""
        results: dict[int, list[ToolResult]] = {number: [] for number in self._numbers.open}
        rest: list[Block] = []
        for part in parts:
            if isinstance(part, ToolResult):
                number = self._numbers.answered(part.call_id)
                if number in results:
                    results[number].append(part)
                else:
                    rest += _late(part)
            elif block := content_block(part):
                rest.append(block)
        self._numbers.begin_turn()
        beside: list[Block] = []
        for number, given in results.items():
            block, media = _result_block(self._ids[number], given)
            yield block
            beside += media
        yield from beside
        yield from rest


def _late(result: ToolResult) -> list[Block]:
    """A result too late for the API to accept as one: its text, and its media."""
    text = f"(result of an earlier call) {_plain(result)}"
    return [{"type": "text", "text": text}, *_media(result_content(result))]


def _result_block(call_id: str, results: Sequence[ToolResult]) -> tuple[Block, list[Block]]:
    """All results of one call as a single one, and the media that have to come after all results.

    The API takes one result for a call, and only text in a failed one.
    """
    # several results for one call are one failure only if none of them succeeded
    failed = all(result.is_error for result in results)
    content = [block for result in results for block in result_content(result)]
    beside: list[Block] = []
    if not results:
        content = [{"type": "text", "text": NO_RESULT}]
    elif failed:
        beside = _media(content)
        content = [block for block in content if block["type"] == "text"]
    # in the CLI's own order of keys (2.1.330), so that a seeded result has the bytes of a live one
    block: Block = {"tool_use_id": call_id, "type": "tool_result"}
    if content:
        block["content"] = content
    if failed:
        block["is_error"] = True
    return block, beside


def _media(blocks: Iterable[Block]) -> list[Block]:
    return [block for block in blocks if block["type"] != "text"]


def content_block(part: Part) -> Block | None:
    """A block of user content: text, an image, or a document."""
    match part:
        case Text():
            return {"type": "text", "text": _said(part)}
        case Image(url=str(url)):
            return {"type": "image", "source": {"type": "url", "url": url}}
        case Image():
            # no `data:` URL: the API has the data and its type in fields of their own
            # (platform.claude.com/docs/en/build-with-claude/vision)
            source = {"type": "base64", "media_type": part.media_type, "data": part.data}
            return {"type": "image", "source": source}
        case Document():
            return _document_block(part)
        case _:
            return None


def _document_block(part: Document) -> Block:
    if part.media_type == "application/pdf":
        source = {"type": "base64", "media_type": part.media_type, "data": part.data}
    else:
        source = {"type": "text", "media_type": "text/plain", "data": part.data}
    block: Block = {"type": "document", "source": source}
    # an empty title is refused: 1 to 500 characters (platform.claude.com/docs/en/api/messages)
    if part.title:
        block["title"] = part.title
    return block


def result_content(result: ToolResult) -> list[Block]:
    """The content blocks of a tool result, as the Messages API has them."""
    return [
        block
        for part in result.parts
        if not _is_blank(part) and (block := content_block(part)) is not None
    ]


def protected(turn: Turn) -> Turn:
    """A user turn that the CLI can't take for a slash command, which would never reach the model.

    It looks for one in the last block of a turn only, and also in turns of the history; a newline
    in front prevents it (seen with 2.1.197 and 2.1.330; doctor: slash_commands). From 2.1.330 on
    `client_composed` (`protocol.user_line`) prevents it too.
    """
    *before, last = turn.blocks or ({},)
    if turn.role == "user" and last.get("text", "").startswith("/"):
        return replace(turn, blocks=(*before, {**last, "text": f"\n{last['text']}"}))
    return turn


def earlier(history: Sequence[Turn], *, as_written: bool) -> list[Turn]:
    """All turns but the last, for a process's history; `as_written` if the CLI takes them so.

    A CLI without `client_composed` (2.1.197) looks for commands in each of them.
    """
    return list(history[:-1]) if as_written else [protected(turn) for turn in history[:-1]]


def _said(part: Text) -> str:
    """A text as the model gets it in a user turn.

    The CLI has no line for a system message inside a conversation: it exits at one in a user line,
    and turns one in an assistant line into the assistant's words (seen with 2.1.330). So the text
    is marked, at its own place in the conversation.
    """
    if part.speaker == "system":
        return f"<system>\n{part.text}\n</system>"
    # 2.1.330 turns a text of JavaScript's blanks into "(no content)", or drops it beside others
    return part.text if _without_marks(part.text).strip() else part.text + JOINER


def _heard(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """An assistant turn that the CLI does not drop, with an invisible letter if necessary."""
    if any(block["type"] != "text" or is_heard(block["text"]) for block in blocks):
        return blocks
    return (*blocks[:-1], {**blocks[-1], "text": blocks[-1]["text"] + JOINER})


def is_heard(text: str) -> bool:
    """Whether the CLI keeps an assistant turn of this text.

    It drops a turn of blanks or of its own words for them, even one that the model has just said
    (seen with 2.1.197 and 2.1.330).
    """
    return _without_marks(text).strip() not in STAND_INS


def _without_marks(text: str) -> str:
    """JavaScript treats the byte order mark as a blank (ECMA-262, "White Space"), Python does not."""
    return text.replace("\ufeff", "")


def _parts(message: Message) -> Sequence[Part]:
    return as_sent_back(message.parts) if message.role == "assistant" else message.parts


def as_sent_back(parts: Sequence[Part]) -> tuple[Part, ...]:
    """An answer's parts as its client will send them: those around searches as one text.

    The API divides such an answer into a text for each citation. The CLI keeps them all, with the
    results, so its conversation has more than the client's but the same words (seen with 2.1.330).
    """
    cites = any(isinstance(part, Text) and part.citations for part in parts)
    if not cites and not any(isinstance(part, WebSearch) for part in parts):
        return tuple(parts)
    text = "".join(part.text for part in parts if isinstance(part, Text))
    others = [part for part in parts if not isinstance(part, Text | WebSearch)]
    return (*([Text(text=text)] if text else []), *others)


def _is_passed_over(part: Part) -> bool:
    # the API takes thinking only unmodified, and most models only after what preceded it
    # (platform.claude.com/docs/en/build-with-claude/thinking-troubleshooting). From most clients it
    # comes back without its signature; for the others see `terms.has_signed_thinking`. And no client
    # has a search's result, whose content is encrypted.
    return isinstance(part, Thinking | WebSearch) or _is_blank(part)


def _is_blank(part: Part) -> bool:
    # the API's words: "text content blocks must contain non-whitespace text"; the rule is on
    # platform.claude.com/docs/en/api/messages
    return isinstance(part, Text) and not part.text.strip()


def _plain(result: ToolResult) -> str:
    return "\n".join(part.text for part in result.parts if isinstance(part, Text))
