"""`dragoman logs`: the requests, their outcomes, and sums."""

import contextlib
import json
import shlex
import sqlite3
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
from pydantic import ValidationError

from gateway.cli.options import config_option
from gateway.client.running_gateways import with_another_configuration
from gateway.config.chosen_file import configuration
from gateway.errors import ConfigurationError
from gateway.machine.command_name import command_line
from gateway_request_log.config import SECTION, RequestLogConfig
from gateway_request_log.reading import (
    TOKEN_KINDS,
    Filter,
    Statistics,
    last_id,
    last_rows,
    open_to_read,
    parse_since,
    rows_after,
    statistics,
)

FOLLOW_SECONDS: Final = 0.5
NOTHING: Final = "No matching requests in the log."
NOTHING_YET: Final = "The log is empty: each request adds a row once it is answered or has failed."


class Since(click.ParamType[datetime]):
    """An age or a time."""

    name = "age or time"

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's own signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> datetime:
        """Called by click."""
        if isinstance(value, datetime):
            return value
        try:
            return parse_since(value, datetime.now(UTC))
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is neither an age like 30m, 1h or 7d, nor a time", param, ctx)


EXAMPLES = """\b
Examples:
  dragoman logs --since 1h --errors
  dragoman logs --follow --model claude-opus-4
  dragoman logs --stats --since 7d
"""


@click.command(epilog=EXAMPLES)
@config_option
@click.option(
    "-n", "number", type=click.IntRange(min=0), default=20, help="The number of rows (20)."
)
@click.option("--since", type=Since(), help="Only rows newer than this: 30m, 1h, 7d, or a time.")
@click.option("--model", help="Only rows of this model, by its requested or actual name.")
@click.option("--errors", is_flag=True, help="Only failed requests.")
@click.option("--json", "as_json", is_flag=True, help="Output JSON, one line per row.")
@click.option("--stats", is_flag=True, help="Totals by model instead of rows.")
@click.option("--follow", "-f", is_flag=True, help="Keep printing new entries.")
def logs(
    *,
    config_file: Path | None,
    number: int,
    since: datetime | None,
    model: str | None,
    errors: bool,
    as_json: bool,
    stats: bool,
    follow: bool,
) -> None:
    """Show the request log (`plugins.request_log`)."""
    if stats and follow:
        raise click.UsageError("--stats can't be combined with --follow")
    path = database_path(config_file)
    _note_other_database(config_file, path)
    if not path.is_file():
        raise click.ClickException(
            f"no request log at {path}: set `plugins: {{request_log: true}}` in the "
            "gateway's configuration file and restart it"
        )
    chosen = Filter(since=since, model=model, errors=errors)
    try:
        connection = open_to_read(path)
        try:
            if stats:
                _show_statistics(statistics(connection, chosen), as_json=as_json)
            else:
                _show_rows(connection, chosen, number, as_json=as_json, follow=follow)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise click.ClickException(f"{path} can't be read: {error}") from error


def database_path(config_file: Path | None) -> Path:
    """The database that the configuration names. Raises `ConfigurationError`."""
    loaded = configuration(config_file)
    section = loaded.values.plugins.get(SECTION)
    try:
        config = RequestLogConfig.model_validate(section if isinstance(section, dict) else {})
    except ValidationError as error:
        raise loaded.explain(error, ("plugins", SECTION), RequestLogConfig) from None
    if (path := config.database_path) is None:
        raise ConfigurationError(
            f"{loaded.path} has `request_log: {{database: false}}`, so there are no rows to show"
        )
    return path


def _note_other_database(config_file: Path | None, path: Path) -> None:
    """Say that the gateway that runs keeps its rows elsewhere."""
    if config_file is not None:
        return
    running = with_another_configuration(configuration().path)
    if running is None or running.config is None:
        return
    with contextlib.suppress(ConfigurationError):
        if database_path(running.config) != path:
            named = shlex.quote(str(running.config))
            click.echo(
                f"This is from {path}; the gateway at {running.url} has another log: "
                f"--config {named}",
                err=True,
            )


def _show_rows(
    connection: sqlite3.Connection, chosen: Filter, number: int, *, as_json: bool, follow: bool
) -> None:
    last = last_id(connection)
    rows = last_rows(connection, chosen, number)
    _print(rows, as_json=as_json)
    if number and not (rows or follow):
        click.echo(_nothing() if last else NOTHING_YET, err=True)
    while follow:
        time.sleep(FOLLOW_SECONDS)
        rows = rows_after(connection, chosen, last)
        _print(rows, as_json=as_json)
        last = rows[-1]["id"] if rows else last


def _nothing() -> str:
    return f"{NOTHING} `{command_line('logs')}` shows the latest."


def _print(rows: Iterable[dict[str, Any]], *, as_json: bool) -> None:
    for row in rows:
        click.echo(json_line(row) if as_json else text_line(row))


def json_line(row: dict[str, Any]) -> str:
    """A row as JSON, its bodies as values."""
    bodies = {name: row[name] and json.loads(row[name]) for name in ("request", "answer")}
    return json.dumps({**row, **bodies}, ensure_ascii=False)


def text_line(row: dict[str, Any]) -> str:
    """A row for a person: local time, model, how it ended, times and tokens."""
    when = datetime.fromisoformat(row["time"]).astimezone()
    what = row["finish_reason"] if row["status"] == "completed" else row["status"]
    line = f"{when:%Y-%m-%d %H:%M:%S}  {row['model']:<20} {what or '':<12}"
    line += f" {row['total_ms'] / 1000:7.2f} s"
    if row["first_token_ms"] is not None:
        line += f"  first {row['first_token_ms'] / 1000:.2f} s"
    if row["input_tokens"] is not None:
        line += f"  {row['input_tokens']} in, {row['output_tokens']} out"
    if row.get("cost_usd") is not None:
        line += f"  ${row['cost_usd']:.4f}"
    if row["tool_calls"]:
        line += f"  {row['tool_calls']} calls"
    if row["error_code"]:
        line += f"  {row['error_code']}: {' '.join(row['error_message'].split())}"
    return line


def _show_statistics(found: Statistics, *, as_json: bool) -> None:
    values = found.as_json()
    if as_json:
        click.echo(json.dumps(values, ensure_ascii=False))
        return
    if not values["models"]:
        click.echo(_nothing(), err=True)
        return
    head = ["model", "requests", "failed", "cancelled", *TOKEN_KINDS, "cost"]
    head += ["first p50", "first p95", "total p50", "total p95"]
    table = [head, *(_cells(name, sums) for name, sums in values["models"].items())]
    for line in aligned(table):
        click.echo(line)
    for code, count in values["errors"].items():
        click.echo(f"error {code}: {count}")


def _cells(name: str, sums: dict[str, Any]) -> list[str]:
    counts = [sums["requests"], sums["failed"], sums["cancelled"]]
    counts += [sums["tokens"].get(kind, 0) for kind in TOKEN_KINDS]
    cost = f"${sums['cost_usd']:.4f}"
    times = [sums[kind][rank] for kind in ("first_token_ms", "total_ms") for rank in ("p50", "p95")]
    return [
        name,
        *map(str, counts),
        cost,
        *("-" if value is None else f"{value / 1000:.2f} s" for value in times),
    ]


def aligned(table: Sequence[Sequence[str]]) -> list[str]:
    """The rows of a table as lines: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
