import asyncio
from pathlib import Path

import pytest

from gateway.testing import serving
from gateway.tools import ToolFailed
from gateway.types import Text

PLUGIN = Path(__file__).parent.parent / "clock.py"


def test_the_time_of_a_zone() -> None:
    async def scenario() -> None:
        async with serving(PLUGIN) as served:
            (tool,) = served.gateway.tools
            assert tool.name == "clock"
            (part,) = await tool.call('{"zone": "UTC"}')
            assert isinstance(part, Text)
            assert part.text.endswith("+00:00")
            with pytest.raises(ToolFailed, match="no time zone 'Nowhere'"):
                await tool.call('{"zone": "Nowhere"}')

    asyncio.run(scenario())
