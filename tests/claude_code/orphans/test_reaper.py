"""No process outlives the gateway: the guardian at once, the ledger for the next gateway."""

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.machine.process_facts import start_of
from gateway_claude_code.orphans import guardian
from gateway_claude_code.orphans.ledger import Ledger
from gateway_claude_code.orphans.reaper import OrphanReaper

Start = Callable[..., "subprocess.Popen[bytes]"]
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(); "


@pytest.fixture
def start() -> Iterator["Start"]:
    """Starts a process that leads a session of its own and sleeps."""
    processes: list[subprocess.Popen[bytes]] = []

    def run(before: str = "import time; print(); ", *, leads: bool = True) -> object:
        process = subprocess.Popen(
            [sys.executable, "-c", before + "import sys; sys.stdout.flush(); time.sleep(60)"],
            stdout=subprocess.PIPE,
            start_new_session=leads,
        )
        processes.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process

    yield run
    for process in processes:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def ended(process: "subprocess.Popen[bytes]", seconds: float = 5) -> int:
    return process.wait(seconds)


# -- the guardian -------------------------------------------------------------------------


def test_it_ends_what_is_left_when_its_input_ends(start: Start) -> None:
    left, gone = start(), start()
    told = f"+{left.pid}\n+{gone.pid}\n-{gone.pid}\n".encode()
    subprocess.run(
        [sys.executable, "-I", "-S", guardian.__file__], input=told, check=True, timeout=10, env={}
    )
    assert ended(left) == -signal.SIGTERM
    assert gone.poll() is None


def test_one_that_does_not_listen_is_killed(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guardian, "GRACE_SECONDS", 0.1)
    process = start(STUBBORN)
    guardian.end_groups([process.pid])
    assert ended(process) == -signal.SIGKILL


def test_what_leads_no_session_is_somebody_elses(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[object] = []
    monkeypatch.setattr(guardian.os, "killpg", lambda *signal: sent.append(signal))
    process = start(leads=False)
    guardian.end_groups([process.pid, 2**22 + 1])
    assert sent == []
    assert process.poll() is None


def test_it_is_not_ended_by_signals(start: Start) -> None:
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", guardian.__file__], stdin=subprocess.PIPE
    )
    assert process.stdin is not None
    left = start()
    process.stdin.write(f"+{left.pid}\n".encode())
    process.stdin.flush()
    time.sleep(0.3)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    process.stdin.close()
    assert process.wait(10) == 0
    assert ended(left) == -signal.SIGTERM


# -- the ledger ---------------------------------------------------------------------------


def a_dead_gateways_list(folder: Path, *lines: str) -> Path:
    path = folder / "1.processes"
    path.write_text("\n".join(lines))
    return path


def line(pid: int, started: object = None) -> str:
    return json.dumps({"+": pid, "started": started or start_of(pid)})


def test_what_a_dead_gateway_left_is_found_once(tmp_path: Path, start: Start) -> None:
    left, gone = start(), start()
    path = a_dead_gateways_list(
        tmp_path, line(left.pid), line(gone.pid), json.dumps({"-": gone.pid}), '{"+": 1'
    )
    assert Ledger(tmp_path).left_behind() == ([left.pid], [])
    assert not path.exists()
    assert Ledger(tmp_path).left_behind() == ([], [])


def test_a_process_that_has_the_id_of_an_earlier_one_is_not_ours(
    tmp_path: Path, start: Start
) -> None:
    process = start()
    a_dead_gateways_list(tmp_path, line(process.pid, 5.0), line(2**22 + 1, 5.0))
    assert Ledger(tmp_path).left_behind() == ([], [process.pid, 2**22 + 1])


@pytest.mark.parametrize(
    ("moved", "is_found"), [(0.5, True), (-0.5, True), (2.0, False), (-2.0, False)]
)
def test_a_clock_that_was_corrected_hides_no_process(
    moved: float, is_found: bool, tmp_path: Path, start: Start
) -> None:
    process = start()
    began = start_of(process.pid)
    assert began is not None
    a_dead_gateways_list(tmp_path, line(process.pid, began + moved))
    running, dead = Ledger(tmp_path).left_behind()
    assert (running, dead) == (([process.pid], []) if is_found else ([], [process.pid]))


def test_a_list_of_another_form_names_nobody(tmp_path: Path, start: Start) -> None:
    """One of an earlier version, with the id of the boot; and one without a time."""
    pid = start().pid
    a_dead_gateways_list(tmp_path, line(pid, "6c2f 4711"), line(pid, ["x"]), '{"+": 1}')
    assert Ledger(tmp_path).left_behind() == ([], [])


def test_the_list_of_a_gateway_that_lives_is_left_alone(tmp_path: Path, start: Start) -> None:
    process = start()
    ledger = Ledger(tmp_path)
    ledger.open()
    ledger.add(process.pid)
    assert Ledger(tmp_path).left_behind() == ([], [])
    [path] = tmp_path.iterdir()
    assert json.loads(path.read_text())["+"] == process.pid
    ledger.close()
    assert list(tmp_path.iterdir()) == []


def test_a_long_list_is_written_anew_with_what_runs(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway_claude_code.orphans.ledger._LONGEST", 300)
    process = start()
    ledger = Ledger(tmp_path)
    ledger.open()
    for _ in range(20):
        ledger.add(os.getpid())
        ledger.remove(os.getpid())
    ledger.add(process.pid)
    [path] = tmp_path.iterdir()
    assert path.stat().st_size < 600
    ledger._file.close()  # type: ignore[union-attr] # as a crash does
    assert Ledger(tmp_path).left_behind() == ([process.pid], [])


# -- the reaper ---------------------------------------------------------------------------


async def test_what_dead_processes_left_is_removed(tmp_path: Path, start: Start) -> None:
    gone, running = 2**22 + 1, start()
    sessions = tmp_path / "home" / ".claude" / "sessions"
    sessions.mkdir(parents=True)
    for name in (f"{gone}.json", f"{gone}.abc.key", f"{running.pid}.json", "1.json"):
        (sessions / name).write_text("")
    a_dead_gateways_list(tmp_path, line(gone, 5.0), line(running.pid, 5.0))
    await OrphanReaper(tmp_path, {"HOME": str(tmp_path / "home")}).end_orphans()
    assert {path.name for path in sessions.iterdir()} == {f"{running.pid}.json", "1.json"}


async def test_orphans_are_ended(
    tmp_path: Path, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    process = start()
    a_dead_gateways_list(tmp_path, line(process.pid))
    await OrphanReaper(tmp_path).end_orphans()
    assert ended(process) == -signal.SIGTERM
    assert "ending 1 orphaned CLI processes of an earlier gateway" in caplog.messages


def test_nothing_that_was_removed_is_ended(tmp_path: Path, start: Start) -> None:
    process = start()
    reaper = OrphanReaper(tmp_path)
    with reaper.tracking():
        reaper.add(process.pid)
        reaper.remove(process.pid)
    assert process.poll() is None
    assert list(tmp_path.iterdir()) == []


def test_a_guardian_that_is_gone_is_replaced(tmp_path: Path, start: Start) -> None:
    first, second = start(), start()
    reaper = OrphanReaper(tmp_path)
    with reaper.tracking():
        reaper.add(first.pid)
        old = reaper._guardian
        assert old is not None
        old.kill()
        old.wait()
        reaper.remove(12345)
        reaper.add(second.pid)
        assert reaper._guardian is not old
    assert (ended(first), ended(second)) == (-signal.SIGTERM, -signal.SIGTERM)


async def test_where_nothing_can_be_written_it_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    (tmp_path / "file").write_text("")
    reaper = OrphanReaper(tmp_path / "file" / "folder")
    await reaper.end_orphans()
    with reaper.tracking():
        pass
    assert any("can't be kept" in message for message in caplog.messages)
