"""The end of a gateway under load: in good order, and by SIGKILL."""

import json
import os
import shutil
import signal
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from gateway_claude_code.upstream import Answer, Gate, MessagesRequest, TextBlock, text_answer
from tests.e2e.conftest import StartGateway
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e

CHAT = {"model": "claude-sonnet-4", "messages": [{"role": "user", "content": "Hello"}]}
CLIENTS = 4


def ask(gateway: RunningGateway, *, stream: bool) -> httpx.Response:
    return httpx.post(
        f"{gateway.url}/v1/chat/completions", json={**CHAT, "stream": stream}, timeout=60
    )


def held_at(gate: Gate, *, when: int) -> Answer:
    block = TextBlock("one two", pieces=("one", " two"))
    return Answer(blocks=(block,), gates={when: gate})


def until(condition: object, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def test_sigterm_cuts_no_running_answer_and_turns_new_ones_away(
    start_gateway: StartGateway,
) -> None:
    gate = Gate()
    gateway = start_gateway(script=lambda _: held_at(gate, when=3))
    with ThreadPoolExecutor(CLIENTS) as threads:
        running = [threads.submit(ask, gateway, stream=bool(n % 2)) for n in range(CLIENTS)]
        until(lambda: len(gateway.upstream.requests) == CLIENTS)
        os.kill(gateway.pid, signal.SIGTERM)
        until(lambda: httpx.get(f"{gateway.url}/health").json()["status"] == "draining")
        refused = ask(gateway, stream=False)
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        gate.open()
        answers = [each.result() for each in running]
    for number, answer in enumerate(answers):
        assert answer.status_code == 200
        if number % 2:
            assert answer.text.endswith("data: [DONE]\n\n")
        else:
            assert answer.json()["choices"][0]["message"]["content"] == "one two"
    until(lambda: not is_running(gateway.pid))


def test_sigkill_leaves_no_process(start_gateway: StartGateway) -> None:
    gate = Gate()
    gateway = start_gateway(
        config={"plugins": {"claude_code": {"min_spares": 1}}},
        script=lambda _: held_at(gate, when=3),
    )
    threads = [
        threading.Thread(target=broken_off, args=(gateway,), daemon=True) for _ in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    until(lambda: len(gateway.upstream.requests) == CLIENTS)
    pids = gateway.processes()
    assert len(pids) >= CLIENTS
    os.kill(gateway.pid, signal.SIGKILL)
    began = time.monotonic()
    until(lambda: not any(map(is_running, pids)), seconds=5)
    assert time.monotonic() - began < 5
    gate.open()
    for thread in threads:
        thread.join()


def broken_off(gateway: RunningGateway) -> None:
    with pytest.raises(httpx.HTTPError):
        ask(gateway, stream=True)


def test_what_both_gateway_and_guardian_left_is_ended_by_the_next_gateway(
    start_gateway: StartGateway,
) -> None:
    gate = Gate()
    gateway = start_gateway(script=lambda _: held_at(gate, when=3))
    client = threading.Thread(target=broken_off, args=(gateway,), daemon=True)
    client.start()
    until(lambda: len(gateway.upstream.requests) == 1)
    [pid] = at_work(gateway)
    for guardian in set(children(gateway.pid)) - set(gateway.processes()):
        os.kill(guardian, signal.SIGKILL)
    os.kill(gateway.pid, signal.SIGKILL)
    client.join()
    time.sleep(0.3)
    assert is_running(pid), "a CLI in the middle of a turn goes on by itself"
    listed = list((gateway.home / ".cache" / "dragoman" / "processes").iterdir())
    assert len(listed) == 1
    start_gateway(script=one_answer)
    until(lambda: not is_running(pid), seconds=5)
    assert listed[0] not in listed[0].parent.iterdir()
    until(lambda: not named_after(pid, gateway.home))
    gate.open()


def one_answer(_: MessagesRequest) -> Answer:
    return text_answer("Hello.")


def at_work(gateway: RunningGateway) -> list[int]:
    """Those that answer requests, and not questions about the CLI itself."""
    return [
        pid
        for pid in gateway.processes()
        if b"stream-json" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def children(pid: int) -> list[int]:
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid: int) -> bool:
    """Whether it is there, and no zombie that nobody has looked after yet."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_the_list_of_processes_says_nothing_of_prompts(start_gateway: StartGateway) -> None:
    gateway = start_gateway(
        config={"plugins": {"claude_code": {"min_spares": 1, "max_spares": 1}}}, script=one_answer
    )
    assert ask(gateway, stream=False).status_code == 200
    [path] = (gateway.home / ".cache" / "dragoman" / "processes").iterdir()
    for raw in path.read_text().splitlines():
        assert set(json.loads(raw)) <= {"+", "-", "started"}


def test_a_cli_that_is_killed_leaves_no_files_either(start_gateway: StartGateway) -> None:
    gate = Gate()
    gateway = start_gateway(
        environment={"TMPDIR": str(temporary := Path(tempfile.mkdtemp()))},
        script=lambda _: held_at(gate, when=3),
    )
    client = threading.Thread(target=failing, args=(gateway,), daemon=True)
    client.start()
    until(lambda: len(gateway.upstream.requests) == 1)
    [pid] = at_work(gateway)
    until(lambda: named_after(pid, gateway.home) and named_after(pid, temporary))
    os.kill(pid, signal.SIGKILL)
    client.join()
    gate.open()
    until(lambda: not named_after(pid, gateway.home) and not named_after(pid, temporary))
    shutil.rmtree(temporary)


def failing(gateway: RunningGateway) -> None:
    assert ask(gateway, stream=False).status_code == 502


def named_after(pid: int, folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if str(pid) in path.name.split(".")]
