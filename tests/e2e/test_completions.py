"""Text completions over the real CLI: what the model is told, and what comes back."""

import openai
import pytest

from gateway_claude_code.upstream import (
    Answer,
    MessagesRequest,
    TextBlock,
    ThinkingBlock,
    text_answer,
)
from gateway_openai.decode.completions import INSTRUCTION
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e


def upper(request: MessagesRequest) -> Answer:
    return Answer(blocks=(ThinkingBlock("hm"), TextBlock(request.last_user_text.upper())))


@pytest.mark.parametrize(
    ("model", "temperature", "ignored"),
    [("claude-opus-4-6", 0.5, None), ("claude-sonnet-4", None, "temperature")],
)
def test_a_completion(
    gateway: RunningGateway, model: str, temperature: float | None, ignored: str | None
) -> None:
    gateway.upstream.script = lambda _: text_answer(" a", " time")
    raw = gateway.client.completions.with_raw_response.create(
        model=model, prompt="Once upon", max_tokens=5, temperature=0.5, stop=["END"]
    )
    completion = raw.parse()
    assert completion.choices[0].text == " a time"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.total_tokens > 0
    assert raw.headers["x-dragoman-model"]
    (request,) = gateway.upstream.requests
    assert request.last_user_text == "Once upon"
    assert INSTRUCTION in request.system_text
    assert request.tools == []
    assert request.body["max_tokens"] == 5
    assert request.body.get("temperature") == temperature
    assert raw.headers.get("x-dragoman-ignored") == ignored
    assert request.body["stop_sequences"] == ["END"]


def test_a_streamed_completion(gateway: RunningGateway) -> None:
    gateway.upstream.script = lambda _: text_answer(" a", " time")
    stream = gateway.client.completions.create(
        model="claude-haiku-4",
        prompt="Once upon",
        echo=True,
        stream=True,
        stream_options={"include_usage": True},
    )
    *chunks, last = list(stream)
    assert "".join(chunk.choices[0].text for chunk in chunks) == "Once upon a time"
    assert last.usage is not None


def test_several_prompts(gateway: RunningGateway) -> None:
    gateway.upstream.script = upper
    completion = gateway.client.completions.create(
        model="claude-haiku-4", prompt=["one", "two"], echo=True
    )
    assert [choice.text for choice in completion.choices] == ["oneONE", "twoTWO"]


def test_what_is_refused_does_not_reach_the_upstream(gateway: RunningGateway) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        gateway.client.completions.create(
            model="claude-haiku-4", prompt="def f():", suffix="return x"
        )
    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", "suffix")
    assert gateway.upstream.requests == []
