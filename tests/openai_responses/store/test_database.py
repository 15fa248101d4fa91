"""The database of responses: private, and bounded by age and size."""

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from gateway_openai_responses.store import database as module
from gateway_openai_responses.store.database import Database
from tests.openai_responses.store.records import record

DAY = 86_400


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "responses.db"


@pytest.fixture
def database(path: Path) -> Database:
    return Database(path, keep_days=1, max_bytes=10**9)


def names(database: Database, *candidates: str) -> list[str]:
    return [name for name in candidates if database.find(name, "key a") is not None]


def test_a_response_is_found_as_it_was_written(database: Database, path: Path) -> None:
    database.write(record("a"))
    assert database.find("a", "key a") == record("a")
    database.close()
    assert Database(path, 1, 10**9).find("a", "key a") == record("a")


def test_nothing_is_made_before_the_first_response(database: Database, path: Path) -> None:
    assert database.find("a", "key a") is None
    assert not database.delete("a", "key a")
    database.forget("key a")
    assert not path.exists()


def test_all_files_are_private(database: Database, path: Path) -> None:
    mask = os.umask(0)
    try:
        database.write(record("a"))
        modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        assert modes == {0o600}
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    finally:
        os.umask(mask)


def test_callers_see_their_own_only(database: Database) -> None:
    database.write(record("a"))
    assert database.find("a", "key b") is None
    assert not database.delete("a", "key b")
    database.forget("key b")
    assert names(database, "a") == ["a"]


def test_what_is_deleted_is_gone_from_the_file(database: Database, path: Path) -> None:
    database.write(record("a", items=[{"text": "a secret" * 2000}]))
    assert database.delete("a", "key a")
    assert not database.delete("a", "key a")
    database.close()
    assert b"a secret" not in path.read_bytes()


def test_a_caller_is_forgotten(database: Database) -> None:
    database.write(record("a"))
    database.write(record("b", caller="key b"))
    database.forget("key a")
    assert database.find("a", "key a") is None
    assert database.find("b", "key b") is not None


def test_conversations_that_are_too_old_go(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000_000.0
    monkeypatch.setattr(module.time, "time", lambda: now)
    database.write(record("old"))
    database.write(record("going"))
    now += 0.9 * DAY
    database.write(record("on", thread="going", previous="going"))
    now += 0.2 * DAY
    assert names(database, "old", "going", "on") == ["going", "on"]  # even before they are deleted
    database.tidy()
    assert names(database, "old", "going", "on") == ["going", "on"]
    now += DAY
    database.tidy()
    assert names(database, "going", "on") == []


def test_the_longest_unused_conversations_go_as_a_whole_if_all_are_too_big(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000_000.0
    monkeypatch.setattr(module.time, "time", lambda: now)
    database = Database(path, keep_days=1, max_bytes=200_000)
    text = [{"text": "x" * 50_000}]
    for thread in ("a", "b", "c", "d"):
        now += 1
        database.write(record(thread, items=text))
    now += 1
    database.write(record("a2", thread="a", previous="a", items=text))
    database.tidy()
    assert names(database, "a", "b", "c", "d", "a2") == ["a", "d", "a2"]


def test_a_file_that_is_no_database_is_an_error(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(sqlite3.Error):
        Database(path, 1, 10**9).write(record("a"))
