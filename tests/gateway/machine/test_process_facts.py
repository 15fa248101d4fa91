"""Facts about processes, of real ones; and where the system shows none of them.

What is read of macOS is psutil's, whose own tests run there. Here the one way is tried for all that
it is used for, and with a /proc that is not there: nothing may depend on it.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from gateway.machine import process_facts
from gateway.machine.process_facts import (
    listener_on,
    memory_bytes,
    resident_bytes,
    start_of,
    visible_texts,
)

NOBODY = 2**22 + 1
"""An id that Linux gives to no process."""

SLEEPER = "import sys; print(flush=True); sys.stdin.read()"


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(
        [sys.executable, "-c", SLEEPER, "a-word-in-its-arguments"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "A_VARIABLE": "a-word-in-its-environment"},
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_the_start_of_a_process(sleeper: "subprocess.Popen[bytes]") -> None:
    started = start_of(sleeper.pid)
    assert started is not None
    assert abs(time.time() - started) < 60
    assert start_of(sleeper.pid) == pytest.approx(started, abs=0.1)


def test_the_start_differs_from_that_of_an_earlier_one(
    sleeper: "subprocess.Popen[bytes]",
) -> None:
    ours = start_of(os.getpid())
    its = start_of(sleeper.pid)
    assert ours is not None
    assert its is not None
    assert ours < its


def test_the_memory_of_a_process(sleeper: "subprocess.Popen[bytes]") -> None:
    size = resident_bytes(sleeper.pid)
    assert size is not None
    assert 1_000_000 < size < memory_bytes()


def test_a_process_that_is_gone_has_no_facts() -> None:
    assert (start_of(NOBODY), resident_bytes(NOBODY)) == (None, None)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_who_listens(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        port = listener.getsockname()[1]
        found = listener_on(port)
        with socket.create_connection((host, port)) as client:
            nobody = listener_on(client.getsockname()[1])
    assert found is not None
    assert found.pid == os.getpid()
    assert found.command
    assert nobody is None, "a connection is no listener"
    assert listener_on(port) is None


def test_what_others_can_read(sleeper: "subprocess.Popen[bytes]") -> None:
    text = "\n".join(visible_texts())
    assert "a-word-in-its-arguments" in text
    assert "A_VARIABLE=a-word-in-its-environment" in text


class OfOthers:
    """Processes of another user: each question about them is refused."""

    pid = 1

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def refuse(**_: Any) -> None:
            raise psutil.AccessDenied(self.pid)

        return refuse


def test_processes_of_others_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    others = [OfOthers(), psutil.Process(), OfOthers()]
    monkeypatch.setattr(process_facts.psutil, "process_iter", lambda: iter(others))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = listener_on(listener.getsockname()[1])
    assert found is not None
    assert found.pid == os.getpid()
    assert len(list(visible_texts())) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="psutil reads /proc on Linux alone")
def test_without_a_proc_the_facts_are_missing_and_nothing_breaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path / "none"))
    assert (start_of(os.getpid()), resident_bytes(os.getpid()), listener_on(1)) == (
        None,
        None,
        None,
    )
    assert (memory_bytes(), list(visible_texts())) == (0, [])


def test_nothing_else_reads_proc() -> None:
    root = Path(__file__).parents[3]
    sources = [path for part in ("gateway", "plugins") for path in (root / part).rglob("*.py")]
    assert len(sources) > 100
    reading = [
        str(path.relative_to(root))
        for path in sources
        if '"/proc' in path.read_text(encoding="utf-8")
    ]
    assert sorted(reading) == [
        # names the network that a container's loopback belongs to; without /proc there are none
        "gateway/client/running_gateways.py",
        # how long a process waited for a processor, which psutil does not tell; without it, only
        # the clock counts (tests/claude_code/process/test_grace.py, "nothing is known")
        "plugins/gateway_claude_code/process/grace.py",
    ]
