"""What a model's entry in the YAML makes of a request: defaults, limits, system text. Pure.

Comes before the plugins' `gateway_transform_request`, so that these see what will be asked for.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from gateway.models.entry import ModelEntry, is_more
from gateway.types import ChatRequest, Effort, Sampling

T = TypeVar("T")
DataT = TypeVar("DataT", ChatRequest, Sampling)

USUAL_EFFORT: Final[Effort] = "high"
"""What a backend may put in when it is told nothing: a limit below it has to be said."""

TOKENS_FIELD: Final = "max_tokens"
EFFORT_FIELD: Final = "reasoning_effort"
"""What clients mostly call these fields, and so what they are told was lowered."""


def with_entry(request: ChatRequest, entry: ModelEntry) -> tuple[ChatRequest, Mapping[str, object]]:
    """The request as the entry wants it, and what was lowered in it, with its new values."""
    lowered: dict[str, object] = {}
    sampling = _with_defaults(request.sampling, entry)
    if (most := entry.limits.max_output_tokens) is not None:
        if (sampling.max_output_tokens or 0) > most:
            lowered[TOKENS_FIELD] = most
        sampling = _with(sampling, max_output_tokens=min(sampling.max_output_tokens or most, most))
    effort = request.effort or entry.defaults.effort
    if (top := entry.limits.effort) is not None and is_more(effort or USUAL_EFFORT, top):
        if effort is not None:
            lowered[EFFORT_FIELD] = top
        effort = top
    changed = _with(
        request,
        system="\n\n".join(filter(None, (entry.system, request.system))),
        sampling=sampling,
        effort=effort,
        thinking=False if entry.thinking == "off" else request.thinking,
    )
    return changed, lowered


def without_entry(request: ChatRequest, asked: ChatRequest, filled: ChatRequest) -> ChatRequest:
    """A request for another model, without what the entry of the first one had put into it.

    `filled` is what `with_entry` made of `asked`. What was changed since then stays.
    """
    before, after = asked.sampling, filled.sampling
    sampling = replace(
        request.sampling,
        **{
            name: getattr(before, name)
            for name in ("max_output_tokens", "temperature", "top_p", "top_k")
            if getattr(request.sampling, name) == getattr(after, name)
        },
    )
    system = request.system
    if filled.system != asked.system and system.startswith(filled.system):
        system = asked.system + system.removeprefix(filled.system)
    return replace(
        request,
        system=system,
        sampling=sampling,
        effort=asked.effort if request.effort == filled.effort else request.effort,
        thinking=asked.thinking if request.thinking == filled.thinking else request.thinking,
    )


def _with_defaults(sampling: Sampling, entry: ModelEntry) -> Sampling:
    """Each as the request has it, else as the entry has it. Zero is a value, but not for tokens."""
    defaults = entry.defaults
    return _with(
        sampling,
        max_output_tokens=sampling.max_output_tokens or defaults.max_output_tokens,
        temperature=_first(sampling.temperature, defaults.temperature),
        top_p=_first(sampling.top_p, defaults.top_p),
        top_k=_first(sampling.top_k, defaults.top_k),
    )


def _with(value: DataT, **fields: Any) -> DataT:  # noqa: ANN401 - as `replace` has them
    """`replace`, but the same value if nothing changes, as with most models."""
    if all(getattr(value, name) == field for name, field in fields.items()):
        return value
    return replace(value, **fields)


def _first(asked: T | None, default: T | None) -> T | None:
    return default if asked is None else asked
