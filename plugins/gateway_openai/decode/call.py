"""A decoded call of either endpoint, and the fields that both decode alike. Pure."""

from dataclasses import dataclass
from typing import Final

from gateway.errors import InvalidRequest
from gateway.frontend import Call
from gateway.types import Sampling
from gateway_openai.wire.base import GenerationRequest

LONGEST_BLANK: Final = 1000
"""Characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAICall(Call):
    """A call of either endpoint. With `include_usage` the last chunk of a stream has the usage."""

    include_usage: bool = False


def wants_usage(wire: GenerationRequest) -> bool:
    """Whether the last chunk of a stream has to say the usage."""
    return bool(wire.stream_options and wire.stream_options.include_usage)


def decode_sampling(wire: GenerationRequest, max_tokens: int | None) -> Sampling:
    """How the answer is drawn. A limit of 0 tokens is none, as several clients mean it."""
    return Sampling(
        max_output_tokens=max_tokens or None,
        temperature=wire.temperature,
        top_p=wire.top_p,
        top_k=wire.top_k if wire.top_k and wire.top_k > 0 else None,
        stop=tuple(sequence for sequence in _stop(wire) if sequence.strip()),
    )


def emulated_stop(wire: GenerationRequest) -> tuple[str, ...]:
    """The stop sequences of white space only, which upstream refuses.

    Raises `InvalidRequest` for one that is too long to be looked for in each piece of the answer.
    """
    blank = tuple(sequence for sequence in _stop(wire) if sequence and not sequence.strip())
    if any(len(sequence) > LONGEST_BLANK for sequence in blank):
        raise InvalidRequest(
            f"A whitespace-only stop sequence has more than {LONGEST_BLANK} characters.",
            param="stop",
        )
    return blank


def _stop(wire: GenerationRequest) -> tuple[str, ...]:
    return (wire.stop,) if isinstance(wire.stop, str) else tuple(wire.stop or ())
