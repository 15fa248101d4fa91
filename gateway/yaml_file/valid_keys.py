"""Which keys are valid at a place inside a pydantic model, for messages about unknown ones."""

from collections.abc import Iterable, Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel


def keys_at(model: type[BaseModel], location: Iterable[str]) -> set[str]:
    """The valid keys where `location` (keys and indexes) leads, in any branch of a union."""
    places: list[Any] = [model]
    for step in location:
        places = [inner for place in places for inner in _inside(place, step)]
    return {key for place in places if _is_model(place) for key in _fields(place)}


def _inside(place: Any, step: str) -> Iterator[Any]:  # noqa: ANN401
    if _is_model(place):
        if step in (fields := _fields(place)):
            yield from _branches(fields[step])
    elif arguments := get_args(place):
        # The values of a mapping, or the items of a list.
        yield from _branches(arguments[-1] if get_origin(place) is not tuple else arguments[0])


def _branches(annotation: Any) -> Iterator[Any]:  # noqa: ANN401
    if get_origin(annotation) in {Union, UnionType}:
        for argument in get_args(annotation):
            yield from _branches(argument)
    elif get_origin(annotation) is Annotated:
        yield from _branches(get_args(annotation)[0])
    elif annotation is not NoneType:
        yield annotation


def _is_model(place: Any) -> bool:  # noqa: ANN401
    return isinstance(place, type) and issubclass(place, BaseModel)


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}
