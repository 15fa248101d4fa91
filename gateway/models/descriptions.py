"""What a name can promise: a model's description within its entry's limits; a split's, the least. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from gateway.models.entry import ModelEntry, is_more
from gateway.types import ModelDescription

T = TypeVar("T")


def within_limits(description: ModelDescription, entry: ModelEntry) -> ModelDescription:
    """The description as the entry's `limits` and `thinking` leave it."""
    most = entry.limits
    efforts = description.efforts
    if efforts is not None and most.effort is not None:
        efforts = tuple(effort for effort in efforts if not is_more(effort, most.effort))
    off = entry.thinking == "off" and description.thinking == "optional"
    return replace(
        description,
        max_output_tokens=_least([description.max_output_tokens, most.max_output_tokens]),
        efforts=efforts,
        thinking="never" if off else description.thinking,
    )


def least_of(descriptions: Sequence[ModelDescription | None]) -> ModelDescription | None:
    """What holds whichever of these models answers. None if one of them is unknown."""
    known = [description for description in descriptions if description is not None]
    if not known or len(known) < len(descriptions):
        return None
    if len(known) == 1:
        return known[0]
    return ModelDescription(
        resolved=_same([each.resolved for each in known]),
        context_length=_of_all(min, [each.context_length for each in known]),
        max_output_tokens=_of_all(min, [each.max_output_tokens for each in known]),
        parameters=_of_all(_common, [each.parameters for each in known]),
        efforts=_of_all(_common, [each.efforts for each in known]),
        thinking=_of_all(
            lambda said: said[0] if len(set(said)) == 1 else "optional",
            [each.thinking for each in known],
        ),
        inputs=_of_all(_common, [each.inputs for each in known]),
    )


def _least(numbers: Sequence[int | None]) -> int | None:
    return min((number for number in numbers if number is not None), default=None)


def _of_all(join: Callable[[list[T]], T], values: Sequence[T | None]) -> T | None:
    known = [value for value in values if value is not None]
    return join(known) if len(known) == len(values) else None


def _same(values: Sequence[T]) -> T | None:
    return values[0] if len(set(values)) == 1 else None


def _common(tuples: list[tuple[T, ...]]) -> tuple[T, ...]:
    return tuple(item for item in tuples[0] if all(item in each for each in tuples[1:]))
