"""What a request asks for beyond what there is, and what it is lowered to. Pure."""

import re
from typing import Final

from gateway.types import Sampling

HIGHEST_TEMPERATURE: Final = 1.0
"""Of Anthropic's API; OpenAI's goes up to 2."""

_MOST: Final = (
    (re.compile(r"claude-3-(opus|sonnet|haiku)"), 4_096),
    (re.compile(r"claude-3-5-"), 8_192),
    (re.compile(r"claude-3-7-|claude-(opus|sonnet|haiku)-4(-5|-2025)"), 64_000),
)
_NEWER: Final = 128_000
"""Output limits that the CLI keeps to, whatever it is told (seen with 2.1.330)."""


def most_output_tokens(model: str) -> int:
    """The highest `max_tokens` for a model, by its full name."""
    return next((tokens for name, tokens in _MOST if name.search(model)), _NEWER)


def adjustments(sampling: Sampling, model: str | None) -> dict[str, float]:
    """The parameters that are lowered for `model` (by its full name, if known), with their values."""
    lowered: dict[str, float] = {}
    if sampling.temperature is not None and sampling.temperature > HIGHEST_TEMPERATURE:
        lowered["temperature"] = HIGHEST_TEMPERATURE
    tokens = sampling.max_output_tokens
    if model and tokens is not None and tokens > (most := most_output_tokens(model)):
        lowered["max_tokens"] = most
    return lowered
