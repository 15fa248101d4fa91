"""The upstream's part: what a request's text asks for is what it gets, faults included."""

import random
import re
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

FAULTS: Final = ("400", "401", "403", "404", "429", "500", "529", "cut", "silent", "error", "slow")
WISH: Final = re.compile(r"secret-([0-9a-f]+) wish-(\w+)")
TOOL: Final = "mcp__t__look"


def said(secret: str) -> str:
    """The one right answer to who told this secret."""
    return f"I keep secret-{secret}, whatever happens around me."


def script(request: MessagesRequest) -> Reply:
    """Read the wish off the last message, or off the result of the last call."""
    wishes = WISH.findall(str(request.turns[-1]))
    if not wishes:
        return Failure(400, "invalid_request_error", "messages: no wish")
    secret, wish = wishes[-1]
    if wish == "tool" and not request.last_tool_results:
        call = ToolUseBlock(TOOL, {"at": f"secret-{secret}"})
        return Answer(blocks=(call,))
    text = said(secret)
    answer = Answer(blocks=(TextBlock(text),), piece_chars=7)
    return _spoilt(answer, wish)


def _spoilt(answer: Answer, wish: str) -> Reply:
    after = random.randrange(8)
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
