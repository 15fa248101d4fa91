"""Processes that a pool takes for those of the CLI, and short ways to pools."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import anyio
from anyio.lowlevel import checkpoint

from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.pool.pool import Pool
from gateway_claude_code.process.launch import Launch
from gateway_claude_code.process.process import CliProcess
from gateway_claude_code.protocol import Line

KEY = b"key"


class FakeProcess:
    """As much of a CLI process as a pool sees: at the end of a turn, and then waiting."""

    def __init__(self) -> None:
        self.pid = 0
        self.end = anyio.Event()
        self.answers: list[Line] = []
        self.answering = anyio.Event()
        self.answering.set()
        self.closed = False
        self.last_stderr = ""
        self.settled = anyio.Event()
        self.settled.set()
        self.close_ticks = 0
        self.fault: Exception | None = None
        self.rewinds = True
        self.swallows = False

    @property
    def alive(self) -> bool:
        return not self.end.is_set()

    def die(self) -> None:
        self.end.set()

    async def ended(self) -> None:
        await self.end.wait()

    async def send(self, *lines: Line) -> None:
        for line in lines:
            if "request_id" in line and not self.swallows:
                said = {"subtype": "success", "request_id": line["request_id"]}
                said["response"] = {"rewound": self.rewinds}
                self.answers.append({"type": "control_response", "response": said})

    async def receive(self, within: float | None = None) -> Line | None:
        await self.answering.wait()
        if self.answers and self.alive:
            return self.answers.pop(0)
        await self.settled.wait()
        if self.fault is not None:
            raise self.fault
        return {"type": "result"} if self.alive else None

    async def exit_code(self) -> int | None:
        return 1

    async def close(self, *, busy: bool) -> None:
        del busy
        with anyio.CancelScope(shield=True):
            await ticks(self.close_ticks)
        self.die()
        self.answering.set()
        self.closed = True


async def started_at_once() -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeLaunch(Launch):
    """Starts processes that are none, and remembers them; `before` is what a start waits for.

    Its program is there unless there is something in `removed`, and starts unless it is in `failures`.
    """

    started: list[FakeProcess] = field(compare=False)
    removed: list[bool] = field(default_factory=list, compare=False)
    failures: list[Exception] = field(default_factory=list, compare=False)
    before: Callable[[], Awaitable[None]] = field(default=started_at_once, compare=False)

    @property
    def on_disk(self) -> bool:
        return not self.removed

    async def start(self, close_seconds: float) -> CliProcess:
        assert close_seconds > 0
        await self.before()
        if self.failures:
            raise self.failures[-1]
        process = FakeProcess()
        self.started.append(process)
        return cast(CliProcess, process)

    @property
    def open(self) -> list[FakeProcess]:
        return [process for process in self.started if not process.closed]


def a_launch(**fields: Any) -> FakeLaunch:
    values: dict[str, Any] = {
        "program": Path("/bin/claude"),
        "stamp": (1, 1),
        "model": "opus",
        "one_request": False,
        "arguments": (),
        "environment": (),
        "folder": Path("/"),
        "started": [],
        **fields,
    }
    return FakeLaunch(**values)


def a_pool(**config: Any) -> Pool:
    return Pool(ClaudeCodeConfig(**{"max_processes": 3, "queue_seconds": 5, **config}))


def process_of(conversation: Conversation) -> FakeProcess:
    return cast(FakeProcess, conversation._process)


def keep(pool: Pool, conversation: Conversation, key: bytes = KEY) -> None:
    conversation.begin_to_settle(())
    pool.keep(conversation, key)


async def quiet() -> None:
    """Until every task waits for something."""
    await anyio.wait_all_tasks_blocked()


async def until(condition: Callable[[], object]) -> None:
    """What a process or the clock brings about."""
    with anyio.fail_after(5):
        while not condition():  # noqa: ASYNC110 - nobody tells
            await anyio.sleep(0.01)


async def ticks(number: int) -> None:
    for _ in range(number):
        await checkpoint()
