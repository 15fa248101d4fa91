"""A spare that a request gets before it could warm up."""

from typing import cast

import anyio
import pytest

from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.process.process import CliProcess
from gateway_claude_code.protocol import Line
from gateway_claude_code.response.failures import NotReady
from tests.claude_code.pool.pool_support import FakeProcess, quiet

SETTINGS = {"effortLevel": "low"}


class Recorded(FakeProcess):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Line] = []

    async def send(self, *lines: Line) -> None:
        self.heard += lines
        await super().send(*lines)


def a_spare(seconds: float = 30) -> tuple[Recorded, Conversation]:
    process = Recorded()
    conversation = Conversation(cast(CliProcess, process), seconds)
    conversation.become_spare()
    return process, conversation


async def test_its_settings_are_the_requests_and_stay_so() -> None:
    process, conversation = a_spare()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(conversation.set_up, "", None, SETTINGS)
        await quiet()
        assert process.heard == []
        tasks.start_soon(conversation.warm_up)
    said = [line["request"] for line in process.heard]
    assert [each["subtype"] for each in said] == [
        "apply_flag_settings",
        "initialize",
        "apply_flag_settings",
    ]
    assert [each["settings"] for each in said if "settings" in each] == [{}, SETTINGS]


async def test_one_that_never_warms_up_is_not_waited_for_without_end() -> None:
    _, conversation = a_spare(seconds=0.01)
    with pytest.raises(NotReady):
        await conversation.set_up("", None, SETTINGS)
