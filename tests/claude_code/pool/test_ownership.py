"""Whatever fails, and wherever a request is given up: processes, slots and files are back.

Between each two steps from "a slot is taken" to "the slot is given back" something is made to fail, or
the request is cancelled; then a request is answered as if nothing had been.
"""

import asyncio
import contextlib
import errno
import logging
import os
import subprocess
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from gateway.context import RequestContext
from gateway.types import PartDelta
from gateway_claude_code.backend import ClaudeCodeBackend
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.orphans import ledger
from gateway_claude_code.orphans.reaper import OrphanReaper
from gateway_claude_code.process.environment import CliEnvironment
from gateway_claude_code.state_file import StateFile
from tests.claude_code.claude_code_support import (
    ANSWER,
    TARGET,
    Environ,
    FakeCli,
    MakeCli,
    a_request,
    answered,
    backend_for,
    is_gone,
)
from tests.claude_code.pool.pool_support import until

OURS = "gateway_claude_code"
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
TOO_MANY = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
DEFECT = RuntimeError("a defect")


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


@pytest.fixture
def cli(fake_cli: MakeCli, tmp_path: Path) -> FakeCli:
    """Answers, and notes each of its processes."""
    note = f"open({str(tmp_path / 'pids')!r}, 'a').write(str(os.getpid()) + ' ')\n"
    return fake_cli(f"{note}{ANSWER}\nhear()")


@asynccontextmanager
async def a_backend(
    cli: FakeCli, environ: Environ, tmp_path: Path, **config: Any
) -> AsyncGenerator[ClaudeCodeBackend]:
    """With a list of processes and a guardian; at its end nothing may be left."""
    values = {"command": cli.path, "max_spares": 0, "max_live": 0, "max_processes": 2, **config}
    cli_environment = CliEnvironment(environ=environ, overrides={})
    reaper = OrphanReaper(tmp_path / "processes", environ)
    backend = ClaudeCodeBackend(ClaudeCodeConfig(**values), cli_environment, reaper)
    async with backend.running():
        yield backend
    assert backend.pool.slots.used == 0
    assert list((tmp_path / "processes").iterdir()) == []
    assert left(tmp_path) == []


def left(tmp_path: Path) -> list[int]:
    noted = tmp_path / "pids"
    pids = map(int, noted.read_text().split()) if noted.exists() else ()
    return [pid for pid in pids if not is_gone(pid)]


async def all_back(backend: ClaudeCodeBackend, tmp_path: Path, files: int) -> None:
    await until(lambda: backend.pool.slots.used == 0)
    await until(lambda: left(tmp_path) == [])
    await until(lambda: open_files() <= files)
    assert backend.pool.counts == {"busy": 0, "live": 0, "spare": 0, "aside": 0, "waiting": 0}
    assert backend.pool.starts.spare_turn() is not None


def raising(error: Exception, failed: list[str]) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        failed.append(str(error))
        raise error

    return fail


# -- something fails ----------------------------------------------------------------------

FAILING = {
    "no pipe for errors": ("os.pipe", TOO_MANY),
    "the pipe can't be read": (f"{OURS}.process.error_pipe.asyncio.StreamReaderProtocol", DEFECT),
    "the program can't be run": ("asyncio.create_subprocess_exec", TOO_MANY),
    "the process can't be wrapped": (f"{OURS}.process.process.anyio.Lock", DEFECT),
    "a defect as it is set up": (f"{OURS}.conversations.conversation.Conversation.set_up", DEFECT),
    "a defect before it is driven": (f"{OURS}.conversations.turn.note_transcript", DEFECT),
    "a defect after the answer": (f"{OURS}.conversations.turn_plan.TurnPlan.after", DEFECT),
    "a defect as it is ended": (f"{OURS}.process.process.CliProcess._end_followers", DEFECT),
    "leftovers can't be removed": (f"{OURS}.process.process.remove_leftovers", DEFECT),
}


@pytest.mark.parametrize("name", FAILING)
async def test_what_was_taken_is_given_back(
    name: str, cli: FakeCli, environ: Environ, tmp_path: Path
) -> None:
    async with a_backend(cli, environ, tmp_path) as backend:
        assert await answered(backend, "one") == "Hi"
        await until(lambda: backend.pool.slots.used == 0)
        files = open_files()
        where, error = FAILING[name]
        failed: list[str] = []
        for _ in range(3):  # more than there are slots
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(where, raising(error, failed))
                with contextlib.suppress(Exception):
                    await answered(backend, "one")
                await until(lambda: backend.pool.slots.used == 0)
        assert len(failed) >= 3, "it was got past every time"
        backend.pool.starts.breaker.succeeded()
        await all_back(backend, tmp_path, files)
        assert await answered(backend, "one") == "Hi"


ASIDE = {
    "the list can't be written": ("_write", FULL),
    "the list can't be read": ("left_behind", FULL),
    "the list can't be opened": ("open", FULL),
    "the list can't be removed": ("close", FULL),
}


@pytest.mark.parametrize("name", ASIDE)
async def test_a_list_that_cant_be_kept_is_said_once_and_costs_no_answer(
    name: str,
    cli: FakeCli,
    environ: Environ,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    method, error = ASIDE[name]
    (tmp_path / "processes").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        failed: list[str] = []
        patch.setattr(ledger.Ledger, method, raising(error, failed))
        cli_environment = CliEnvironment(environ=environ, overrides={})
        config = ClaudeCodeConfig(command=cli.path, max_spares=0, max_live=0)
        reaper = OrphanReaper(tmp_path / "processes", environ)
        backend = ClaudeCodeBackend(config, cli_environment, reaper)
        async with backend.running():
            for _ in range(3):
                assert await answered(backend, "one") == "Hi"
        assert backend.pool.slots.used == 0
    assert failed
    said = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(said) == 1, [record.getMessage() for record in said]


def test_a_list_is_whole_again_when_there_is_room(tmp_path: Path) -> None:
    class Disk:
        """A file on a disk that is full at times, and takes a part of a line before it says so."""

        full = True

        def __init__(self, file: Any) -> None:
            self._file = file

        def write(self, text: bytes) -> int:
            return int(self._file.write(text[:3] if self.full else text))

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

    listed = ledger.Ledger(tmp_path)
    listed.open()
    listed._file = disk = Disk(listed._file)  # type: ignore[assignment]
    child = subprocess.Popen(["/bin/sleep", "60"])
    try:
        with pytest.raises(OSError, match="No space"):
            listed.add(os.getpid())
        disk.full = False
        listed.add(child.pid)
        [path] = tmp_path.iterdir()
        assert len(path.read_bytes().splitlines()) == 2
        disk.close()
        assert ledger.Ledger(tmp_path).left_behind() == ([os.getpid(), child.pid], [])
    finally:
        child.kill()
        child.wait()


def test_lists_of_one_process_id_do_not_wait_for_each_other(tmp_path: Path) -> None:
    """As two containers have that share a home."""
    first, second = ledger.Ledger(tmp_path), ledger.Ledger(tmp_path)
    first.open()
    second.open()
    assert len(list(tmp_path.iterdir())) == 2
    first.close()
    second.close()
    assert list(tmp_path.iterdir()) == []


def test_a_list_that_is_no_text_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "1.processes").write_bytes(b"\xff\xfe\n{")
    assert ledger.Ledger(tmp_path).left_behind() == ([], [])
    assert list(tmp_path.iterdir()) == []


def test_a_state_file_that_cant_be_written_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    state = StateFile(tmp_path / "file" / "state.json")
    for _ in range(3):
        state.write({"a": 1})
    assert len(caplog.records) == 1


# -- a request is given up ----------------------------------------------------------------

AWAITED = [
    "process.error_pipe.ErrorPipe.open",
    "process.process.CliProcess.start",
    "process.starts.Starts.turn",
    "pool.admission.Slots.acquire",
    "conversations.conversation.Conversation.set_up",
    "conversations.conversation.Conversation.add_history",
    "conversations.parameters.Parameters.apply",
    "process.process.CliProcess.send",
    "process.process.CliProcess.receive",
    "channel.lines.CliLines.next",
]


@pytest.mark.parametrize("native", [False, True], ids=["by a scope", "by its task"])
@pytest.mark.parametrize("where", AWAITED)
async def test_wherever_a_request_is_given_up(
    where: str, native: bool, fake_cli: MakeCli, environ: Environ, tmp_path: Path
) -> None:
    note = f"open({str(tmp_path / 'pids')!r}, 'a').write(str(os.getpid()) + ' ')\n"
    play = (
        f"{note}set_up()\nwhile True:\n    line = hear()\n"
        "    if line.get('shouldQuery') is False: say(dict(type='result'))\n"
        "    elif line.get('message', dict()).get('role') == 'user': break\n"
        "begin(); text('Hi'); end(); hear()"
    )
    cli = fake_cli(play)
    async with a_backend(cli, environ, tmp_path) as backend:
        assert await answered(backend, "one", "two", "three") == "Hi"
        await until(lambda: backend.pool.slots.used == 0)
        files = open_files()
        reached = anyio.Event()

        async def never(*_: object, **__: object) -> None:
            reached.set()
            await anyio.sleep_forever()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(f"{OURS}.{where}", never)
            await given_up(lambda: answered(backend, "one", "two", "three"), reached, native=native)
        await all_back(backend, tmp_path, files)
        backend.pool.starts.breaker.succeeded()


async def given_up(
    ask: Callable[[], Coroutine[Any, Any, object]], reached: anyio.Event, *, native: bool
) -> None:
    with anyio.fail_after(10):
        if native:
            task = asyncio.create_task(ask())
            await reached.wait()
            task.cancel()
            await asyncio.wait([task])
            return
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await reached.wait()
            tasks.cancel_scope.cancel()


async def test_a_backend_that_is_cancelled_while_it_asks_for_the_cost_ends_the_process(
    fake_cli: MakeCli, environ: Environ
) -> None:
    cli = fake_cli("set_up(); hear(); begin(); text('Hi'); hold()")
    backend = backend_for(cli, environ)
    ctx = RequestContext(request_id="r-1", report_cost=lambda _: None)
    with anyio.CancelScope() as everything:
        async with backend.running():
            async for event in backend.answer(a_request(), TARGET, ctx):
                if isinstance(event, PartDelta):
                    everything.cancel()
                    await anyio.lowlevel.checkpoint()
    assert is_gone(cli.pid)
