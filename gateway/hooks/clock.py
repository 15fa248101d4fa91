"""Names the plugin that blocks all requests, which share one event loop.

A hook may await for as long as it likes; only the time in which nothing else can run counts. Such a call can't be interrupted, so it is timed and named in the log.
"""

import functools
import inspect
import logging
from collections.abc import Callable, Coroutine, Generator
from time import perf_counter
from typing import Any

log = logging.getLogger("gateway.plugins")

SLOW_SECONDS = 0.25
"""A hook that runs for longer than this at one go is named in the log."""

_ORIGINAL = "_timed_function"


def timed(
    function: Callable[..., Any], who: str, hook: str, *, awaited: bool
) -> Callable[..., Any]:
    """The same function, with a warning when it holds up the loop.

    With `awaited`, its result may be a coroutine, and then its steps are timed as well.
    """

    def call(*arguments: object) -> object:
        begun = perf_counter()
        try:
            result = function(*arguments)
        finally:
            if (seconds := perf_counter() - begun) > SLOW_SECONDS:
                _warn(seconds, who, hook)
        if awaited and result is not None and inspect.iscoroutine(result):
            return _Steps(result, who, hook)
        return result

    setattr(call, _ORIGINAL, function)
    return call


def original(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function that `timed` was given."""
    return getattr(function, _ORIGINAL, function)


class _Steps:
    """A coroutine whose steps are timed one by one: between them others have their turn."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], who: str, hook: str) -> None:
        self._coroutine = coroutine
        self._who = who
        self._hook = hook

    def __await__(self) -> Generator[Any, Any, Any]:
        step: Callable[[], Any] = functools.partial(self._coroutine.send, None)
        while True:
            begun = perf_counter()
            try:
                waiting_for = step()
            except StopIteration as end:
                return end.value
            finally:
                if (seconds := perf_counter() - begun) > SLOW_SECONDS:
                    _warn(seconds, self._who, self._hook)
            try:
                step = functools.partial(self._coroutine.send, (yield waiting_for))
            except GeneratorExit:
                self._coroutine.close()
                raise
            except BaseException as error:  # noqa: BLE001 - a cancellation goes on inside
                step = functools.partial(self._coroutine.throw, error)


def _warn(seconds: float, who: str, hook: str) -> None:
    log.warning("%s blocked all requests for %.1f s in %s", who, seconds, hook)
