"""The processes that a pool owns: each is started in a slot, and closed in the background."""

import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.abc import TaskGroup

from gateway.errors import BackendUnavailable, GatewayError
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.orphans.reaper import OrphanReaper
from gateway_claude_code.pool.admission import Slots
from gateway_claude_code.process.launch import Launch
from gateway_claude_code.process.process import CliProcess
from gateway_claude_code.process.starts import Start
from gateway_claude_code.reuse.rounds import Rounds

log = logging.getLogger("gateway_claude_code")


class Processes:
    """Owns processes from their start to their end; only within `running`.

    `set_news` is called when one has ended, and `note_quota` with what they say of the plan's quota.
    `rounds` are those that they make with requests; `closing` is how many are about to leave their slot.
    """

    def __init__(
        self,
        config: ClaudeCodeConfig,
        slots: Slots,
        reaper: OrphanReaper,
        note_quota: Callable[[object], None],
        set_news: Callable[[], None],
    ) -> None:
        self._config = config
        self._slots = slots
        self._reaper = reaper
        self._note_quota = note_quota
        self.set_news = set_news
        self.rounds: Rounds[Conversation] = Rounds()
        self.closing = 0
        self._owned: dict[Conversation, Start] = {}
        self._tasks: TaskGroup | None = None
        self._tending: TaskGroup | None = None

    def __contains__(self, conversation: Conversation) -> bool:
        return conversation in self._owned

    @asynccontextmanager
    async def running(
        self,
        tend: Callable[[], Coroutine[Any, Any, None]],
        close_idle: Callable[[], None],
    ) -> AsyncGenerator[None]:
        """While this is open, `tend` runs. At the end all are closed, the idle ones first."""
        await self._reaper.end_orphans()
        with self._reaper.tracking():
            async with anyio.create_task_group() as tasks:
                self._tasks = tasks
                try:
                    async with anyio.create_task_group() as tending:
                        self._tending = tending
                        tending.start_soon(tend)
                        yield
                        tending.cancel_scope.cancel()
                finally:
                    close_idle()
                    for conversation in list(self._owned):
                        self.retire(conversation)
                    self._tasks = self._tending = None

    async def start(self, launch: Launch, start: Start) -> Conversation:
        """Start a process in a slot that was acquired. From here on it is owned.

        Raises `BackendUnavailable`; then the slot is given back.
        """
        try:
            process = await self._launched(launch, start)
        except BaseException:
            self._slots.release()
            raise
        seconds = self._config.start_seconds
        conversation = Conversation(process, seconds, self._note_quota, start)
        self._owned[conversation] = start
        if self._tending is None:
            await self._close_late(conversation)
            raise BackendUnavailable("the gateway is ending")
        self._reaper.add(process.pid)
        self._tending.start_soon(logged, self._watch, conversation)
        return conversation

    @asynccontextmanager
    async def aside(self, launch: Launch, start: Start) -> AsyncGenerator[CliProcess]:
        """A process for a question of the gateway's own. Raises `BackendUnavailable`."""
        try:
            process = await self._launched(launch, start)
            try:
                self._reaper.add(process.pid)
                yield process
            finally:
                with anyio.CancelScope(shield=True):
                    await process.close(busy=False)
                self._reaper.remove(process.pid)
        finally:
            start.give_up()

    def retire(self, conversation: Conversation) -> None:
        """Close a process, and give its slot back; once."""
        self.rounds.forget(conversation)
        start = self._owned.pop(conversation, None)
        if start is not None:
            start.give_up()
            self.closing += 1
            self.care(self._close, conversation)

    def forget(self, caller: str) -> None:
        """Have the processes of a caller end once their answer is over."""
        for conversation in self._owned:
            if conversation.held.caller == caller:
                conversation.held.wear_out()

    def care(self, work: Callable[..., Coroutine[Any, Any, None]], *args: object) -> None:
        """Do something for a process in the background, also while the pool ends."""
        if self._tasks is None:
            raise RuntimeError("the pool is not running")
        self._tasks.start_soon(logged, work, *args)

    def tend(self, work: Callable[..., Coroutine[Any, Any, None]], *args: object) -> None:
        """The same for something that may be given up when the pool ends."""
        if self._tending is not None:
            self._tending.start_soon(logged, work, *args)

    async def _watch(self, conversation: Conversation) -> None:
        """A process that ends while nobody waits for it is noticed at once."""
        await conversation.ended()
        self.set_news()

    async def _close_late(self, conversation: Conversation) -> None:
        """Close one whose start was not over when all others were closed."""
        self._owned.pop(conversation).give_up()
        self.closing += 1
        await self._close(conversation)

    async def _launched(self, launch: Launch, start: Start) -> CliProcess:
        try:
            return await launch.start(self._config.close_seconds)
        except GatewayError as error:
            start.failed(error)
            raise
        except BaseException:
            start.give_up()
            raise

    async def _close(self, conversation: Conversation) -> None:
        try:
            await conversation.close()
        finally:
            self.closing -= 1
            self._slots.release()
            self._reaper.remove(conversation.pid)
            self.set_news()
        if conversation.last_stderr:
            log.debug("the CLI said: %s", conversation.last_stderr)


async def logged(work: Callable[..., Coroutine[Any, Any, None]], *args: object) -> None:
    """A fault in one process' care must not end that of all others."""
    try:
        await work(*args)
    except Exception:
        log.exception("maintaining a process failed")
