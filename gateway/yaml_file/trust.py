"""Keys that hold only in a configuration which the user chose.

`dragoman serve` takes up a `models.yaml` from the current folder, and anybody may have made that
folder: it may come from a clone or an archive. Such a file may say what is served and how. What
runs programs, opens the gateway to others, or leads prompts elsewhere is accepted only from a file
that was named with `--config`, the user's own in `~/.config/dragoman`, or the one of the checkout
that runs. Those keys are marked where they are declared::

    class MyConfig(BaseModel):
        command: Annotated[Path | None, NeedsTrust("runs a program")] = None

The mark belongs to the field itself, not to a part of its type. Any value other than the default
is refused with the file and the line, at the start and at every reload. A section whose model has
no mark at all is refused as a whole, unless it says by `@vetted` that its author has thought of it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gateway.yaml_file.document import Location

Model = TypeVar("Model", bound=type[BaseModel])

_VETTED = "__vetted__"


def vetted(model: Model) -> Model:
    """Says of a section's model that any folder may set its keys, but for those that are marked."""
    setattr(model, _VETTED, True)
    return model


def is_vetted(model: type[BaseModel]) -> bool:
    """Whether somebody has decided which keys need trust. A subclass has keys of its own."""
    return _VETTED in vars(model) or any(
        isinstance(each, NeedsTrust)
        for field in model.model_fields.values()
        for each in field.metadata
    )


@dataclass(frozen=True, slots=True)
class NeedsTrust:
    """Marks a field of a plugin's section, in `Annotated`.

    `effect` says what the key does, for the error: "runs a program". Values for which `harmless`
    is true are accepted like the default.
    """

    effect: str
    harmless: Callable[[Any], bool] | None = None


def keys_in_need(values: BaseModel, location: Location = ()) -> Iterator[tuple[Location, str]]:
    """Where `values` sets a marked key, however deep, and that key's effect."""
    for name, field in type(values).model_fields.items():
        value = getattr(values, name)
        place = (*location, field.alias or name)
        mark = next((each for each in field.metadata if isinstance(each, NeedsTrust)), None)
        if mark is None:
            yield from _inside(value, place)
        elif not _is_harmless(value, mark, field):
            yield place, mark.effect


def _is_harmless(value: object, mark: NeedsTrust, field: FieldInfo) -> bool:
    if not field.is_required() and value == field.get_default(call_default_factory=True):
        return True
    return mark.harmless is not None and mark.harmless(value)


def _inside(value: object, place: Location) -> Iterator[tuple[Location, str]]:
    if isinstance(value, BaseModel):
        yield from keys_in_need(value, place)
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _inside(each, (*place, str(key)))
    elif isinstance(value, list | tuple):
        for index, each in enumerate(value):
            yield from _inside(each, (*place, str(index)))
