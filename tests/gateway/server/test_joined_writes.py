"""What is written to a connection in one round of the loop goes out at once."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gateway.server.joined_writes import MOST_BYTES, JoinedWrites


class Transport(asyncio.Transport):
    """Keeps what is written, and whether it was closed."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.written: list[bytes] = []
        self.ended = ""

    def write(self, data: Any) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.ended = "closed"

    def abort(self) -> None:
        self.ended = "aborted"

    def is_closing(self) -> bool:
        return bool(self.ended)


@pytest.fixture
def transport() -> Transport:
    return Transport()


@pytest.fixture
async def joined(transport: Transport) -> JoinedWrites:
    return JoinedWrites(transport, asyncio.get_running_loop())


async def test_writes_of_one_round_are_one(transport: Transport, joined: JoinedWrites) -> None:
    joined.write(b"head")
    joined.write(b"body")
    assert transport.written == []
    await asyncio.sleep(0)
    assert transport.written == [b"headbody"]
    joined.write(b"next")
    await asyncio.sleep(0)
    assert transport.written == [b"headbody", b"next"]


async def test_a_flush_does_not_wait(transport: Transport, joined: JoinedWrites) -> None:
    joined.write(b"all")
    joined.flush()
    assert transport.written == [b"all"]
    await asyncio.sleep(0)
    assert transport.written == [b"all"]


async def test_much_is_written_at_once(transport: Transport, joined: JoinedWrites) -> None:
    """A transport can only tell that its client is slow of what it has."""
    joined.write(b"head")
    joined.write(b"x" * MOST_BYTES)
    assert transport.written == [b"head" + b"x" * MOST_BYTES]


@pytest.mark.parametrize(
    ("end", "ended", "written"),
    [(JoinedWrites.close, "closed", [b"last"]), (JoinedWrites.abort, "aborted", [])],
)
async def test_closing_writes_the_rest_and_aborting_does_not(
    end: Callable[[JoinedWrites], None],
    ended: str,
    written: list[bytes],
    transport: Transport,
    joined: JoinedWrites,
) -> None:
    joined.write(b"last")
    end(joined)
    await asyncio.sleep(0)
    assert (transport.ended, transport.written) == (ended, written)
    assert joined.is_closing()


async def test_nothing_is_written_to_a_lost_connection(
    transport: Transport, joined: JoinedWrites
) -> None:
    joined.write(b"late")
    transport.ended = "lost"
    await asyncio.sleep(0)
    assert transport.written == []


async def test_what_is_known_of_the_connection_stays_known(joined: JoinedWrites) -> None:
    assert joined.get_extra_info("peername") == ("127.0.0.1", 1)
    assert joined.get_extra_info("sslcontext", "none") == "none"
