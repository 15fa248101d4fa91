"""The text of a chunk, whatever characters it has."""

import json

from hypothesis import given

from gateway.content.surrogates import whole_characters
from gateway.testing import answer, part
from gateway.types import Text
from gateway_openai.encode.chat import AnswerFormat
from gateway_openai.encode.chat_chunks import ChunkEncoder
from tests.gateway.frontend.response.json_support import by_json, texts


@given(texts)
def test_a_chunk_is_one_line_of_the_text_as_json_has_it(text: str) -> None:
    form = AnswerFormat(id="chatcmpl-1", created=1, model="m")
    encoder = ChunkEncoder(form, choices=1)
    events = answer(part(0, Text(text=""), text))
    sent = b"".join(encoder.encode(0, event) for event in events) + encoder.finish()
    lines = [line for line in sent.splitlines() if line and line != b"data: [DONE]"]
    assert len(lines) == len(sent.split(b"\n\n")) - 2
    assert all(line == b"data: " + by_json(json.loads(line[6:])) for line in lines)
    deltas = [json.loads(line[6:])["choices"][0]["delta"] for line in lines]
    assert "".join(delta.get("content") or "" for delta in deltas) == whole_characters(text)
