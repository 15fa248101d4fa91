"""Ends CLI processes that outlive the gateway, however that ended."""

import contextlib
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import anyio.to_thread

from gateway_claude_code.orphans import guardian
from gateway_claude_code.orphans.ledger import Ledger
from gateway_claude_code.process.leftover_files import remove_leftovers, remove_logs, remove_probes
from gateway_claude_code.process.working_directory import SHARED, own_below

log = logging.getLogger("gateway_claude_code")

DISMISS_SECONDS: Final = 2 * guardian.GRACE_SECONDS
"""How long a guardian may take to end; it has to be done with its grace for the processes."""


class OrphanReaper:
    """Tracks the running processes, so that they are ended even after a gateway that can't do it.

    Two do that, as each may fail: a guardian that notices at once when the gateway is gone, and a
    later gateway, which reads the ledger. Without a `folder` nothing is tracked. `environ` is the
    user's, which says where the CLI leaves files.
    """

    def __init__(self, folder: Path | None, environ: Mapping[str, str] | None = None) -> None:
        self._environ = environ or {}
        self._ledger = Ledger(folder) if folder is not None else None
        self._guardian: subprocess.Popen[bytes] | None = None
        self._pids: set[int] = set()
        self._users = 0
        self._complained = False

    @contextlib.contextmanager
    def tracking(self) -> Iterator[None]:
        """While this is open, processes are tracked; at its end they have to be closed.

        It may be open more than once: two pools share a reaper while one takes over from the other.
        """
        if self._ledger is None:
            yield
            return
        if not self._users:
            try:
                self._ledger.open()
            except OSError as error:
                log.warning("the list of the CLI's processes can't be kept: %s", error)
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                with self._aside():
                    self._ledger.close()
                self._dismiss()

    async def end_orphans(self) -> None:
        """End what an earlier gateway left behind, and remove what that leaves."""
        if self._ledger is None:
            return
        try:
            orphans, dead = self._ledger.left_behind()
        except OSError as error:
            log.warning("looking for orphaned CLI processes failed: %s", error)
            return
        if orphans:
            log.warning("ending %s orphaned CLI processes of an earlier gateway", len(orphans))
            await anyio.to_thread.run_sync(guardian.end_groups, orphans)
        for pid in (*orphans, *dead):
            remove_leftovers(pid, self._environ)
        await anyio.to_thread.run_sync(self._remove_traces)

    def _remove_traces(self) -> None:
        for folder in SHARED:
            remove_logs(self._environ, own_below(folder))
        remove_probes(self._environ, most=None)

    def add(self, pid: int) -> None:
        """A process was started; its id is that of its session too."""
        if self._ledger is None:
            return
        self._pids.add(pid)
        with self._aside():
            self._ledger.add(pid)
        if self._guardian is None or self._guardian.poll() is not None:
            self._appoint()
        else:
            self._tell(f"+{pid}\n")

    def remove(self, pid: int) -> None:
        """A process has ended."""
        if self._ledger is None:
            return
        self._pids.discard(pid)
        with self._aside():
            self._ledger.remove(pid)
        self._tell(f"-{pid}\n")

    @contextlib.contextmanager
    def _aside(self) -> Iterator[None]:
        """The list is a second net: requests are served without it, as on a full disk."""
        try:
            yield
        except OSError as error:
            if not self._complained:
                log.warning("the list of the CLI's processes can't be written: %s", error)
            self._complained = True

    def _appoint(self) -> None:
        """Start a guardian, or another one for one that is gone."""
        self._dismiss()
        try:
            self._guardian = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", "-S", guardian.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},
                cwd="/",
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            log.warning("the guardian of the CLI's processes can't be started: %s", error)
            return
        if self._guardian.stdin is not None:
            os.set_blocking(self._guardian.stdin.fileno(), False)
        for pid in self._pids:
            self._tell(f"+{pid}\n")

    def _tell(self, line: str) -> None:
        if self._guardian is not None and self._guardian.stdin is not None:
            # one that is gone is replaced with the next process
            with contextlib.suppress(OSError):
                self._guardian.stdin.write(line.encode("ascii"))

    def _dismiss(self) -> None:
        """At the end of its input it ends by itself, when it has ended what is left."""
        if self._guardian is None:
            return
        if self._guardian.stdin is not None:
            with contextlib.suppress(OSError):
                self._guardian.stdin.close()
        try:
            self._guardian.wait(DISMISS_SECONDS)
        except subprocess.TimeoutExpired:
            self._guardian.kill()
            self._guardian.wait()
        self._guardian = None
