"""Keeping responses: at once in memory, and written by a thread."""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.errors import Overloaded
from gateway_openai_responses.store import responses as module
from gateway_openai_responses.store.database import Database
from gateway_openai_responses.store.record import Record
from gateway_openai_responses.store.responses import ResponseStore
from tests.openai_responses.store.records import record


class HeldDatabase(Database):
    """Writes when it is told to."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, keep_days=1, max_bytes=10**9)
        self.may_write = threading.Event()
        self.failure: Exception | None = None
        self.written: list[str] = []

    def write(self, record: Record) -> None:
        if self.failure is not None:
            raise self.failure
        super().write(record)
        self.written.append(record.id)


@pytest.fixture
def database(tmp_path: Path) -> HeldDatabase:
    return HeldDatabase(tmp_path / "responses.db")


@pytest.fixture
def store(database: HeldDatabase) -> Iterator[ResponseStore]:
    made = ResponseStore(database)
    yield made
    made.close()


def test_a_response_is_there_at_once_and_after_a_restart(
    store: ResponseStore, database: HeldDatabase, tmp_path: Path
) -> None:
    with store._lock:  # the writing thread waits
        store.keep(record("a"))
        assert store._waiting["a"] == record("a")
    store.close()
    again = ResponseStore(Database(tmp_path / "responses.db", 1, 10**9))
    assert again.find("a", "key a") == record("a")
    again.close()


@pytest.mark.parametrize("written", [False, True])
def test_callers_see_and_delete_their_own_only(
    store: ResponseStore, database: HeldDatabase, written: bool
) -> None:
    if written:
        database.write(record("a"))
    else:
        store._waiting["a"] = record("a")
    assert store.find("a", "key b") is None
    assert not store.delete("a", "key b")
    assert store.find("a", "key a") == record("a")
    assert store.delete("a", "key a")
    assert store.find("a", "key a") is None


def test_what_was_deleted_before_it_was_written_is_not_written(
    store: ResponseStore, database: HeldDatabase
) -> None:
    with store._lock:
        store.keep(record("a"))
        del store._waiting["a"]
    store.close()
    assert database.written == []


def test_a_caller_is_forgotten_wherever_the_responses_are(
    store: ResponseStore, database: HeldDatabase
) -> None:
    database.write(record("a"))
    store._waiting["b"] = record("b")
    store._waiting["c"] = record("c", caller="key c")
    store.forget("key a")
    assert [store.find(name, "key a") for name in ("a", "b")] == [None, None]
    assert store.find("c", "key c") is not None
    store.close()
    assert database.find("a", "key a") is None


def test_a_conversation_is_put_together_from_all_of_its_responses(
    store: ResponseStore, database: HeldDatabase
) -> None:
    database.write(record("a"))
    database.write(record("b", thread="a", previous="a"))
    store._waiting["c"] = record("c", thread="a", previous="b")
    chain = store.chain("c", "key a")
    assert chain is not None
    assert chain.thread == "a"
    ids = [item["id"] for item in chain.items]
    assert ids == ["in_a", "msg_a", "in_b", "msg_b", "in_c", "msg_c"]
    assert chain.size > 0


def test_a_conversation_with_a_gap_is_none(store: ResponseStore, database: HeldDatabase) -> None:
    database.write(record("b", thread="a", previous="a"))
    assert store.chain("b", "key a") is None
    assert store.chain("unknown", "key a") is None


@pytest.mark.parametrize(
    "failure", [sqlite3.OperationalError("disk full"), OSError(), ValueError()]
)
def test_a_failure_to_write_is_said_and_no_more(
    store: ResponseStore,
    database: HeldDatabase,
    failure: Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:
    database.failure = failure
    with caplog.at_level(logging.ERROR, "gateway_openai_responses"):
        store.keep(record("a"))
        store.close()
    assert "can't be kept" in caplog.text
    assert store._waiting == {}


def test_a_failure_to_read_is_said_and_may_pass(
    store: ResponseStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "responses.db").write_bytes(b"no database" * 1000)
    with caplog.at_level(logging.ERROR, "gateway_openai_responses"):
        with pytest.raises(Overloaded):
            store.find("a", "key a")
        with pytest.raises(Overloaded):
            store.delete("a", "key a")
    assert "can't be read" in caplog.text


def test_more_than_can_wait_are_not_kept(
    store: ResponseStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 1)
    with store._lock, caplog.at_level(logging.ERROR, "gateway_openai_responses"):
        store.keep(record("a"))
        store.keep(record("b"))
    assert "too many responses wait" in caplog.text
    store.close()
    assert store._waiting == {}
