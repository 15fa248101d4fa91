"""What happens when the client disconnects, at every stage."""

import anyio
import pytest

from gateway.testing import ScriptedBackend, text_answer
from tests.openai.openai_support import BuildApp, Connection


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("n", [1, 2])
async def test_while_waiting_for_the_first_event(build_app: BuildApp, stream: bool, n: int) -> None:
    connection = Connection(stream=stream, n=n)
    never = anyio.Event()
    backend = ScriptedBackend([never])
    app = build_app(backend)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(app, connection.scope, connection.receive, connection.send)
        while len(backend.requests) < n:
            await anyio.lowlevel.checkpoint()
        connection.gone.set()
    assert backend.closed == n
    assert connection.sent[0]["status"] == 499


@pytest.mark.parametrize("n", [1, 2])
async def test_in_the_middle_of_a_stream(build_app: BuildApp, n: int) -> None:
    connection = Connection(stream=True, n=n)
    start, opening, delta, *_ = text_answer("Hello")
    backend = ScriptedBackend([start, opening, delta, anyio.Event()])
    await build_app(backend)(connection.scope, connection.receive, connection.send)
    assert backend.closed == n
    assert not any(b"[DONE]" in message.get("body", b"") for message in connection.sent)


async def test_in_the_middle_of_a_stream_that_may_be_cut(build_app: BuildApp) -> None:
    connection = Connection(stream=True, stop="\n")
    start, opening, delta, *_ = text_answer("Hello")
    backend = ScriptedBackend([start, opening, delta, anyio.Event()])
    await build_app(backend)(connection.scope, connection.receive, connection.send)
    assert backend.closed == 1
