"""A tool's `strict`, which the CLI does not pass on."""

import pytest

from gateway.types import Tool
from gateway_claude_code.request.tools.strict_tools import unmet_strict


@pytest.mark.parametrize(
    ("strict", "reported"),
    [
        ([], ()),
        ([None, False], ()),
        ([True], ("tools.function.strict",)),
        ([None, True, True], ("tools.function.strict",)),
    ],
)
def test_it_is_reported_where_it_was_asked_for(
    strict: list[bool | None], reported: tuple[str, ...]
) -> None:
    tools = [Tool(name=f"t{index}", strict=value) for index, value in enumerate(strict)]
    assert unmet_strict(tools) == reported
