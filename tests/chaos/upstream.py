"""The upstream's part: what a request's text asks for is what it gets, faults included."""

import json
import random
import re
from collections.abc import Mapping
from typing import Final

from gateway_claude_code.upstream import (
    Answer,
    Cut,
    Failure,
    MessagesRequest,
    Reply,
    Silence,
    StreamError,
    TextBlock,
    ToolUseBlock,
)

ENDS: Final[Mapping[str, frozenset[str]]] = {
    "none": frozenset(),
    "tool": frozenset(),
    "slow": frozenset(),
    "400": frozenset({"400 invalid_request_error"}),
    "401": frozenset({"401 authentication_error"}),
    "403": frozenset({"403 permission_denied"}),
    "404": frozenset({"404 model_not_found"}),
    "429": frozenset({"429 upstream_rate_limited"}),
    "500": frozenset({"502 backend_error"}),
    "529": frozenset({"503 overloaded"}),
    "cut": frozenset({"502 backend_error"}),
    "silent": frozenset({"504 timeout"}),
    "error": frozenset({"503 overloaded"}),
}
"""What a request with a wish may end in; one without such an end has to be answered."""

FAULTS: Final = tuple(wish for wish in ENDS if wish not in ("none", "tool"))
WISH: Final = re.compile(r"secret-([0-9a-f]+) wish-(\w+)")
TOOL: Final = "mcp__t__look"
OUTPUT_TOOL: Final = "StructuredOutput"
LONG_PIECE: Final = 16 * 1024


def said(secret: str) -> str:
    """The one right answer to who told this secret."""
    return f"I keep secret-{secret}, whatever happens around me."


def said_at_length(secret: str, characters: int) -> str:
    """The same for one who wants to hear it that long."""
    text = said(secret)
    return (text * (characters // len(text) + 1))[:characters]


def script(request: MessagesRequest) -> Reply:
    """Read the wish off the last message, or off the result of the last call."""
    wishes = WISH.findall(str(request.turns[-1]))
    if not wishes:
        return Failure(400, "invalid_request_error", "messages: no wish")
    secret, wish = wishes[-1]
    if wish == "tool" and not request.last_tool_results:
        call = ToolUseBlock(TOOL, {"at": f"secret-{secret}"})
        return Answer(blocks=(call,))
    if wish == "json":
        return _in_json(request, secret)
    if wish.startswith("long"):
        text = said_at_length(secret, int(wish.removeprefix("long")))
        return Answer(blocks=(TextBlock(text),), piece_chars=LONG_PIECE)
    answer = Answer(blocks=(TextBlock(said(secret)),), piece_chars=7)
    return _spoilt(answer, wish, random.Random(secret))


def _in_json(request: MessagesRequest, secret: str) -> Reply:
    value = {"said": said(secret)}
    if any(tool.get("name") == OUTPUT_TOOL for tool in request.tools):
        return Answer(blocks=(ToolUseBlock(OUTPUT_TOOL, value),))
    return Answer(blocks=(TextBlock(json.dumps(value)),))


def _spoilt(answer: Answer, wish: str, dice: random.Random) -> Reply:
    after = dice.randrange(8)
    match wish:
        case "cut":
            return Cut(answer, after)
        case "silent":
            return Silence(answer, after)
        case "error":
            return StreamError(answer, after + 1)
        case "slow":
            return Answer(blocks=answer.blocks, piece_chars=7, delay_seconds=0.1)
        case _ if wish.isdecimal():
            return Failure(int(wish), "some_error", f"a made-up {wish}")
        case _:
            return answer
