"""The answers to one call, as one stream of (choice, event): one of them, or `n` side by side.

Each answer lives in one task from its first event to its end, as backends may hold cancel
scopes while they yield.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Protocol, Self, TypeAlias

import anyio
from anyio.streams.memory import MemoryObjectSendStream

from gateway.errors import GatewayError
from gateway.grouped import raising_plainly
from gateway.streams import AnswerStream, EventSource
from gateway.types import ResponseStart, StreamEvent
from gateway_openai.stop import cut_at_stop

ChoiceEvent: TypeAlias = tuple[int, StreamEvent]

OpenAnswer: TypeAlias = Callable[[int], Awaitable[AnswerStream]]
"""Opens the answer for one choice, counted from 0. Raises `GatewayError`."""


class Choices(Protocol):
    """What `open_choices` gives: the events of all choices. Iterating raises `GatewayError`s."""

    async def start(self) -> str | None:
        """Wait for every choice's first event; return the model that really answers.

        Raises what goes wrong until then, as `GatewayError`.
        """

    def __aiter__(self) -> AsyncIterator[ChoiceEvent]:
        """Return itself."""

    async def __anext__(self) -> ChoiceEvent:
        """The next event of any choice."""


@asynccontextmanager
async def open_choices(
    open_answer: OpenAnswer, count: int, stop: tuple[str, ...]
) -> AsyncGenerator[Choices]:
    """Open `count` answers, cut at the sequences in `stop`. All are closed at the end."""
    if count == 1:
        async with _open(open_answer, 0, stop) as events:
            yield _OneAnswer(events)
        return
    several = _SeveralAnswers(count)
    with raising_plainly():
        async with several, anyio.create_task_group() as tasks:
            for index in range(count):
                tasks.start_soon(several.run, index, _open(open_answer, index, stop))
            yield several
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def _open(
    open_answer: OpenAnswer, index: int, stop: tuple[str, ...]
) -> AsyncGenerator[EventSource]:
    async with await open_answer(index) as stream:
        if not stop:
            yield stream
            return
        async with aclosing(cut_at_stop(stream, stop)) as events:
            yield events


class _OneAnswer:
    """The ordinary case: no task, no queue."""

    def __init__(self, events: EventSource) -> None:
        self._events = events
        self._held: StreamEvent | None = None

    async def start(self) -> str | None:
        self._held = await anext(self._events)
        return _model(self._held)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ChoiceEvent:
        if self._held is not None:
            event, self._held = self._held, None
            return 0, event
        return 0, await self._events.__anext__()


class _SeveralAnswers:
    """One task for each answer; the first failure ends them all."""

    def __init__(self, count: int) -> None:
        self._send, self._receive = anyio.create_memory_object_stream[ChoiceEvent | GatewayError]()
        self._senders = [self._send.clone() for _ in range(count)]
        self._unstarted = count
        self._ready = anyio.Event()
        self._model: str | None = None
        self._failure: GatewayError | None = None

    async def __aenter__(self) -> Self:
        self._send.close()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._receive.close()
        for sender in self._senders:
            sender.close()

    async def run(self, index: int, answer: AbstractAsyncContextManager[EventSource]) -> None:
        """Send one answer's events, from its opening to its end."""
        with self._senders[index] as sender:
            try:
                async with answer as events:
                    await self._forward(index, events, sender)
            except GatewayError as error:
                self._failure = error
                self._ready.set()
                await sender.send(error)

    async def _forward(
        self,
        index: int,
        events: EventSource,
        sender: MemoryObjectSendStream[ChoiceEvent | GatewayError],
    ) -> None:
        started = False
        async for event in events:
            if not started:
                started = True
                self._note_start(event)
            await sender.send((index, event))

    def _note_start(self, event: StreamEvent) -> None:
        self._model = self._model or _model(event)
        self._unstarted -= 1
        if self._unstarted == 0:
            self._ready.set()

    async def start(self) -> str | None:
        await self._ready.wait()
        if self._failure is not None:
            raise self._failure
        return self._model

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ChoiceEvent:
        try:
            item = await self._receive.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None
        if isinstance(item, GatewayError):
            raise item
        return item


def _model(first: StreamEvent) -> str | None:
    return first.model if isinstance(first, ResponseStart) else None
