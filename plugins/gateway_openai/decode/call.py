"""A decoded call of either endpoint, and what decoding has in common for both. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from pydantic import ValidationError

from gateway.errors import InvalidRequest
from gateway.types import ChatRequest, Sampling
from gateway_openai.wire.base import GenerationRequest
from gateway_openai.wire.errors import invalid_request

LONGEST_BLANK: Final = 1000

RequestT = TypeVar("RequestT", bound=GenerationRequest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What goes to the hub, and what this frontend does itself.

    `requests` has one for each choice; `stop` are the sequences to cut at here; `ignored`
    names fields without effect, in the client's spelling, and `adjusted` those that are met by
    something else, with that.
    """

    requests: tuple[ChatRequest, ...]
    stream: bool = False
    include_usage: bool = False
    stop: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    adjusted: Mapping[str, object] = field(default_factory=dict)

    @property
    def choices(self) -> int:
        """How many answers are wanted."""
        return len(self.requests)


def checked(model: type[RequestT], body: Mapping[str, object]) -> RequestT:
    """Check a body against a wire model. Raises `InvalidRequest`."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise invalid_request(error) from None


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
            f"A stop sequence of white space has more than {LONGEST_BLANK} characters.",
            param="stop",
        )
    return blank


def _stop(wire: GenerationRequest) -> tuple[str, ...]:
    return (wire.stop,) if isinstance(wire.stop, str) else tuple(wire.stop or ())
