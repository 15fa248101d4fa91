"""Rows go to their sink in batches, and nobody waits for it."""

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest

from gateway.types import ChatRequest, Message, Text
from gateway_request_log import writer as writer_module
from gateway_request_log.row import Bodies, Row
from gateway_request_log.writer import Sink, Writer
from tests.request_log.request_log_support import ListSink, answered

Start = Callable[..., Writer]


@pytest.fixture
def start() -> Iterator[Start]:
    writers: list[Writer] = []

    def started(sink: Sink, queue_rows: int = 100) -> Writer:
        writers.append(Writer("test", sink, queue_rows))
        writers[-1].start()
        return writers[-1]

    yield started
    for writer in writers:
        writer.close()


def put(writer: Writer, number: int) -> None:
    for index in range(number):
        writer.put(answered(f"req_{index}"))


def test_all_rows_are_written_in_order(start: Start) -> None:
    sink = ListSink()
    writer = start(sink, 2000)
    put(writer, 1200)
    writer.close()
    assert [found.request_id for found in sink.rows] == [f"req_{index}" for index in range(1200)]
    assert max(sink.batches) <= 500
    assert (writer.written, writer.lost, writer.waiting, sink.closed) == (1200, 0, 0, True)


def test_bodies_are_made_in_the_thread(start: Start) -> None:
    sink = ListSink()
    writer = start(sink)
    request = ChatRequest(model="m", messages=(), system="sk-abcdefgh12")
    writer.put(answered(bodies=Bodies(request=request, answer=())))
    writer.close()
    assert sink.rows[0].request == '{"system": "[redacted]", "messages": []}'
    assert sink.rows[0].answer == "[]"


def test_a_row_waits_for_its_cost(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "BATCH_SECONDS", 0.001)
    monkeypatch.setattr(writer_module, "COST_SECONDS", 3600)
    sink = ListSink()
    writer = start(sink)
    first = answered("early")
    writer.put(first)
    threading.Event().wait(0.1)  # many batches' time
    assert (writer.waiting, sink.rows) == (1, [])
    first.cost = 0.5
    writer.close()
    assert [row.cost_usd for row in sink.rows] == [0.5]


@pytest.mark.parametrize("error", [OSError("full"), sqlite3.OperationalError("locked")])
def test_what_fails_for_now_is_tried_again(
    start: Start, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(writer_module, "RETRY_SECONDS", 0.001)
    monkeypatch.setattr(writer_module, "BATCH_SECONDS", 0.001)
    monkeypatch.setattr(writer_module, "COST_SECONDS", 0)
    written = threading.Event()

    class Sink(ListSink):
        def write(self, rows: Sequence[Row]) -> None:
            super().write(rows)
            written.set()

    sink = Sink(error, error, error)
    writer = start(sink)
    put(writer, 3)
    assert written.wait(10)
    writer.close()
    assert ([found.request_id for found in sink.rows], writer.lost) == (
        ["req_0", "req_1", "req_2"],
        0,
    )


def test_what_fails_for_good_loses_its_batch_and_no_other(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    sink = ListSink(ValueError("a row that nobody takes"))
    writer = start(sink, 1000)
    put(writer, 600)
    writer.close()
    assert (writer.written, writer.lost, sink.batches) == (100, 500, [100])
    assert "500 rows of the request log (test) are lost" in caplog.text


def blocked() -> Writer:
    """A writer whose thread does not run, so that its queue only fills."""
    return Writer("test", ListSink(), 10)


def test_a_full_queue_loses_what_comes_and_counts_it() -> None:
    writer = blocked()
    put(writer, 25)
    assert (writer.waiting, writer.lost) == (10, 15)


def test_bodies_have_a_bound_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "QUEUE_CHARACTERS", 100)
    writer = blocked()
    message = Message(role="user", parts=(Text(text="x" * 60),))
    bodies = Bodies(request=ChatRequest(model="m", messages=(message,)), answer=())
    writer.put(answered(bodies=bodies))
    writer.put(answered(bodies=bodies))
    writer.put(answered())
    assert (writer.waiting, writer.lost) == (2, 1)


def test_losses_are_said_once_a_minute_with_their_reason(
    start: Start, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "RETRY_SECONDS", 0.001)
    monkeypatch.setattr(writer_module, "BATCH_SECONDS", 0.001)
    monkeypatch.setattr(writer_module, "COST_SECONDS", 0)
    caplog.set_level(logging.WARNING)
    tried = threading.Event()

    class Full(ListSink):
        tries = 0

        def write(self, rows: Sequence[Row]) -> None:
            self.tries += 1
            if self.tries > 20:
                tried.set()
            raise OSError("no space left")

    writer = start(Full(), 10)
    put(writer, 25)
    assert tried.wait(10)
    assert len(caplog.messages) == 1
    writer.close()
    assert writer.lost == 25
    assert "no space left" in caplog.messages[-1]
    assert len(caplog.messages) == 2


def test_closing_waits_only_so_long() -> None:
    go_on = threading.Event()

    class Hanging(ListSink):
        def write(self, rows: Sequence[Row]) -> None:
            go_on.wait(10)
            raise OSError("too late")

    writer = Writer("test", Hanging(), 10)
    writer.start()
    put(writer, 3)
    writer.close(seconds=0.3)
    go_on.set()
    assert writer.lost == 3
