"""One CLI process: in a process group of its own, driven by lines, and ended in every case.

The order of ending matters: after SIGKILL the CLI leaves files of its session in the user's
`~/.claude`; after the end of input or SIGTERM it leaves none (seen with 2.1.330).
"""

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Self

import anyio

from gateway.errors import BackendFailed, BackendUnavailable
from gateway.load.off_loop import off_loop
from gateway_claude_code.process.error_pipe import ErrorPipe
from gateway_claude_code.process.failure_log import api_sentence, is_log_entry
from gateway_claude_code.process.grace import STEP_SECONDS, Grace
from gateway_claude_code.process.leftover_files import remove_leftovers, remove_logs, remove_probes
from gateway_claude_code.process.output_lines import READ_AHEAD, OutputLines
from gateway_claude_code.process.working_directory import is_own
from gateway_claude_code.protocol import Line, encode_line, parse_line, rough_size

log = logging.getLogger("gateway_claude_code")

STDERR_LINES: Final = 20
STDERR_SECONDS: Final = 0.2
LOG_SECONDS: Final = 0.2
"""The most that the debug log may lag: it is written before the line (2.1.330), to another pipe."""
CLOCK_SECONDS: Final = 2
"""The most that a file system's clock may be behind."""
FOLLOWERS_SECONDS: Final = 0.5
"""The time that remaining child processes get to end at SIGTERM."""


class CliProcess:
    """A running CLI. Make one with `CliProcess.start`; `close` it in every case."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        stderr: ErrorPipe,
        environment: Mapping[str, str],
        folder: Path,
        close_seconds: float,
    ) -> None:
        if process.stdin is None or process.stdout is None:
            raise BackendFailed("the Claude Code CLI was started without pipes")
        self._process = process
        self._environment, self._folder = environment, folder
        self._born = time.time()
        self._stdin, self._stderr = process.stdin, stderr
        self._output = OutputLines(process.stdout)
        self._close_seconds = close_seconds
        self._last_stderr: deque[str] = deque(maxlen=STDERR_LINES)
        self._api_sentence: str | None = None
        self._api_failed = anyio.Event()
        self._stderr_reader = asyncio.create_task(self._drain_stderr())
        self._closing = anyio.Lock()

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        close_seconds: float,
    ) -> Self:
        """Start the CLI. Raises `BackendUnavailable` if the system can't run it."""
        try:
            stderr = await ErrorPipe.open()
        except OSError as error:
            raise _cant_start(error) from error
        with contextlib.ExitStack() as undo:
            undo.callback(stderr.close)
            try:
                # cancelled half-way, the process would run without an owner
                with anyio.CancelScope(shield=True):
                    process = await asyncio.create_subprocess_exec(
                        *command,
                        stdin=asyncio.subprocess.PIPE,
                        stdout=asyncio.subprocess.PIPE,
                        stderr=stderr.writing,
                        env=dict(environment),
                        cwd=folder,
                        # a group of its own: signals reach children, and Ctrl-C not the CLI
                        start_new_session=True,
                        limit=READ_AHEAD,
                    )
            except (OSError, ValueError) as error:
                raise _cant_start(error) from error
            finally:
                stderr.close_writing()
            undo.callback(process.kill)
            started = cls(process, stderr, environment, folder, close_seconds)
            undo.pop_all()
        return started

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its group."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs, as far as is known; a hanging process counts as running."""
        return self._process.returncode is None and not self._output.ended

    @property
    def last_stderr(self) -> str:
        """The last lines of standard error before the first entry of the debug log."""
        return "\n".join(self._last_stderr)

    async def ended(self) -> None:
        """Wait until the process has ended, whatever the reason."""
        await self._process.wait()

    async def api_sentence(self) -> str | None:
        """The API's message of its last refusal; waits for it briefly."""
        with anyio.move_on_after(LOG_SECONDS):
            await self._api_failed.wait()
        return self._api_sentence

    async def send(self, *lines: Line) -> None:
        """Write lines. A dead process is noticed on reading, not here."""
        if self._stdin.is_closing():  # uvloop 0.23 raises a RuntimeError otherwise
            return
        size = sum(map(rough_size, lines))
        encoded = await off_loop(size, b"".join, map(encode_line, lines))
        if self._stdin.is_closing():
            return
        with contextlib.suppress(ConnectionError):
            self._stdin.write(encoded)
            await self._stdin.drain()

    async def receive(self, within: float | None = None) -> Line | None:
        """The next line; None at the end of output. Raises `BackendFailed` for garbage.

        Raises `TimeoutError` if none arrives `within` so many seconds; no line is lost.
        """
        if within is not None:
            with anyio.fail_after(within):
                return await self.receive()
        while True:
            raw = await self._output.next()
            if not raw:
                return None
            if raw.strip():
                return parse_line(raw)

    async def exit_code(self) -> int | None:
        """The exit code after the end of output; None if the process still runs."""
        with anyio.move_on_after(self._close_seconds):
            return await self._process.wait()
        return None

    async def close(self, *, busy: bool) -> None:
        """End the process and its children, even while being cancelled.

        A `busy` process gets SIGTERM at once, as it would finish its turn first. Bounded by three
        steps of `close_seconds` in which the process could run (see `grace`).
        """
        with anyio.CancelScope(shield=True):
            async with self._closing:
                rest = asyncio.create_task(self._output.discard())
                try:
                    await self._end(busy=busy)
                finally:
                    rest.cancel()
                    await self._finish_stderr()
                    self._clean_up()

    def _clean_up(self) -> None:
        remove_leftovers(self.pid, self._environment)
        # in other folders the user's own CLI may have older logs; in ours the clock does not matter
        since = 0 if is_own(self._folder) else self._born - CLOCK_SECONDS
        remove_logs(self._environment, self._folder, since)
        remove_probes(self._environment)

    async def _end(self, *, busy: bool) -> None:
        if busy:
            # at the end of input a busy CLI first finishes its turn: it fails the calls that wait
            # and tells the model so. SIGTERM ends it in 35 ms (seen with 2.1.330)
            self._signal(signal.SIGTERM)
            if await self._gone():
                self._stdin.close()
                return
        # an idle CLI exits 30 ms after its input ends (seen with 2.1.330; doctor: exit_at_end)
        self._stdin.close()
        if await self._gone():
            return
        self._signal(signal.SIGTERM)
        if await self._gone():
            return
        log.warning("the CLI process %s did not end on SIGTERM and is killed", self.pid)
        self._signal(signal.SIGKILL)
        await self._gone()

    async def _gone(self) -> bool:
        grace = Grace(self.pid, self._close_seconds)
        while not grace.over():
            with anyio.move_on_after(STEP_SECONDS):
                await self._process.wait()
                break
        if self._process.returncode is None:
            return False
        await self._end_followers()
        return True

    async def _end_followers(self) -> None:
        """End children that are left, such as the CLI itself if the program was a wrapper script."""
        if self._signal(signal.SIGTERM):
            with anyio.move_on_after(FOLLOWERS_SECONDS):
                while self._signal(0):  # noqa: ASYNC110 - no event says so
                    await anyio.sleep(FOLLOWERS_SECONDS / 20)
            self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> bool:
        """Whether a process of the group could get it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)
            return True
        return False

    async def _finish_stderr(self) -> None:
        """Read to the end; a child that left the group may keep the pipe open."""
        await asyncio.wait([self._stderr_reader], timeout=STDERR_SECONDS)
        self._stderr_reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._stderr_reader
        self._stderr.close()

    async def _drain_stderr(self) -> None:
        """Read all of it, or the CLI would block on a full pipe.

        The lines that are kept are logged, so none is kept once the debug log has begun: a line
        might be the rest of an entry, and entries may quote a request (seen with 2.1.330).
        """
        logging_began = False
        async for line in self._stderr.lines():
            logging_began = logging_began or is_log_entry(line)
            if (sentence := api_sentence(line)) is not None:
                self._api_sentence = sentence
                self._api_failed.set()
            elif not logging_began:
                self._last_stderr.append(line)


def _cant_start(error: Exception) -> BackendUnavailable:
    return BackendUnavailable(f"the Claude Code CLI can't be started: {error}")
