import asyncio
import logging
from pathlib import Path

import pytest

from gateway.testing import serving

PLUGIN = Path(__file__).parent.parent / "answer_log.py"


def test_an_answer_is_a_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def scenario() -> None:
        async with serving(PLUGIN) as served:
            assert await served.say("Hi") == "Hello there"

    asyncio.run(scenario())
    assert "test-model completed in 0." in caplog.text
