"""A CLI that is slow to start, and processes that die while nobody waits for them."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway_claude_code.upstream import text_answer
from tests.e2e.conftest import StartGateway
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e

CHAT = {"model": "claude-sonnet-4", "messages": [{"role": "user", "content": "Hello"}]}


def ask(gateway: RunningGateway) -> int:
    return httpx.post(f"{gateway.url}/v1/chat/completions", json=CHAT, timeout=60).status_code


def counts(gateway: RunningGateway) -> dict[str, int]:
    health: dict[str, Any] = httpx.get(f"{gateway.url}/health", timeout=10).json()
    found: dict[str, int] = health["claude_code"]["processes"]
    return found


def until(condition: Callable[[], object], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def slow(folder: Path, cli: str, seconds: float) -> tuple[Path, Path]:
    """A CLI that sleeps before it starts, and the file that has its processes."""
    wrapper, starts = folder / "claude", folder / "starts"
    starts.touch()
    wrapper.write_text(
        f'#!/bin/sh\n[ "$1" = --print ] && echo $$ >> "{starts}" && sleep {seconds}\n'
        f'exec "{cli}" "$@"\n'
    )
    wrapper.chmod(0o755)
    return wrapper, starts


def test_requests_wait_for_a_cli_that_is_slow_to_start(
    start_gateway: StartGateway, tmp_path: Path, cli_command: str
) -> None:
    """Slower than a warm process may be (5 s), and within `start_seconds`."""
    wrapper, starts = slow(tmp_path, cli_command, 6)
    section = {"min_spares": 1, "max_spares": 1, "max_live": 0, "start_seconds": 30}
    gateway = start_gateway(
        {"plugins": {"claude_code": section}},
        {"DRAGOMAN_CLAUDE_COMMAND": str(wrapper)},
        lambda _: text_answer("Hi."),
    )
    until(lambda: counts(gateway)["spare"] == 1, 15)
    with ThreadPoolExecutor(2) as threads:
        answers = [threads.submit(ask, gateway) for _ in range(2)]
        assert [answer.result() for answer in answers] == [200, 200]
    assert len(starts.read_text().split()) <= 4, "two for the requests, and the next spares"


@pytest.mark.parametrize("state", ["live", "spare"])
def test_a_process_that_is_killed_is_noticed_at_once(
    start_gateway: StartGateway, state: str
) -> None:
    spares = 1 if state == "spare" else 0
    section = {"min_spares": spares, "max_spares": spares, "max_live": 4, "keep_alive": 300}
    gateway = start_gateway(
        {"plugins": {"claude_code": section}}, script=lambda _: text_answer("Hi.")
    )
    if state == "live":
        assert ask(gateway) == 200
    until(lambda: counts(gateway)[state] == 1 and len(gateway.processes()) == 1, 20)
    [pid] = gateway.processes()
    until(lambda: named_after(pid, gateway.home), 10)
    os.kill(pid, signal.SIGKILL)
    until(lambda: pid not in gateway.processes(), 2)
    until(lambda: not named_after(pid, gateway.home), 2)
    until(lambda: counts(gateway)["live"] == 0, 2)
    until(
        lambda: (
            counts(gateway) == {"busy": 0, "live": 0, "spare": spares, "aside": 0, "waiting": 0}
        ),
        15,
    )
    assert len(gateway.processes()) == spares


def named_after(pid: int, folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if str(pid) in path.name.split(".")]
