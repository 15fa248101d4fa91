"""The database: what is in it, what it forgets, and that it survives."""

import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway_request_log import database as database_module
from gateway_request_log.database import SCHEMA, Database, used_bytes
from gateway_request_log.reading import Filter, open_to_read, statistics
from gateway_request_log.row import COLUMNS
from tests.request_log.request_log_support import read, row

KEEP = timedelta(days=3)


def now(**ago: float) -> str:
    return (datetime.now(UTC) - timedelta(**ago)).isoformat(timespec="milliseconds")


def open_database(path: Path, max_bytes: int = 10**9) -> Database:
    return Database(path, KEEP, max_bytes)


def test_a_row_is_kept_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "requests.db"
    database = open_database(path)
    kept = row(time=now(), request='{"system": ""}', answer="[]")
    database.write([kept])
    database.close()
    [found] = read(path)
    assert {name: found[name] for name in COLUMNS} == {n: getattr(kept, n) for n in COLUMNS}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read(path, "PRAGMA journal_mode") == [{"journal_mode": "wal"}]


def test_a_database_goes_on_after_a_restart(tmp_path: Path) -> None:
    for number in range(2):
        database = open_database(tmp_path / "r.db")
        database.write([row(time=now(), request_id=f"req_{number}")])
        database.close()
    assert [found["request_id"] for found in read(tmp_path / "r.db")] == ["req_0", "req_1"]


def test_a_database_of_the_first_version_gets_the_new_column(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as first:
        first.executescript(SCHEMA.replace("    cost_usd REAL,\n", ""))
        first.execute("PRAGMA user_version=1")
        first.execute(
            "INSERT INTO requests (time, request_id, model, status, total_ms, tools_offered, "
            "tool_calls) VALUES (?, 'old', 'm', 'completed', 1, 0, 0)",
            (now(),),
        )
    with closing(open_to_read(path)) as connection:
        assert statistics(connection, Filter()).models["m"].cost == 0
    database = open_database(path)
    database.write([row(time=now(), request_id="new", cost_usd=0.25)])
    database.close()
    assert [(found["request_id"], found["cost_usd"]) for found in read(path)] == [
        ("old", None),
        ("new", 0.25),
    ]
    with closing(open_to_read(path)) as connection:
        assert statistics(connection, Filter()).models["m"].cost == 0.25


def test_what_is_too_old_goes(tmp_path: Path) -> None:
    database = open_database(tmp_path / "r.db")
    rows = [row(request_id=name, time=now(days=age)) for name, age in (("old", 4), ("new", 2))]
    database.write(rows)
    database.close()
    assert [found["request_id"] for found in read(tmp_path / "r.db")] == ["new"]


def test_the_oldest_of_too_many_go_and_the_file_shrinks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "TIDY_SECONDS", 0)
    path = tmp_path / "r.db"
    database = open_database(path, 200_000)
    for batch in range(10):
        body = "x" * 1000
        numbers = range(batch * 50, batch * 50 + 50)
        database.write([row(time=now(), request_id=f"{n}", request=body) for n in numbers])
    database.close()
    kept = [int(found["request_id"]) for found in read(path)]
    assert kept == list(range(kept[0], 500))
    assert 100 < len(kept) < 200
    assert path.stat().st_size < 300_000


def test_a_batch_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    database = open_database(tmp_path / "r.db")
    database.write([row(time=now())])
    with pytest.raises(sqlite3.ProgrammingError):
        database.write([row(time=now()), row(time=now(), model=object())])
    database.write([row(time=now())])
    database.close()
    assert len(read(tmp_path / "r.db")) == 2


def test_a_locked_database_is_for_trying_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "LOCK_SECONDS", 0)
    path = tmp_path / "r.db"
    database = open_database(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            database.write([row(time=now())])
        other.execute("ROLLBACK")
    database.write([row(time=now())])
    database.close()
    assert len(read(path)) == 1


def test_the_size_counts_no_free_pages(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "r.db", isolation_level=None)) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.executemany("INSERT INTO t VALUES (?)", [("x" * 1000,)] * 100)
        full = used_bytes(connection)
        connection.execute("DELETE FROM t")
        assert used_bytes(connection) < full / 10
