"""Checking a body against pydantic models of a wire format, and errors that name the place.

Unions are told apart by functions whose tags are written as `<...>`: pydantic puts tags into the
location of an error, and there they must be recognised and left out.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, TypeAlias, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from gateway.errors import InvalidRequest

T = TypeVar("T")
ModelT = TypeVar("ModelT", bound=BaseModel)

Items: TypeAlias = Annotated[list[T], Field(fail_fast=True)]
"""A list that is wrong at its first wrong item: only that one is reported, and there may be many."""


class WireModel(BaseModel):
    """Strict: a string is never taken for a number, nor a boolean for an integer.

    Unknown fields are let through, in `__pydantic_extra__`, so that they can be reported as
    ignored.
    """

    model_config = ConfigDict(extra="allow", strict=True, protected_namespaces=())


def string_or_object(value: object) -> str | None:
    """The tag of a value that may be a string or an object; None is an error."""
    if isinstance(value, str):
        return "<string>"
    return "<object>" if isinstance(value, dict) else None


def _integral(value: object) -> object:
    """JSON has one kind of number: 1024.0 is an integer, and some clients write it so."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


Integer: TypeAlias = Annotated[int, BeforeValidator(_integral)]


def checked(model: type[ModelT], body: Mapping[str, object]) -> ModelT:
    """Check a body against a wire model. Raises `InvalidRequest`."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise invalid_request(error) from None


def invalid_request(error: ValidationError) -> InvalidRequest:
    """The first error that pydantic found, with `param` as a path: `messages[2].content[0].text`."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    param = path(first["loc"])
    if first["type"] == "missing":
        return InvalidRequest(f"Missing required parameter: {param!r}.", param=param)
    return InvalidRequest(f"Invalid value for {param!r}: {first['msg']}.", param=param)


def path(location: Sequence[str | int]) -> str:
    """A location of pydantic's as clients read it; union tags, written as `<...>`, left out."""
    steps = [step for step in location if not (isinstance(step, str) and step.startswith("<"))]
    joined = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return joined.removeprefix(".")
