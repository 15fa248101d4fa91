"""Whole answers that are long are the same for the client as any other."""

import json

import pytest

from gateway.content.surrogates import whole_characters
from gateway.frontend.response.held_answer import (
    PACK_BYTES,
)
from gateway.testing import ScriptedBackend, text_answer
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
