"""A backend that plays what a test wrote down."""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import TypeAlias

import anyio

from gateway.context import RequestContext
from gateway.markers import hookimpl
from gateway.streams import EventSource
from gateway.testing.events import text_answer
from gateway.types import ChatRequest, StreamEvent, Target

SCRIPTED = "scripted"
"""The name under which models lead to `ScriptedBackend`: `backend: scripted`."""

Step: TypeAlias = StreamEvent | Exception | float | anyio.Event
"""An event to send, an exception to raise, seconds to wait, or an event to wait for."""

Script: TypeAlias = Sequence[Step]


class ScriptedBackend:
    """A backend plugin that answers from scripts and keeps what it was asked.

    `scripts` are played in order, the last one again and again; or a function of the request.
    `requests`, `targets` and `closed` (streams that were closed) are there to look at.
    """

    def __init__(
        self, *scripts: Script, reply: Callable[[ChatRequest], Script] | None = None
    ) -> None:
        self._scripts = list(scripts) or [text_answer("Hello", " there")]
        self._reply = reply
        self.requests: list[ChatRequest] = []
        self.targets: list[Target] = []
        self.closed = 0

    @hookimpl
    def gateway_open_stream(
        self, request: ChatRequest, target: Target, ctx: RequestContext
    ) -> EventSource | None:
        if target.backend != SCRIPTED:
            return None
        self.requests.append(request)
        self.targets.append(target)
        if self._reply is not None:
            return self._play(self._reply(request))
        return self._play(self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0])

    async def _play(self, script: Script) -> AsyncGenerator[StreamEvent]:
        try:
            for step in script:
                match step:
                    case Exception():
                        raise step
                    case float() | int():
                        await anyio.sleep(step)
                    case anyio.Event():
                        await step.wait()
                    case _:
                        yield step
        finally:
            self.closed += 1
