"""Tools that the gateway runs itself, as plugins register them: a function, or a `ServedTool`."""

import inspect
import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias, cast

import anyio.to_thread
from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import to_json

from gateway.errors import ConfigurationError
from gateway.types import Document, Image, Text

__all__ = [
    "TOOL_NAME",
    "ServedTool",
    "ServedTools",
    "ToolFailed",
    "ToolParts",
]

ToolParts: TypeAlias = tuple[Text | Image | Document, ...]
"""The parts of a tool's result."""

TOOL_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""Matches all of a tool's name."""


class ToolFailed(Exception):
    """Raised by a tool: the model gets the message as the tool's result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedTool:
    """A tool that the gateway offers to models and runs by itself.

    `schema` is the JSON Schema of its arguments. `call` gets these as JSON text and returns the
    result; the model gets its exceptions as results, the client never does.
    """

    name: str
    description: str
    schema: Mapping[str, Any]
    call: Callable[[str], Awaitable[ToolParts]]

    @classmethod
    def of(cls, function: Callable[..., Any]) -> "ServedTool":
        """A tool made of a function: its name, its docstring, and its type hints.

        A plain `def` runs in a thread. Raises `ConfigurationError` if the hints can't be a schema.
        """
        name = getattr(function, "__name__", type(function).__name__)
        try:
            adapter: TypeAdapter[Any] = TypeAdapter(cast(Any, function))
            schema = adapter.json_schema()
        except (PydanticUserError, NameError) as error:
            raise ConfigurationError(f"the tool {name!r}: {error}") from None
        if schema.get("type") != "object":
            raise ConfigurationError(f"the tool {name!r}: its parameters can't be positional-only")
        return cls(
            name=name,
            description=inspect.getdoc(function) or "",
            schema=schema,
            call=partial(_call, adapter, inspect.iscoroutinefunction(function)),
        )


async def _call(adapter: TypeAdapter[Any], is_async: bool, arguments: str) -> ToolParts:  # noqa: FBT001
    """Validate the arguments and run the function, which pydantic does in one step."""
    run = partial(adapter.validate_json, arguments.strip() or "{}")
    try:
        if is_async:
            return _parts(await run())
        return _parts(await anyio.to_thread.run_sync(run, abandon_on_cancel=True))
    except ValidationError as error:
        raise ToolFailed(_wording(error)) from error


def _wording(error: ValidationError) -> str:
    problems = error.errors(include_url=False)
    said = (f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in problems)
    return "invalid arguments: " + "; ".join(said)


def _parts(value: object) -> ToolParts:
    if isinstance(value, str):
        return (Text(text=value),)
    if isinstance(value, Text | Image | Document):
        return (value,)
    if isinstance(value, tuple | list) and value and all(map(_is_part, value)):
        return tuple(value)
    return (Text(text=to_json(value, fallback=str).decode()),)


def _is_part(value: object) -> bool:
    return isinstance(value, Text | Image | Document)


class ServedTools:
    """The tools of one gateway, by name."""

    def __init__(self) -> None:
        self._tools: dict[str, ServedTool] = {}

    def __iter__(self) -> Iterator[ServedTool]:
        return iter(self._tools.values())

    def add(self, tool: Callable[..., Any] | ServedTool) -> None:
        """Take a tool, or the function that is to be one. Raises `ConfigurationError`."""
        served = tool if isinstance(tool, ServedTool) else ServedTool.of(tool)
        if not TOOL_NAME.fullmatch(served.name):
            raise ConfigurationError(
                f"invalid tool name {served.name!r}: use 1 to 64 letters, digits, _ and -"
            )
        if served.name in self._tools:
            raise ConfigurationError(f"the tool {served.name!r} is registered twice")
        try:
            json.dumps(dict(served.schema))
        except (TypeError, ValueError) as error:
            raise ConfigurationError(
                f"the schema of {served.name!r} is not JSON: {error}"
            ) from None
        self._tools[served.name] = served
