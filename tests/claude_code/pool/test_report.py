"""The pool's part of `GET /health`: how many answers began with which kind of process."""

from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from gateway.context import RequestContext
from gateway_claude_code.backend import ClaudeCodeBackend
from gateway_claude_code.process.cli_version import SWITCHES_MODELS
from tests.claude_code.claude_code_support import TARGET, FakeCli, a_request, backend_for

PLAY = """set_up()
while True:
    line = hear()
    if line["type"] == "user":
        begin(); text("Hi"); end(); say(dict(type="result"))
    else:
        say(applied(line))
"""
CURRENT = ".".join(map(str, SWITCHES_MODELS))


async def ask(backend: ClaudeCodeBackend, *texts: str) -> None:
    ctx = RequestContext(request_id="r-1")
    async for _ in backend.answer(a_request(*texts), TARGET, ctx):
        pass


@pytest.mark.parametrize(
    ("asked", "config", "taken"),
    [
        ([("Hi",), ("Hi",)], {}, {"cold": 2}),
        ([("Hi",), ("Hi", "Hi", "More")], {"max_live": 1}, {"live": 1, "cold": 1}),
        ([("Hi",)], {"max_spares": 1, "min_spares": 1}, {"spare": 1}),
    ],
    ids=["cold", "live", "spare"],
)
async def test_each_answer_counts_by_its_process(
    asked: list[tuple[str, ...]],
    config: dict[str, int],
    taken: dict[str, int],
    fake_cli: Callable[[str], FakeCli],
    environ: dict[str, str],
) -> None:
    backend = backend_for(fake_cli(PLAY), environ, **config)
    async with backend.running():
        if config.get("max_spares"):
            backend.expect("sonnet", CURRENT)
            with anyio.fail_after(10):
                while not backend.pool.counts["spare"]:
                    await anyio.lowlevel.checkpoint()
        for texts in asked:
            await ask(backend, *texts)
        report: dict[str, Any] = backend.report()
    assert {kind: number for kind, number in report["taken"].items() if number} == taken
