import asyncio
from pathlib import Path

import pytest

from gateway.testing import request, serving
from gateway.types import Tool

PLUGIN = Path(__file__).parent.parent / "ask_user_tool.py"


@pytest.mark.parametrize(
    ("offered", "got"),
    [([], []), (["f"], ["f", "ask_user"]), (["ask_user"], ["ask_user"])],
)
def test_the_tool_is_offered_once(offered: list[str], got: list[str]) -> None:
    async def scenario() -> None:
        async with serving(PLUGIN) as served:
            await served.ask(request(tools=tuple(Tool(name=name) for name in offered)))
            assert [tool.name for tool in served.backend.requests[0].tools] == got

    asyncio.run(scenario())
