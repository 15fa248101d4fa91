"""What happens when the client goes away, at every stage."""

import anyio
import pytest
from starlette.requests import ClientDisconnect

from gateway.task_groups import raising_plainly
from gateway.testing import ScriptedBackend, text_answer
from gateway_openai.http.disconnect import unless_disconnected
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


async def test_work_that_is_done_in_time_gives_its_result() -> None:
    async def work() -> int:
        return 42

    assert await unless_disconnected(waiting_connection().receive, work) == 42


async def test_work_is_cancelled_when_the_client_goes() -> None:
    connection = waiting_connection()
    connection.gone.set()
    with pytest.raises(ClientDisconnect):
        await unless_disconnected(connection.receive, anyio.sleep_forever)


async def test_an_error_of_the_work_is_raised_as_it_is() -> None:
    error = ValueError("no")

    async def work() -> None:
        raise error

    with pytest.raises(ValueError, match="no") as caught:
        await unless_disconnected(waiting_connection().receive, work)
    assert caught.value is error


def test_one_error_is_taken_out_of_its_groups() -> None:
    with pytest.raises(ValueError, match="no"), raising_plainly():
        raise ExceptionGroup("outer", [ExceptionGroup("inner", [ValueError("no")])])


def test_several_errors_stay_a_group() -> None:
    with pytest.raises(ExceptionGroup), raising_plainly():
        raise ExceptionGroup("both", [ValueError("no"), TypeError("no")])


def waiting_connection() -> Connection:
    connection = Connection()
    connection._body = None
    return connection
