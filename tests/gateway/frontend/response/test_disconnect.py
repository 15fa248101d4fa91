"""Work that is stopped when the client disconnects."""

import anyio
import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from gateway.frontend.response.disconnect import unless_disconnected
from gateway.task_groups import raising_plainly


class Connection:
    """A client that waits until it is `gone`."""

    def __init__(self) -> None:
        self.gone = anyio.Event()

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}


async def test_work_that_is_done_in_time_gives_its_result() -> None:
    async def work() -> int:
        return 42

    assert await unless_disconnected(Connection().receive, work) == 42


async def test_work_is_cancelled_when_the_client_goes() -> None:
    connection = Connection()
    connection.gone.set()
    with pytest.raises(ClientDisconnect):
        await unless_disconnected(connection.receive, anyio.sleep_forever)


async def test_an_error_of_the_work_is_raised_as_it_is() -> None:
    error = ValueError("no")

    async def work() -> None:
        raise error

    with pytest.raises(ValueError, match="no") as caught:
        await unless_disconnected(Connection().receive, work)
    assert caught.value is error


def test_one_error_is_taken_out_of_its_groups() -> None:
    with pytest.raises(ValueError, match="no"), raising_plainly():
        raise ExceptionGroup("outer", [ExceptionGroup("inner", [ValueError("no")])])


def test_several_errors_stay_a_group() -> None:
    with pytest.raises(ExceptionGroup), raising_plainly():
        raise ExceptionGroup("both", [ValueError("no"), TypeError("no")])
