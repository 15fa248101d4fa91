"""Whatever a client says reaches the model, in order: over the real gateway and the real CLI.

`make arrives` tries thousands of sequences, each time others; without it there are 30, always the
same. A conversation has several of them: some as its history, the others one after another in the
process that goes on with it.
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

import httpx
import pytest

from gateway_claude_code.upstream import (
    Answer,
    MessagesRequest,
    Reply,
    TextBlock,
    ToolUseBlock,
    running_upstream,
    text_answer,
)
from tests.arrives.arrived import missing
from tests.arrives.conversations import TOOLS, ConversationMaker
from tests.e2e.bodies import function
from tests.e2e.gateways import RunningGateway, running_gateway

pytestmark = pytest.mark.e2e

SEQUENCES: Final = int(os.environ.get("ARRIVES_SEQUENCES", "30"))
FIRST_SEED: Final = int(time.time()) if "ARRIVES_SEQUENCES" in os.environ else 0
SEEDED, LIVE = 8, 2
CONVERSATIONS: Final = -(-SEQUENCES // (SEEDED + LIVE))
GROUP: Final = 10
"""Conversations in one test, which reports on all of them."""

OFFERED: Final = [function(name, {"type": "object", "properties": {}}) for name in TOOLS]
MODELS: Final = ("opus", "sonnet", "haiku", "claude-sonnet-5", "claude-sonnet-4-5")


class Model:
    """Answers with words or calls by a die of its own."""

    def __init__(self) -> None:
        self.random = Random(0)

    def __call__(self, request: MessagesRequest) -> Reply:
        names = [str(tool["name"]) for tool in request.tools]
        if not names or self.random.random() < 0.5:
            return text_answer("Yes", f" {self.random.random()}")
        calls = tuple(
            ToolUseBlock(self.random.choice(names), {"n": number})
            for number in range(self.random.randint(1, 2))
        )
        text = (TextBlock("Let me see."),) if self.random.random() < 0.5 else ()
        return Answer(blocks=(*text, *calls))


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, cli_command: str) -> Iterator[RunningGateway]:
    config = {"plugins": {"claude_code": {"max_processes": 3, "max_spares": 1, "max_live": 1}}}
    folder: Path = tmp_path_factory.mktemp("gateway")
    with (
        running_upstream(Model()) as upstream,
        running_gateway(
            folder, upstream, config, {"DRAGOMAN_CLAUDE_COMMAND": cli_command}
        ) as running,
    ):
        yield running


@pytest.mark.parametrize("group", range(-(-CONVERSATIONS // GROUP)))
def test_everything_arrives_in_order(gateway: RunningGateway, group: int) -> None:
    numbers = range(group * GROUP, min(CONVERSATIONS, (group + 1) * GROUP))
    lost = {FIRST_SEED + number: _lost(gateway, FIRST_SEED + number) for number in numbers}
    assert {seed: what for seed, what in lost.items() if what} == {}


def _lost(gateway: RunningGateway, seed: int) -> str | None:
    """What a conversation of this seed lost, if anything, with the body of the request."""
    maker = ConversationMaker(seed)
    fields = {"model": maker.random.choice(MODELS), "tools": OFFERED}
    for _ in range(SEEDED):
        maker.sequence()
    for _ in range(LIVE + 1):
        # halves of characters as JSON writes them
        body = json.dumps({**fields, "messages": maker.messages})
        response = _posted(gateway, body)
        lost = _found_missing(gateway, maker, response)
        if lost is not None:
            return f"{lost}: {body}"
        if ids := maker.answered(response.json()["choices"][0]["message"]):
            maker.results(ids, whole_set=True)
        else:
            maker.user()
    return None


def _posted(gateway: RunningGateway, body: str) -> httpx.Response:
    gateway.upstream.requests.clear()
    gateway.upstream.refusals.clear()
    url, headers = f"{gateway.url}/v1/chat/completions", {"content-type": "application/json"}
    return httpx.post(url, content=body, headers=headers, timeout=60)


def _found_missing(
    gateway: RunningGateway, maker: ConversationMaker, response: httpx.Response
) -> str | None:
    if response.status_code != 200:
        return response.text
    # the CLI sends one model a note that it refuses, and takes it back
    broken = [refused.broken for refused in gateway.upstream.refusals]
    if refused := [each for each in broken if each.rule.name != "messages.system_role"]:
        return refused[0].refusal.message
    return missing(gateway.upstream.requests[-1], maker.expected)
