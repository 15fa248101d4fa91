"""Reading the database while the gateway writes to it: rows, and sums over them."""

import math
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which rows are meant. `since` is in UTC; `errors` are answers that failed."""

    since: datetime | None = None
    model: str | None = None
    errors: bool = False

    def where(self) -> tuple[str, list[object]]:
        """As SQL, with its parameters."""
        terms, values = ["1"], list[object]()
        if self.since is not None:
            terms.append("time >= ?")
            values.append(self.since.isoformat(timespec="milliseconds"))
        if self.model is not None:
            terms.append("(model = ? OR backend_model = ?)")
            values += [self.model, self.model]
        if self.errors:
            terms.append("status = 'failed'")
        return " AND ".join(terms), values


def parse_since(text: str, now: datetime) -> datetime:
    """A time from an age such as "90s", "15m", "1h", "7d", or from ISO 8601 (local without a zone).

    Raises `ValueError`.
    """
    if found := re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)([smhdw])", text):
        return now - timedelta(seconds=float(found[1]) * _UNITS[found[2]])
    return datetime.fromisoformat(text).astimezone(UTC)


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that can't change anything. Raises `sqlite3.Error`."""
    connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, timeout=5)
    connection.row_factory = sqlite3.Row
    return connection


def last_rows(connection: sqlite3.Connection, chosen: Filter, number: int) -> list[dict[str, Any]]:
    """The last rows that were written, the newest at the end."""
    where, values = chosen.where()
    query = f"SELECT * FROM requests WHERE {where} ORDER BY id DESC LIMIT ?"  # noqa: S608 - no value
    return [dict(row) for row in connection.execute(query, (*values, number))][::-1]


def rows_after(connection: sqlite3.Connection, chosen: Filter, last: int) -> list[dict[str, Any]]:
    """The rows that were written after the one with the id `last`."""
    where, values = chosen.where()
    query = f"SELECT * FROM requests WHERE id > ? AND {where} ORDER BY id"  # noqa: S608 - no value
    return [dict(row) for row in connection.execute(query, (last, *values))]


def last_id(connection: sqlite3.Connection) -> int:
    """The id of the last row of all, 0 without any."""
    [number] = connection.execute("SELECT coalesce(max(id), 0) FROM requests").fetchone()
    return int(number)


# -- sums ---------------------------------------------------------------------------------


@dataclass(slots=True)
class Sums:
    """Of one model. Tokens by kind, cost in US dollars, times in milliseconds of answers that were
    completed.
    """

    requests: int = 0
    failed: int = 0
    cancelled: int = 0
    cost: float = 0.0
    tokens: Counter[str] = field(default_factory=Counter)
    first_token: list[float] = field(default_factory=list)
    total: list[float] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The sums, with the percentiles of the times."""
        return {
            "requests": self.requests,
            "failed": self.failed,
            "cancelled": self.cancelled,
            "tokens": dict(self.tokens),
            "cost_usd": round(self.cost, 6),
            "first_token_ms": _percentiles(self.first_token),
            "total_ms": _percentiles(self.total),
        }


@dataclass(frozen=True, slots=True)
class Statistics:
    """By model as it was asked for, and of all; failures by code."""

    models: dict[str, Sums]
    errors: Counter[str]

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        models = {name: sums.as_json() for name, sums in sorted(self.models.items())}
        return {"models": models, "errors": dict(self.errors.most_common())}


TOKEN_KINDS: Final = ("input", "output", "cached", "reasoning")
_SUMMED: Final = (
    *("model", "status", "error_code", "first_token_ms", "total_ms"),
    *(f"{kind}_tokens" for kind in TOKEN_KINDS),
)


def statistics(connection: sqlite3.Connection, chosen: Filter) -> Statistics:
    """Sum up the rows that are meant."""
    where, values = chosen.where()
    columns = ", ".join((*_SUMMED, _cost(connection)))
    query = f"SELECT {columns} FROM requests WHERE {where}"  # noqa: S608 - no value
    found = Statistics({}, Counter())
    with closing(connection.execute(query, values)) as rows:
        for row in rows:
            _add(found, row)
    return found


def _cost(connection: sqlite3.Connection) -> str:
    """The column, which a database lacks that only an earlier version has written to."""
    present = {row["name"] for row in connection.execute("PRAGMA table_info(requests)")}
    return "cost_usd" if "cost_usd" in present else "NULL AS cost_usd"


def _add(found: Statistics, row: sqlite3.Row) -> None:
    sums = found.models.setdefault(row["model"], Sums())
    sums.requests += 1
    sums.cost += row["cost_usd"] or 0
    for kind in TOKEN_KINDS:
        sums.tokens[kind] += row[f"{kind}_tokens"] or 0
    match row["status"]:
        case "failed":
            sums.failed += 1
            found.errors[row["error_code"]] += 1
        case "cancelled":
            sums.cancelled += 1
        case _:
            sums.total.append(row["total_ms"])
            if row["first_token_ms"] is not None:
                sums.first_token.append(row["first_token_ms"])


def _percentiles(values: Iterable[float]) -> dict[str, float | None]:
    ordered = sorted(values)
    return {"p50": percentile(ordered, 50), "p95": percentile(ordered, 95)}


def percentile(ordered: Sequence[float], percent: float) -> float | None:
    """The nearest rank of values in order; None without any."""
    if not ordered:
        return None
    return ordered[max(math.ceil(len(ordered) * percent / 100) - 1, 0)]
