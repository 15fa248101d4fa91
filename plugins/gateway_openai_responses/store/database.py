"""The SQLite database of responses that are kept.

In WAL mode with `synchronous=NORMAL` a killed process loses no transaction that was committed. All
is bounded by age and size: conversations that were not continued for the longest time go first, each
as a whole.
"""

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from gateway.frontend import dump
from gateway_openai_responses.store.record import Record

VERSION: Final = 1
LOCK_SECONDS: Final = 5.0
"""How long a lock of another process is waited for."""
TIDY_SECONDS: Final = 60.0
WAL_BYTES: Final = 16_000_000
_DAY: Final = 86_400

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS responses (
    id TEXT PRIMARY KEY,
    caller TEXT NOT NULL,
    thread TEXT NOT NULL,
    previous TEXT,
    created REAL NOT NULL,
    used REAL NOT NULL,
    response BLOB NOT NULL,
    output BLOB NOT NULL,
    items BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS responses_thread ON responses (thread);
CREATE INDEX IF NOT EXISTS responses_used ON responses (used);
CREATE INDEX IF NOT EXISTS responses_caller ON responses (caller);
"""

_COLUMNS: Final = "id, caller, thread, previous, created, response, output, items"


class Database:
    """Opened with the first response. All methods raise `sqlite3.Error` and `OSError`.

    To be used by one thread at a time, whichever it is.
    """

    def __init__(self, path: Path, keep_days: float, max_bytes: int) -> None:
        self._path = path
        self._keep_seconds = keep_days * _DAY
        self._max_bytes = max_bytes
        self._connection: sqlite3.Connection | None = None
        self._tidied = float("-inf")

    def write(self, record: Record) -> None:
        """Write a response, and note that its conversation goes on."""
        connection, now = self._open(), time.time()
        row = (record.id, record.caller, record.thread, record.previous, record.created, now)
        texts = (dump(record.response), dump(list(record.output)), dump(list(record.items)))
        with connection:
            connection.execute(
                "UPDATE responses SET used = ? WHERE thread = ?", (now, record.thread)
            )
            connection.execute(
                "INSERT OR REPLACE INTO responses VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, *texts),
            )
        if time.monotonic() - self._tidied >= TIDY_SECONDS:
            self._tidied = time.monotonic()
            with suppress(sqlite3.OperationalError):  # it is written; the next time will do
                self.tidy()

    def find(self, response_id: str, caller: str) -> Record | None:
        """A response of this caller's that is not too old."""
        if not self._path.exists():
            return None
        row = (
            self._open()
            .execute(
                f"SELECT {_COLUMNS} FROM responses WHERE id = ? AND caller = ? AND used >= ?",  # noqa: S608
                (response_id, caller, time.time() - self._keep_seconds),
            )
            .fetchone()
        )
        return None if row is None else _record(row)

    def delete(self, response_id: str, caller: str) -> bool:
        """Delete a response of this caller's; whether one was kept."""
        if not self._path.exists():
            return False
        with self._open() as connection:
            deleted = connection.execute(
                "DELETE FROM responses WHERE id = ? AND caller = ?", (response_id, caller)
            )
        return deleted.rowcount > 0

    def forget(self, caller: str) -> None:
        """Delete all of a caller."""
        if self._path.exists():
            with self._open() as connection:
                connection.execute("DELETE FROM responses WHERE caller = ?", (caller,))

    def tidy(self) -> None:
        """Delete conversations that are too old, then the oldest while all are too big."""
        connection = self._open()
        oldest = time.time() - self._keep_seconds
        with connection:
            connection.execute("DELETE FROM responses WHERE used < ?", (oldest,))
        while used_bytes(connection) > self._max_bytes:
            with connection:
                deleted = connection.execute(
                    "DELETE FROM responses WHERE thread IN (SELECT thread FROM responses "
                    "GROUP BY thread ORDER BY max(used) "
                    "LIMIT (SELECT count(DISTINCT thread) / 10 + 1 FROM responses))"
                )
            if not deleted.rowcount:
                break
        connection.execute("PRAGMA incremental_vacuum").fetchall()

    def close(self) -> None:
        """Close it; the last connection puts the WAL back into the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._path.touch(mode=0o600)  # private, whatever the umask
            connection = sqlite3.connect(self._path, timeout=LOCK_SECONDS, check_same_thread=False)
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
    connection.execute("PRAGMA secure_delete=ON")  # what is deleted is not left in free pages
    connection.execute(f"PRAGMA journal_size_limit={WAL_BYTES}")
    connection.executescript(f"BEGIN IMMEDIATE;{SCHEMA}PRAGMA user_version={VERSION};COMMIT")


def used_bytes(connection: sqlite3.Connection) -> int:
    """The size of the database without its free pages."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _record(row: Sequence[Any]) -> Record:
    response_id, caller, thread, previous, created, *texts = row
    response, output, items = _values(texts)
    return Record(
        id=response_id,
        caller=caller,
        thread=thread,
        previous=previous,
        created=created,
        response=response,
        output=output,
        items=items,
    )


def _values(texts: Sequence[bytes]) -> Iterator[Any]:
    return (json.loads(text) for text in texts)
