"""The log: one line a record, without secrets and without what an exception may quote."""

import asyncio
import io
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import click
import pytest

from gateway import logs
from gateway.cli.main import Commands
from gateway.errors import BackendFailed, ConfigurationError
from gateway.logs import _FORMAT, _SafeFormatter
from gateway.secrets.scrubbing import scrub

PROMPT = "what somebody said"
KEY = "sk-ant-api03-" + "a1B2" * 8


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What a logger of its own writes through the formatter."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_SafeFormatter(_FORMAT))
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


log = logging.getLogger("test_logs")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


Holding = Callable[..., io.StringIO]


@pytest.fixture
def holding(monkeypatch: pytest.MonkeyPatch) -> Iterator[Holding]:
    """Begins a start whose log a banner repeats; gives what is written on the terminal."""
    root, handlers = logging.getLogger(), []
    before = root.level

    def begin(*, terminal: bool = True, level: int = logging.INFO) -> io.StringIO:
        stderr = Terminal() if terminal else io.StringIO()
        monkeypatch.setattr(sys, "stderr", stderr)
        handlers.append(logs._HoldingHandler())
        root.addHandler(handlers[-1])
        root.setLevel(level)
        logs.hold_start()
        return stderr

    yield begin
    for handler in handlers:
        root.removeHandler(handler)
    root.setLevel(before)


def say_all() -> None:
    logging.getLogger("uvicorn.error").info("starting")
    log.info("serving", extra=logs.IN_BANNER)
    log.info("connected to the vault")
    log.warning("no login", extra=logs.IN_BANNER)
    log.warning("open to all")


AT_ONCE = "connected to the vault\nopen to all\n"


@pytest.mark.parametrize(
    ("banner", "said"),
    [
        (True, f"{AT_ONCE}later\n"),
        (False, f"{AT_ONCE}starting\nserving\nno login\nlater\n"),
    ],
)
def test_on_a_terminal_the_banner_takes_the_place_of_the_starts_log(
    banner: bool, said: str, holding: Holding
) -> None:
    stderr = holding()
    say_all()
    assert stderr.getvalue() == AT_ONCE
    logs.start_is_over(banner=banner)
    log.info("later")
    assert stderr.getvalue() == said


@pytest.mark.parametrize("how", [{"terminal": False}, {"level": logging.DEBUG}])
def test_elsewhere_and_for_debugging_nothing_is_kept_back(
    how: dict[str, Any], holding: Holding
) -> None:
    stderr = holding(**how)
    say_all()
    everything = ["starting", "serving", "connected to the vault", "no login", "open to all"]
    assert stderr.getvalue().splitlines() == everything


def test_an_error_comes_after_all_that_led_to_it(holding: Holding) -> None:
    stderr = holding()
    log.info("serving", extra=logs.IN_BANNER)
    log.error("it failed", extra=logs.IN_BANNER)
    assert stderr.getvalue() == "serving\nit failed\n"


def test_a_wrong_configuration_comes_after_all_that_led_to_it(holding: Holding) -> None:
    def serve() -> None:
        log.warning("no login", extra=logs.IN_BANNER)
        raise ConfigurationError("the port is taken")

    commands = Commands(commands={"serve": click.Command("serve", callback=serve)})
    stderr = holding()
    with pytest.raises(click.ClickException):
        commands.main(["serve"], standalone_mode=False)
    assert stderr.getvalue() == "no login\n"


def test_what_was_kept_back_is_written_at_the_latest_at_the_end(holding: Holding) -> None:
    stderr = holding()
    log.info("serving", extra=logs.IN_BANNER)
    for handler in logs._holding():
        handler.close()
    assert stderr.getvalue() == "serving\n"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"key {KEY}", KEY),
        ("dgm-0123456789abcdef0123 is a key", "dgm-0123456789abcdef0123"),
        ("Authorization: Bearer abc.def-ghi", "abc.def-ghi"),
        ("{'x-api-key': 'made-up-key-1'}", "made-up-key-1"),
        ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----", "MIIEow"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "eyJzdWIiOiIxIn0"),
    ],
)
def test_no_secret_is_logged(text: str, secret: str, written: io.StringIO) -> None:
    log.warning("it says: %s", text)
    assert secret not in written.getvalue()
    assert "[redacted]" in written.getvalue()


@pytest.mark.parametrize(
    "name", ["SOME_API_KEY", "AUTH_TOKEN", "A_SECRET", "DB_PASSWORD", "AWS_ACCESS_KEY_ID"]
)
def test_what_the_environment_keeps_secret_is_not_logged(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "like no known pattern")
    assert scrub("a like no known pattern b") == "a [redacted] b"


def test_short_and_other_values_of_the_environment_are_ordinary_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOME_KEY", "short")
    monkeypatch.setenv("SOME_PLACE", "long enough")
    assert scrub("short, long enough") == "short, long enough"


def test_a_record_is_one_line_whatever_it_is_about() -> None:
    name = "x\r\n2030-01-01 INFO gateway: all is well\x1b[2J\u2028\udcff"
    # made by hand: what is logged gets into pytest's report, which such a character can't
    record = log.makeRecord("test_logs", logging.INFO, "f", 1, "a model named %s", (name,), None)
    [line] = _SafeFormatter(_FORMAT).format(record).splitlines()
    assert "x\\r\\n2030-01-01" in line
    assert "\\x1b[2J\\u2028\\udcff" in line


def test_lines_of_a_traceback_can_not_be_taken_for_records(written: io.StringIO) -> None:
    try:
        raise TypeError("a\n2030-01-01 00:00:00 INFO gateway: b")
    except TypeError:
        log.exception("it failed")
    first, *rest = written.getvalue().splitlines()
    assert first.endswith("test_logs: it failed")
    assert all(line.startswith("    ") for line in rest)
    assert rest[-1] == "    TypeError: a\\n2030-01-01 00:00:00 INFO gateway: b"


@pytest.mark.parametrize(
    ("error", "last"),
    [
        (
            ValueError("a prompt"),
            "ValueError (message omitted, as it may quote a request)",
        ),
        (KeyError("a prompt"), "KeyError (message omitted, as it may quote a request)"),
        (BackendFailed("it died"), "BackendFailed: it died"),
        (ConfigurationError("wrong"), "ConfigurationError: wrong"),
        (ConnectionResetError("gone"), "ConnectionResetError: gone"),
        (AttributeError("no such thing"), "AttributeError: no such thing"),
        (BackendFailed(f"the key {KEY}"), "BackendFailed: the key [redacted]"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_what_speaks_of_the_program_is_told(
    error: Exception, last: str, written: io.StringIO
) -> None:
    log.error("it failed", exc_info=error)
    assert written.getvalue().splitlines()[-1].strip() == last


def test_causes_and_groups_are_told_and_concealed_alike(written: io.StringIO) -> None:
    local = "a secret of this function"
    try:
        try:
            raise ValueError(local)
        except ValueError as error:
            raise BackendFailed("it died") from error
    except BackendFailed as error:
        error.add_note(local)
        group = ExceptionGroup(local, [error, KeyError(local)])
    log.error("it failed", exc_info=group)
    text = written.getvalue()
    assert local not in text
    assert text.count("raise ") == 2
    for part in ("ExceptionGroup", "which holds:", "ValueError", "which led to:", "it died"):
        assert part in text


def test_an_exception_that_is_its_own_cause_is_told_once(written: io.StringIO) -> None:
    error = TypeError("round")
    error.__cause__ = other = TypeError("and round")
    other.__cause__ = error
    log.error("it failed", exc_info=error)
    assert written.getvalue().count("TypeError: round") == 1


# -- what nobody caught -------------------------------------------------------------------


def test_a_failing_program_ends_with_1_and_a_record(written: io.StringIO) -> None:
    with pytest.raises(SystemExit, match="1"), logs.uncaught_failures():
        raise ValueError(PROMPT)
    assert "the program failed" in written.getvalue()
    assert PROMPT not in written.getvalue()


def test_a_failing_thread_is_logged(written: io.StringIO) -> None:
    def fail() -> None:
        raise ValueError(PROMPT)

    with logs.uncaught_failures():
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
    assert "a thread failed" in written.getvalue()
    assert PROMPT not in written.getvalue()


def test_a_failing_destructor_is_logged(written: io.StringIO) -> None:
    class Failing:
        def __del__(self) -> None:
            raise ValueError(PROMPT)

    with logs.uncaught_failures():
        failing = Failing()
        del failing
    assert "cleanup failed" in written.getvalue()
    assert PROMPT not in written.getvalue()


def test_the_hooks_are_given_back() -> None:
    before = (threading.excepthook, sys.unraisablehook)
    with logs.uncaught_failures():
        assert (threading.excepthook, sys.unraisablehook) != before
    assert (threading.excepthook, sys.unraisablehook) == before


async def test_what_the_event_loop_reports_is_logged_without_values(written: io.StringIO) -> None:
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    with logs.failures_of_the_loop():
        context = {
            "message": "it failed",
            "exception": ValueError("a prompt"),
            "future": "a prompt",
        }
        loop.call_exception_handler(context)
    assert "the event loop: it failed" in written.getvalue()
    assert PROMPT not in written.getvalue()
    assert loop.get_exception_handler() is before


def test_setting_up_leaves_another_program_s_log_alone() -> None:
    handlers = list(logging.getLogger().handlers)
    assert handlers
    logs.set_up()
    assert logging.getLogger().handlers == handlers
