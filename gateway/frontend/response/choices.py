"""The answers to one call, as one stream of (choice, event): one of them, or `n` side by side.

Each answer lives in one task from its first event to its end, as backends may hold cancel
scopes while they yield.

An answer that has begun runs on to its end, whatever the others do and however slowly the client
reads, up to `event_buffer.CALL_BYTES`. It never holds a process while it waits for another answer:
a call comes to its end with a single one.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from functools import partial
from typing import Protocol, Self, TypeAlias

import anyio
import anyio.lowlevel

from gateway.context import RequestContext
from gateway.errors import GatewayError
from gateway.frontend.response.event_buffer import ChoiceEvent, EventBuffer
from gateway.frontend.response.stop import cut_at_stop
from gateway.streams import AnswerStream, EventSource
from gateway.task_groups import raising_plainly
from gateway.types import ResponseStart, StreamEvent

OpenAnswer: TypeAlias = Callable[[int], Awaitable[AnswerStream]]
"""Opens the answer for one choice, counted from 0. Raises `GatewayError`."""


OpenChoice: TypeAlias = Callable[[int], AbstractAsyncContextManager[EventSource]]
"""The same, open for as long as the context is."""


class Choices(Protocol):
    """The events of all choices, as `open_choices` yields them. Iterating raises `GatewayError`s."""

    async def start(self) -> str | None:
        """Wait for the first event of each choice that is not queued, and of one at least.

        Returns the model that really answers. Raises a failure until then as `GatewayError`.
        """

    def __aiter__(self) -> AsyncIterator[ChoiceEvent]:
        """Return itself."""

    async def __anext__(self) -> ChoiceEvent:
        """The next event of any choice."""


def open_choices(
    open_answer: OpenAnswer, contexts: Sequence[RequestContext], stop: tuple[str, ...]
) -> AbstractAsyncContextManager[Choices]:
    """Open an answer for each context, cut at the sequences in `stop`. All are closed at the end."""
    if len(contexts) == 1:
        return _OneAnswer(open_answer, stop)
    return _open_several(contexts, partial(_open, open_answer, stop=stop))


@asynccontextmanager
async def _open_several(
    contexts: Sequence[RequestContext], open_choice: OpenChoice
) -> AsyncGenerator[Choices]:
    several = _SeveralAnswers(contexts, open_choice)
    try:
        with raising_plainly():
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(several.run)
                yield several
                tasks.cancel_scope.cancel()
    finally:
        several.close()


@asynccontextmanager
async def _open(
    open_answer: OpenAnswer, index: int, *, stop: tuple[str, ...]
) -> AsyncGenerator[EventSource]:
    async with await open_answer(index) as stream:
        if not stop:
            yield stream
            return
        async with aclosing(cut_at_stop(stream, stop)) as events:
            yield events


class _OneAnswer:
    """The ordinary case: no task, no queue, and no generator but the backend's own."""

    def __init__(self, open_answer: OpenAnswer, stop: tuple[str, ...]) -> None:
        self._open_answer = open_answer
        self._stop = stop
        self._held: StreamEvent | None = None

    async def __aenter__(self) -> Self:
        self._answer = await self._open_answer(0)
        self._events: EventSource = (
            cut_at_stop(self._answer, self._stop) if self._stop else self._answer
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            if self._events is not self._answer:
                await self._events.aclose()
        finally:
            await self._answer.aclose()

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
    """A task for each answer; the first failure ends them all.

    They are begun in order. While one of them is queued, no other is begun: a call needs one place
    in the queue, and no memory for 128 requests that are ready to be sent.
    """

    def __init__(
        self,
        contexts: Sequence[RequestContext],
        open_choice: OpenChoice,
    ) -> None:
        self._contexts = contexts
        self._open = open_choice
        self._buffer = EventBuffer()
        self._in_line = 0
        self._moved = anyio.Event()
        self._silent = set(range(len(contexts)))  # those whose first event `start` waits for
        self._begun = False
        self._ready = anyio.Event()
        self._model: str | None = None

    async def run(self) -> None:
        """From the opening of the first answer to the end of the last."""
        async with anyio.create_task_group() as tasks:
            for index, ctx in enumerate(self._contexts):
                ctx.on_line = partial(self._note_line, index)
                tasks.start_soon(self._answer, index, tasks.cancel_scope)
                await anyio.lowlevel.checkpoint()
                while self._in_line:
                    self._moved = anyio.Event()
                    await self._moved.wait()
        self._buffer.end()

    async def _answer(self, index: int, every_answer: anyio.CancelScope) -> None:
        try:
            async with self._open(index) as events:
                first = True
                async for event in events:
                    if first:
                        first = False
                        self._note_start(index, event)
                    await self._buffer.put((index, event))
        except GatewayError as error:
            self._buffer.fail(error)
            self._ready.set()
            every_answer.cancel()

    def close(self) -> None:
        """Drop the events that the client has not read. Called after the last of the tasks."""
        self._buffer.close()

    def _note_start(self, index: int, event: StreamEvent) -> None:
        self._model = self._model or _model(event)
        self._begun = True
        self._silent.discard(index)
        self._check_ready()

    def _note_line(self, index: int, change: int) -> None:
        self._in_line += change
        if self._in_line:
            # the later ones will have to wait as well
            self._silent.difference_update(range(index, len(self._contexts)))
            self._check_ready()
        else:
            self._moved.set()

    def _check_ready(self) -> None:
        if self._begun and not self._silent:
            self._ready.set()

    async def start(self) -> str | None:
        await self._ready.wait()
        if self._buffer.failure is not None:
            raise self._buffer.failure
        return self._model

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ChoiceEvent:
        return await self._buffer.get()


def _model(first: StreamEvent) -> str | None:
    return first.model if isinstance(first, ResponseStart) else None
