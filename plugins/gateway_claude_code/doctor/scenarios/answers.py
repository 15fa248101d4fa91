"""Scenarios: the number of upstream requests for an answer, and the CLI's treatment of media."""

import base64
from typing import Final

from gateway.content.pictures import read_picture
from gateway.errors import InvalidRequest, Overloaded
from gateway.types import Image, Message, Text
from gateway_claude_code.doctor.scenarios.rig import Rig, asking, message
from gateway_claude_code.upstream import (
    Answer,
    Failure,
    StreamError,
    TextBlock,
    ThinkingBlock,
    in_order,
    text_answer,
)

SECOND: Final = "the second answer"
WIDTH: Final = 8001
PICTURE: Final = Image(
    media_type="image/png",
    # 8001 x 1, black
    data="iVBORw0KGgoAAAANSUhEUgAAH0EAAAABAQAAAACU2s6JAAAAEUlEQVR42mNgGAWjYBQMfwAAA+oAAf4i1lEAAAAA"
    "SUVORK5CYII=",
    place="picture",
)
PAUSE: Final = 0.05
"""Seconds between events, as a model takes them. At once, an answer is now and then over before the CLI
has read that it may ask no more (`further_requests`)."""
_WITHOUT_TEXT: Final = {
    "thinking only": Answer(blocks=(ThinkingBlock("Hm."),), delay_seconds=PAUSE),
    "nothing": Answer(delay_seconds=PAUSE),
    "a cut answer": Answer(
        blocks=(TextBlock("Once"),), stop_reason="max_tokens", delay_seconds=PAUSE
    ),
}


async def one_request(rig: Rig) -> None:
    """Answers after which the CLI asks again by itself, if it may."""
    for name, answer in _WITHOUT_TEXT.items():
        rig.requests.clear()
        await rig.answer(
            asking(message("user", "Hello")), script=in_order(answer, text_answer(SECOND))
        )
        seen = f"after {name}, {len(rig.requests)} requests"
        rig.note("one_request", len(rig.requests) == 1, seen)


async def one_refusal(rig: Rig) -> None:
    """A refusal for which the CLI might try another model."""
    refusal = Answer(
        stop_reason="refusal",
        stop_details={"type": "refusal", "category": "cyber", "explanation": "No."},
    )
    answer = await rig.answer(
        asking(message("user", "Hello")), script=in_order(refusal, text_answer(SECOND))
    )
    seen = f"{len(rig.requests)} requests, stop reason {answer.stop_reason}"
    rig.note("one_refusal", len(rig.requests) == 1 and answer.stop_reason == "refusal", seen)


async def overload_retried(rig: Rig) -> None:
    """An overload event right after the start."""
    script = in_order(StreamError(text_answer("lost"), 1), text_answer(SECOND))
    try:
        answer = await rig.answer(asking(message("user", "Hello")), script=script)
    except Overloaded as error:
        rig.differs("overload_retried", error.message)
        return
    rig.note(
        "overload_retried",
        answer.parts == (Text(text=SECOND),),
        f"{len(rig.requests)} requests, answered with {len(answer.parts)} part",
    )


async def media_smaller(rig: Rig) -> None:
    """A user's picture with more pixels than the API accepts."""
    try:
        await rig.answer(asking(Message(role="user", parts=(PICTURE, Text(text="?")))))
    except InvalidRequest as error:
        rig.differs("media_smaller", error.message)
        return
    blocks = [block for turn in rig.requests[0].turns for block in turn["content"]]
    found = [read_picture(_data(block)) for block in blocks if block.get("type") == "image"]
    sides = [picture.longest for picture in found if picture is not None]
    rig.note(
        "media_smaller", bool(sides) and max(sides) < WIDTH, f"sides of {sides} pixels arrived"
    )


def _data(block: dict[str, dict[str, str]]) -> bytes:
    return base64.b64decode(block["source"]["data"])


async def media_removed(rig: Rig) -> None:
    """A picture that the API can't read."""
    script = in_order(
        Failure(400, "invalid_request_error", "Could not process image"), text_answer(SECOND)
    )
    request = asking(Message(role="user", parts=(PICTURE, Text(text="?"))))
    try:
        await rig.answer(request, script=script)
    except InvalidRequest as error:
        rig.note("media_removed", error.param == PICTURE.place, f"400: {error.message}")
    else:
        rig.differs("media_removed", "the request was sent without it, and the client got no error")
