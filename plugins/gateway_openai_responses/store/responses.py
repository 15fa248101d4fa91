"""The responses of one gateway that are kept: at once in memory, and written by a thread.

A client may ask for a response, or continue it, as soon as it has its last byte. So a response can be
found from `keep` on, and no answer waits for the disk.
"""

import logging
import queue
import sqlite3
import threading
import time
from typing import Final

from gateway.errors import Overloaded
from gateway_openai_responses.store.database import Database
from gateway_openai_responses.store.record import Chain, Json, Record

log = logging.getLogger("gateway_openai_responses")

MOST_WAITING: Final = 1000
"""Responses that wait to be written; more are not kept."""
MOST_LINKS: Final = 10_000
"""Responses of one conversation."""
SAY_SECONDS: Final = 60.0


class ResponseStore:
    """Keeps responses. `keep` is for the event loop; all that reads is for other threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._waiting: dict[str, Record] = {}
        self._forgotten: set[str] = set()
        self._queue: queue.SimpleQueue[Record | str | None] = queue.SimpleQueue()
        self._said = float("-inf")
        self._thread = threading.Thread(target=self._write_all, name="responses", daemon=True)
        self._thread.start()

    def keep(self, record: Record) -> None:
        """Keep a response. Neither blocks nor raises."""
        if len(self._waiting) >= MOST_WAITING:
            self._say("too many responses wait to be written; some are not kept")
            return
        self._waiting[record.id] = record
        self._queue.put(record)

    def find(self, response_id: str, caller: str) -> Record | None:
        """A response of this caller's, if it is kept. Raises `Overloaded` if that can't be seen."""
        with self._lock:
            record = self._waiting.get(response_id)
            if record is not None:
                return record if record.caller == caller else None
            if caller in self._forgotten:
                return None
            try:
                return self._database.find(response_id, caller)
            except (sqlite3.Error, OSError) as error:
                self._say(f"responses can't be read: {error}")
                raise _unreadable() from error

    def chain(self, response_id: str, caller: str) -> Chain | None:
        """The conversation up to a response; None unless all of it is kept."""
        links: list[Record] = []
        wanted: str | None = response_id
        while wanted is not None:
            record = self.find(wanted, caller)
            if record is None or len(links) >= MOST_LINKS:
                return None
            links.append(record)
            wanted = record.previous
        items: list[Json] = []
        for record in reversed(links):
            items += (*record.items, *record.output)
        return Chain(thread=links[-1].thread, items=tuple(items), size=sum(map(_size, items)))

    def delete(self, response_id: str, caller: str) -> bool:
        """Delete a response of this caller's; False if none is kept. Raises `Overloaded`."""
        with self._lock:
            record = self._waiting.get(response_id)
            if record is not None and record.caller == caller:
                del self._waiting[response_id]
                return True
            try:
                return self._database.delete(response_id, caller)
            except (sqlite3.Error, OSError) as error:
                self._say(f"a response can't be deleted: {error}")
                raise _unreadable() from error

    def forget(self, caller: str) -> None:
        """Delete all of a caller: at once for all who ask, and by the thread on disk."""
        for record in list(self._waiting.values()):
            if record.caller == caller:
                self._waiting.pop(record.id, None)
        self._forgotten.add(caller)
        self._queue.put(caller)

    def close(self) -> None:
        """Write all that waits, and close the database. Blocks."""
        self._queue.put(None)
        self._thread.join()
        self._database.close()

    def _write_all(self) -> None:
        while (job := self._queue.get()) is not None:
            with self._lock:
                if isinstance(job, str):
                    self._forget(job)
                elif job.id in self._waiting:  # it was not deleted meanwhile
                    self._write(job)
                    self._waiting.pop(job.id, None)

    def _forget(self, caller: str) -> None:
        try:
            self._database.forget(caller)
        except (sqlite3.Error, OSError) as error:
            log.error("the responses of a caller who left can't be deleted: %s", error)  # noqa: TRY400
        else:
            self._forgotten.discard(caller)

    def _write(self, record: Record) -> None:
        try:
            self._database.write(record)
        except (sqlite3.Error, OSError) as error:
            self._say(f"a response can't be kept: {error}")
        except Exception:
            log.exception("a response can't be kept")

    def _say(self, words: str) -> None:
        if time.monotonic() - self._said >= SAY_SECONDS:
            self._said = time.monotonic()
            log.error("%s", words)


def _unreadable() -> Overloaded:
    return Overloaded("Kept responses can't be read or deleted at the moment.", retry_after=1)


def _size(item: Json) -> int:
    return len(repr(item))
