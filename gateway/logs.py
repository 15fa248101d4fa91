"""The gateway's log: one line a record, without secrets, and without the text of conversations.

- Each text goes through `scrubbing.scrub`, that of exceptions as well.
- Control characters are escaped, so that no text can add lines of its own to the log.
- Of an exception that is not the gateway's own, or the system's, only the kind and the place are
  logged: its text may quote a prompt. Values of local variables are never logged.
"""

import asyncio
import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TextIO

from gateway.errors import ConfigurationError, GatewayError
from gateway.secrets.scrubbing import scrub

__all__ = [
    "IN_BANNER",
    "LEVELS",
    "failures_of_the_loop",
    "hold_start",
    "set_up",
    "start_is_over",
    "uncaught_failures",
]

log = logging.getLogger("gateway")

LEVELS: Final = ("debug", "info", "warning", "error")

_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"

_TELLING: Final = (
    GatewayError,
    ConfigurationError,
    OSError,
    ImportError,
    NameError,
    AttributeError,
    TypeError,
    RecursionError,
)
"""Exceptions whose text is about the program or the system."""

IN_BANNER: Final = {"in_banner": True}
"""`extra` of a record that the banner of `serve` repeats."""

_SERVER: Final = "uvicorn"
"""The banner also takes the place of this server's progress reports, which can't be marked."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class _SafeFormatter(logging.Formatter):
    """Formats records so that they are safe for all readers of the log."""

    def format(self, record: logging.LogRecord) -> str:
        """The whole text of a record: a line, and the indented lines of a traceback."""
        line = self.formatMessage(self._prepared(record))
        lines = [_escaped(scrub(line))]
        if record.exc_info and record.exc_info[1] is not None:
            # indented, so that no line of it can be taken for a record
            story = _story(record.exc_info[1], set())
            lines += (f"    {_escaped(scrub(line))}" for line in story)
        return "\n".join(lines)

    def _prepared(self, record: logging.LogRecord) -> logging.LogRecord:
        # a copy: other handlers get the record as it is
        prepared = logging.makeLogRecord(record.__dict__)
        prepared.message = record.getMessage()
        prepared.asctime = self.formatTime(prepared, self.datefmt)
        return prepared


class _HoldingHandler(logging.StreamHandler[TextIO]):
    """Writes to stderr; while `hold` is in force, keeps back the records that the banner repeats.

    Those are marked with `IN_BANNER`, or are the server's below WARNING; all others are written at
    once. An error releases it, as does the end of the program: then the start has failed, and all
    of it may say why.
    """

    def __init__(self) -> None:
        super().__init__()
        self._held: list[logging.LogRecord] | None = None

    def hold(self) -> None:
        """Keep records back from here on, until `end_hold`."""
        self._held = self._held or []

    def end_hold(self, *, drop: bool = False) -> None:
        """Write the held records, or `drop` them, and hold no more."""
        held, self._held = self._held or (), None
        for record in () if drop else held:
            super().emit(record)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or keep it back."""
        if self._held is not None:
            if record.levelno >= logging.ERROR:
                self.end_hold()
            elif _is_in_banner(record):
                self._held.append(record)
                return
        super().emit(record)

    def close(self) -> None:
        """Called at the end of the program."""
        self.end_hold()
        super().close()


def _is_in_banner(record: logging.LogRecord) -> bool:
    is_progress = record.levelno < logging.WARNING and record.name.split(".")[0] == _SERVER
    return is_progress or getattr(record, "in_banner", False)


def set_up(level: str = "info") -> None:
    """Log to stderr from here on, unless a program around this one has set up its own log."""
    handler = _HoldingHandler()
    handler.setFormatter(_SafeFormatter(_FORMAT))
    logging.basicConfig(level=level.upper(), handlers=[handler])


def hold_start() -> None:
    """Hold the records that a banner on the terminal will repeat, unless the level is DEBUG."""
    if logging.getLogger().level >= logging.INFO and sys.stderr.isatty():
        for handler in _holding():
            handler.hold()


def start_is_over(*, banner: bool) -> None:
    """Log as usual from here on; the held records are dropped if the `banner` was shown."""
    for handler in _holding():
        handler.end_hold(drop=banner)


def _holding() -> Iterator[_HoldingHandler]:
    return (each for each in logging.getLogger().handlers if isinstance(each, _HoldingHandler))


@contextmanager
def uncaught_failures() -> Iterator[None]:
    """Around a whole program: uncaught exceptions go to the log, and not as they are to stderr."""
    before = (threading.excepthook, sys.unraisablehook)
    threading.excepthook = _in_thread
    sys.unraisablehook = _in_cleaning_up
    try:
        yield
    except Exception as error:
        set_up()
        log.critical("the program failed", exc_info=error)
        sys.exit(1)
    finally:
        threading.excepthook, sys.unraisablehook = before


@contextmanager
def failures_of_the_loop() -> Iterator[None]:
    """Log the event loop's errors, without the values that asyncio's own handler shows."""
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(_in_loop)
    try:
        yield
    finally:
        loop.set_exception_handler(before)


def _in_loop(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    log.error("the event loop: %s", context["message"], exc_info=context.get("exception"))


def _in_thread(args: threading.ExceptHookArgs) -> None:
    log.error("a thread failed", exc_info=args.exc_value)


def _in_cleaning_up(args: "sys.UnraisableHookArgs") -> None:
    log.error("cleanup failed", exc_info=args.exc_value)


def _story(error: BaseException, told: set[int]) -> Iterator[str]:
    """The lines of an exception, after those of its cause."""
    told.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in told:
        yield from _story(before, told)
        yield "which led to:"
    for frame in traceback.format_tb(error.__traceback__):
        yield from frame.splitlines()
    yield _told(error)
    for inner in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield "which holds:"
        yield from _story(inner, told)


def _told(error: BaseException) -> str:
    kind = type(error).__qualname__
    if not isinstance(error, _TELLING):
        return f"{kind} (message omitted, as it may quote a request)"
    return f"{kind}: {error}"


def _escaped(text: str) -> str:
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
