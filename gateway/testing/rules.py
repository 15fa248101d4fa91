"""Rules that are checked by name: a breach is an `AssertionError` that begins with the rule's."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio

from gateway.task_groups import raising_plainly

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


@contextmanager
def rule(name: str, seconds: float) -> Iterator[None]:
    """As `named`, for a rule whose check takes no longer than some `seconds`.

    The waits in it should have shorter bounds, as their breaches say more.
    """
    with named(name):
        with anyio.move_on_after(seconds) as scope:
            yield
        if scope.cancelled_caught:
            raise Breach(f"expected an end within {seconds:g} s, but it was still running")
