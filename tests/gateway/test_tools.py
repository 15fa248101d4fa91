"""What makes a function a tool."""

import datetime
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from gateway.errors import ConfigurationError
from gateway.tools import ServedTool, ServedTools, ToolFailed
from gateway.types import Image, Text

PICTURE = Image(media_type="image/png", data="QUJD")


def weather(
    city: Annotated[str, Field(description="Its name.")],
    unit: Literal["C", "F"] = "C",
    day: datetime.date | None = None,
) -> str:
    """What the weather is like.

    Today, or on a day.
    """
    return f"{city}, {unit}, {day!r}"


class Shop:
    async def price(self, item: str) -> float:
        return 1.5


def test_a_tool_has_its_function_s_name_docstring_and_types() -> None:
    tool = ServedTool.of(weather)
    assert tool.name == "weather"
    assert tool.description == "What the weather is like.\n\nToday, or on a day."
    assert tool.schema["required"] == ["city"]
    assert tool.schema["properties"]["city"]["description"] == "Its name."
    assert tool.schema["properties"]["unit"]["enum"] == ["C", "F"]


async def test_arguments_are_of_the_types_that_the_hints_say() -> None:
    parts = await ServedTool.of(weather).call('{"city": "Rome", "day": "2020-01-02"}')
    assert parts == (Text(text="Rome, C, datetime.date(2020, 1, 2)"),)


async def test_a_method_can_be_a_tool_and_a_coroutine() -> None:
    tool = ServedTool.of(Shop().price)
    assert (tool.name, await tool.call('{"item": "tea"}')) == ("price", (Text(text="1.5"),))


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("text", (Text(text="text"),)),
        (PICTURE, (PICTURE,)),
        ([Text(text="a"), PICTURE], (Text(text="a"), PICTURE)),
        (None, (Text(text="null"),)),
        ({"day": datetime.date(2020, 1, 2)}, (Text(text='{"day":"2020-01-02"}'),)),
        ([], (Text(text="[]"),)),
    ],
    ids=str,
)
async def test_what_a_tool_returns(value: object, parts: tuple[object, ...]) -> None:
    def tool() -> object:
        return value

    assert await ServedTool.of(tool).call("") == parts


async def test_arguments_that_are_not_valid_are_told_one_by_one() -> None:
    with pytest.raises(ToolFailed, match=r"city: Missing required argument; unit: Input should be"):
        await ServedTool.of(weather).call('{"unit": "K"}')


def by_place(a: int, /) -> int:
    return a


def unknown_type(a: object, *, b: "Nowhere") -> None:  # type: ignore[name-defined]  # noqa: F821
    """Its hint can't be looked up."""


def no_schema(a: Callable[[int], int]) -> None:
    """Its argument can't come as JSON."""


@pytest.mark.parametrize(
    ("tool", "message"),
    [
        (by_place, "'by_place': its parameters can't be positional-only"),
        (unknown_type, "'unknown_type'"),
        (no_schema, "'no_schema'"),
        (lambda: 1, "invalid tool name '<lambda>'"),
        (weather, "'weather' is registered twice"),
        (
            ServedTool(
                name="a", description="", schema={"x": {1}}, call=ServedTool.of(weather).call
            ),
            "the schema of 'a' is not JSON",
        ),
    ],
)
def test_what_can_be_no_tool_is_refused(tool: Any, message: str) -> None:
    tools = ServedTools()
    tools.add(weather)
    with pytest.raises(ConfigurationError, match=message):
        tools.add(tool)
