"""Whole answers that are long are the same for the client as any other."""

import json

import anyio
import anyio.lowlevel
import pytest

from gateway.content.surrogates import whole_characters
from gateway.frontend.response.held_answer import PACK_BYTES, PIECE_BYTES, PackedText
from gateway.testing import ScriptedBackend, text_answer
from gateway.types import PartDelta, PartEnd, PartStart, ResponseEnd, ResponseStart, Text
from tests.openai.openai_support import Ask

ODD = 'a "quoted"\n\\ tab\t \u2028 é 漢 😀 \ud83d\x00'

LONG = ODD * (3 * PACK_BYTES // len(ODD))


@pytest.mark.parametrize("text", [LONG, "short"], ids=["long", "short"])
async def test_a_client_gets_the_whole_answer_with_its_length(text: str, ask: Ask) -> None:
    response = await ask(ScriptedBackend(text_answer(text)), n=2)
    assert int(response.headers["content-length"]) == len(response.content)
    assert response.headers["content-type"] == "application/json"
    said = [choice["message"]["content"] for choice in json.loads(response.content)["choices"]]
    assert said == [whole_characters(text)] * 2


async def test_others_have_turns_while_a_long_answer_comes_at_once(ask: Ask) -> None:
    """The backend never waits for anything, so nothing else gives the event loop back."""
    events = [ResponseStart(model="m"), PartStart(index=0, part=Text(text=""))]
    events += [PartDelta(index=0, text="x" * PIECE_BYTES) for _ in range(100)]
    events += [PartEnd(index=0), ResponseEnd(stop_reason="end")]
    add, done, longest, asked = PackedText.add, 0, 0, True

    def counting(text: PackedText, piece: str) -> None:
        nonlocal done
        done += len(piece)
        add(text, piece)

    async def watch() -> None:
        nonlocal longest
        while asked:
            before = done
            await anyio.lowlevel.checkpoint()
            longest = max(longest, done - before)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PackedText, "add", counting)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch)
            assert (await ask(ScriptedBackend(events))).status_code == 200
            asked = False
    assert done == 100 * PIECE_BYTES
    assert longest <= PACK_BYTES + PIECE_BYTES
