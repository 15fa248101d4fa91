"""What a request asks for beyond what there is."""

import pytest
from claude_code_support import a_request

from gateway.context import RequestContext
from gateway.types import Sampling
from gateway_claude_code.backend import note_adjustments
from gateway_claude_code.limits import adjustments, most_output_tokens


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("claude-3-opus-20240229", 4_096),
        ("claude-3-haiku-20240307", 4_096),
        ("us.anthropic.claude-3-sonnet-20240229-v1:0", 4_096),
        ("claude-3-5-sonnet-20241022", 8_192),
        ("claude-3-5-haiku@20241022", 8_192),
        ("claude-3-7-sonnet-20250219", 64_000),
        ("claude-sonnet-4-20250514", 64_000),
        ("claude-opus-4-20250514", 64_000),
        ("claude-sonnet-4-5-20250929", 64_000),
        ("claude-haiku-4-5", 64_000),
        ("claude-opus-4-6", 128_000),
        ("claude-sonnet-5-5", 128_000),
        ("of-another-maker", 128_000),
    ],
)
def test_most_output_tokens(model: str, tokens: int) -> None:
    assert most_output_tokens(model) == tokens


@pytest.mark.parametrize(
    ("sampling", "lowered"),
    [
        (Sampling(), {}),
        (Sampling(temperature=1, max_output_tokens=64_000), {}),
        (Sampling(temperature=0), {}),
        (Sampling(temperature=1.01), {"temperature": 1}),
        (Sampling(max_output_tokens=64_001), {"max_tokens": 64_000}),
        (
            Sampling(temperature=2, max_output_tokens=10**7),
            {"temperature": 1, "max_tokens": 64_000},
        ),
    ],
)
def test_adjustments(sampling: Sampling, lowered: dict[str, float]) -> None:
    assert adjustments(sampling, "claude-haiku-4-5") == lowered


@pytest.mark.parametrize("model", [None, ""])
def test_of_a_model_that_is_not_known_only_the_temperature_is_lowered(model: str | None) -> None:
    sampling = Sampling(temperature=2, max_output_tokens=10**7)
    assert adjustments(sampling, model) == {"temperature": 1}


@pytest.mark.parametrize(
    ("sampling", "headers"),
    [
        (Sampling(temperature=0.5), {}),
        (
            Sampling(temperature=1.5, max_output_tokens=10**7),
            {"x-dragoman-adjusted": "temperature=1,max_tokens=128000"},
        ),
    ],
)
def test_a_header_says_what_was_lowered(sampling: Sampling, headers: dict[str, str]) -> None:
    ctx = RequestContext(request_id="r-1")
    note_adjustments(a_request(sampling=sampling), "claude-opus-4-6", ctx)
    assert ctx.headers == headers
