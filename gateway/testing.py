"""For tests of plugins, without any CLI: event builders, a scripted backend, and gateways to order."""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import anyio
import yaml

from gateway.app import build_gateway
from gateway.context import RequestContext
from gateway.markers import hookimpl
from gateway.pipeline import Gateway
from gateway.streams import EventSource
from gateway.types import (
    ChatRequest,
    PartDelta,
    PartEnd,
    PartStart,
    ResponseEnd,
    ResponseStart,
    StopReason,
    StreamEvent,
    Target,
    Text,
    Thinking,
    ToolCall,
    Usage,
    UsageUpdate,
)

SCRIPTED = "scripted"
"""The name under which models lead to `ScriptedBackend`: `backend: scripted`."""

Step: TypeAlias = StreamEvent | Exception | float | anyio.Event
"""An event to send, an exception to raise, seconds to wait, or an event to wait for."""

Script: TypeAlias = Sequence[Step]


def part(index: int, kind: Text | Thinking | ToolCall, *pieces: str) -> list[StreamEvent]:
    """The events of one whole part."""
    return [
        PartStart(index=index, part=kind),
        *(PartDelta(index=index, text=piece) for piece in pieces),
        PartEnd(index=index),
    ]


def answer(
    *parts: list[StreamEvent],
    stop_reason: StopReason = "end",
    usage: Usage | None = None,
    model: str = "scripted-1",
) -> list[StreamEvent]:
    """The events of one whole answer."""
    return [
        ResponseStart(model=model),
        *(event for events in parts for event in events),
        UsageUpdate(usage=usage or Usage(input_tokens=3, output_tokens=2)),
        ResponseEnd(stop_reason=stop_reason),
    ]


def text_answer(*pieces: str) -> list[StreamEvent]:
    """An answer of one text, in these pieces."""
    return answer(part(0, Text(text=""), *pieces))


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


def build(
    folder: Path,
    *plugins: object,
    config: Mapping[str, object] | None = None,
    disabled: Iterable[str] = (),
) -> Gateway:
    """A gateway with these plugins besides the built-in ones.

    `folder` takes its `models.yaml` (and may hold `plugins/`). Unless `config` names its own
    models, there is `test-model`, answered by the backend "scripted".
    """
    values = {"models": {"test-model": {"backend": SCRIPTED, "target": "s1"}}, **(config or {})}
    path = folder / "models.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    named = [(f"test_plugin_{number}", plugin) for number, plugin in enumerate(plugins)]
    return build_gateway(path, plugins=named, disabled=tuple(disabled))
