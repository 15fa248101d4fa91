"""The SQLite database: its table, writing to it, and deleting old rows.

In WAL mode with `synchronous=NORMAL` a killed process loses no transaction that was committed,
and a reader never blocks the writer.
"""

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Final

from gateway_request_log.row import COLUMNS, Row

VERSION: Final = 2
LOCK_SECONDS: Final = 1.0
"""How long the writer waits for a lock before it tries again later."""
TIDY_SECONDS: Final = 60.0
WAL_BYTES: Final = 16_000_000
CACHE_KIB: Final = 256
"""Of pages, in memory. Rows go to the end of a table and of its index: more is only kept, not read."""

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY,
    time TEXT NOT NULL,
    request_id TEXT NOT NULL,
    key TEXT,
    client TEXT,
    model TEXT NOT NULL,
    backend TEXT,
    backend_model TEXT,
    status TEXT NOT NULL,
    finish_reason TEXT,
    queue_ms REAL,
    asked_ms REAL,
    first_token_ms REAL,
    total_ms REAL NOT NULL,
    input_tokens INTEGER,
    output_tokens INTEGER,
    cached_tokens INTEGER,
    reasoning_tokens INTEGER,
    tools_offered INTEGER NOT NULL,
    tool_calls INTEGER NOT NULL,
    error_code TEXT,
    error_message TEXT,
    cost_usd REAL,
    request TEXT,
    answer TEXT
);
CREATE INDEX IF NOT EXISTS requests_time ON requests (time);
"""

CHANGES: Final = {1: "ALTER TABLE requests ADD COLUMN cost_usd REAL;"}
"""The statements that upgrade a database from each version to the next."""

ROWS_AT_ONCE: Final = 40
"""In one statement: between two of them the thread lets go of Python's lock and has to get it back
from the event loop, which costs more than the row. Older SQLites take 999 values at most."""

_VALUES: Final = f"({', '.join('?' * len(COLUMNS))})"
_INSERT: Final = f"INSERT INTO requests ({', '.join(COLUMNS)}) VALUES "  # noqa: S608 - no value


class Database:
    """A sink. Opened with the first rows; older ones and the oldest of too many go."""

    def __init__(self, path: Path, keep: timedelta, max_bytes: int) -> None:
        self._path = path
        self._keep = keep
        self._max_bytes = max_bytes
        self._connection: sqlite3.Connection | None = None
        self._tidied = float("-inf")

    def write(self, rows: Sequence[Row]) -> None:
        """Write rows in one transaction. Raises `OSError` and `OperationalError`."""
        connection = self._open()
        try:
            connection.execute("BEGIN IMMEDIATE")
            for start in range(0, len(rows), ROWS_AT_ONCE):
                some = rows[start : start + ROWS_AT_ONCE]
                values = ", ".join([_VALUES] * len(some))
                connection.execute(_INSERT + values, tuple(chain.from_iterable(some)))
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.rollback()
            raise
        if time.monotonic() - self._tidied >= TIDY_SECONDS:
            self._tidied = time.monotonic()
            with suppress(sqlite3.OperationalError):  # the rows are written; the next time will do
                self.tidy(connection)

    def close(self) -> None:
        """Close it; the last connection puts the WAL back into the file."""
        if self._connection is not None:
            self._connection.close()

    def tidy(self, connection: sqlite3.Connection) -> None:
        """Delete rows that are too old, then a tenth of all for as long as the rest is too big."""
        oldest = datetime.now(UTC) - self._keep
        connection.execute(
            "DELETE FROM requests WHERE time < ?", (oldest.isoformat(timespec="milliseconds"),)
        )
        while used_bytes(connection) > self._max_bytes:
            deleted = connection.execute(
                "DELETE FROM requests WHERE id IN (SELECT id FROM requests ORDER BY id "
                "LIMIT (SELECT count(*) / 10 + 1 FROM requests))"
            )
            if not deleted.rowcount:
                break
        connection.execute("PRAGMA incremental_vacuum").fetchall()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._path.touch(mode=0o600)  # private, whatever the umask
            connection = sqlite3.connect(self._path, timeout=LOCK_SECONDS, isolation_level=None)
            try:
                _set_up(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection


def _set_up(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # has to come before the first table
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(f"PRAGMA journal_size_limit={WAL_BYTES}")
    connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    [version] = connection.execute("PRAGMA user_version").fetchone()
    changes = "".join(changed for older, changed in CHANGES.items() if 0 < version <= older)
    connection.executescript(
        f"BEGIN IMMEDIATE;{SCHEMA};{changes}PRAGMA user_version={VERSION};COMMIT"
    )


def used_bytes(connection: sqlite3.Connection) -> int:
    """The size of the database without its free pages."""
    with closing(connection.cursor()) as cursor:
        [pages] = cursor.execute("PRAGMA page_count").fetchone()
        [free] = cursor.execute("PRAGMA freelist_count").fetchone()
        [size] = cursor.execute("PRAGMA page_size").fetchone()
    return int((pages - free) * size)
