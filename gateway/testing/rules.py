"""Rules that are checked by name: a breach is an `AssertionError` that begins with the rule's."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import anyio

from gateway.task_groups import raising_plainly

T = TypeVar("T")

POLL_SECONDS = 0.002


class Breach(Exception):
    """Something else was seen than a rule expects."""


def expect(holds: object, expected: str, seen: str) -> None:
    """Raise `Breach` unless it `holds`."""
    if not holds:
        raise Breach(f"expected {expected}, but {seen}")


async def expect_soon(
    holds: Callable[[], object], seconds: float, expected: str, seen: Callable[[], str]
) -> None:
    """Raise `Breach` unless it holds within some `seconds`."""
    with anyio.move_on_after(seconds):
        while not holds():  # noqa: ASYNC110 - a process or a connection doesn't tell that it ended
            await anyio.sleep(POLL_SECONDS)
        return
    raise Breach(f"expected {expected} within {seconds:g} s, but {seen()}")


async def within(seconds: float, expected: str, awaited: Awaitable[T]) -> T:
    """Await something. Raise `Breach` unless it is done within some `seconds`."""
    with anyio.move_on_after(seconds):
        return await awaited
    raise Breach(f"expected {expected} within {seconds:g} s, but it did not come")


@contextmanager
def named(name: str) -> Iterator[None]:
    """Turn whatever breaks the rule in here into an `AssertionError` with its name."""
    try:
        with raising_plainly():
            yield
    except Breach as breach:
        raise AssertionError(f"{name}: {breach}") from None
    except AssertionError as error:
        raise AssertionError(f"{name}: {error}") from error
    except Exception as error:
        raise AssertionError(f"{name}: expected no exception, but saw {error!r}") from error
