"""`dragoman logs`, on a database that is still being written to."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import cli
from gateway_request_log import command as command_module
from gateway_request_log.database import Database
from gateway_request_log.reading import parse_since, percentile
from tests.request_log.request_log_support import row

Run = Callable[..., Result]
NOW = datetime.now(UTC)


def ago(**age: float) -> str:
    return (NOW - timedelta(**age)).isoformat(timespec="milliseconds")


ROWS = [
    row(request_id="r1", time=ago(hours=30), model="opus", answer='[{"type": "text"}]'),
    row(request_id="r2", time=ago(minutes=150), total_ms=2000.0, tool_calls=2, cost_usd=0.0125),
    row(
        request_id="r3",
        time=ago(minutes=120),
        status="failed",
        finish_reason=None,
        error_code="backend_error",
        error_message="it\ndied",
        first_token_ms=None,
        input_tokens=None,
        output_tokens=None,
    ),
    row(request_id="r4", time=ago(minutes=90), status="cancelled", finish_reason=None),
]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Still open, as the gateway has it."""
    database = Database(tmp_path / "r.db", timedelta(days=30), 10**9)
    database.write(ROWS)
    yield database
    database.close()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def invoke(*arguments: str, section: object = None) -> Result:
        values = section if section is not None else {"database": str(tmp_path / "r.db")}
        path = tmp_path / "models.yaml"
        path.write_text(json.dumps({"plugins": {"request_log": values}}))
        return CliRunner().invoke(cli, ["logs", "--config", str(path), *arguments])

    return invoke


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        ([], ["r1", "r2", "r3", "r4"]),
        (["-n", "2"], ["r3", "r4"]),
        (["-n", "0"], []),
        (["--since", "6h"], ["r2", "r3", "r4"]),
        (["--since", ago(minutes=105)], ["r4"]),
        (["--model", "opus"], ["r1"]),
        (["--model", "m-1"], ["r1", "r2", "r3", "r4"]),
        (["--errors"], ["r3"]),
        (["--errors", "--since", "10m"], []),
    ],
)
def test_what_is_shown(run: Run, arguments: list[str], ids: list[str]) -> None:
    result = run("--json", *arguments)
    assert result.exit_code == 0, result.output
    assert [json.loads(line)["request_id"] for line in result.stdout.splitlines()] == ids


def test_a_list_without_rows_says_why(run: Run, database: Database) -> None:
    assert "No matching requests in the log" in run("--errors", "--since", "10m").stderr
    assert "No matching requests in the log" in run("--stats", "--model", "none").stderr
    assert run("-n", "0").stderr == ""


@pytest.mark.usefixtures("database")
def test_json_has_bodies_as_values(run: Run) -> None:
    first, second, *_ = map(json.loads, run("--json").output.splitlines())
    assert (first["answer"], first["request"]) == ([{"type": "text"}], None)
    assert second["total_ms"] == 2000


@pytest.mark.usefixtures("database")
def test_lines_for_a_person(run: Run) -> None:
    lines = run().output.splitlines()
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  m +end +2\.00 s  first 0\.03 s  10 in, 5 out  \$0\.0125"
        r"  2 calls",
        lines[1],
    )
    assert lines[2].endswith("failed          0.40 s  backend_error: it died")
    assert "cancelled" in lines[3]


@pytest.mark.usefixtures("database")
def test_statistics(run: Run) -> None:
    sums = json.loads(run("--stats", "--json").output)
    assert sums["errors"] == {"backend_error": 1}
    assert sums["models"]["m"] == {
        "requests": 3,
        "failed": 1,
        "cancelled": 1,
        "tokens": {"input": 20, "output": 10, "cached": 12, "reasoning": 3},
        "cost_usd": 0.0125,
        "first_token_ms": {"p50": 30, "p95": 30},
        "total_ms": {"p50": 2000, "p95": 2000},
    }
    table = run("--stats").output.splitlines()
    assert table[0].split()[:4] == ["model", "requests", "failed", "cancelled"]
    assert table[1].split()[:4] == ["m", "3", "1", "1"]
    assert (table[0].split()[8], table[1].split()[8]) == ("cost", "$0.0125")
    assert table[2].split()[0] == "opus"
    assert table[3] == "error backend_error: 1"


@pytest.mark.usefixtures("database")
def test_statistics_without_completed_answers(run: Run) -> None:
    assert run("--stats", "--errors").output.splitlines()[1].split()[-1] == "-"


def test_follow_goes_on_with_what_comes(
    run: Run, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = [[row(request_id="r5")], [], [row(request_id="r6", status="failed")]]

    def sleep(_: float) -> None:
        if not later:
            raise KeyboardInterrupt
        database.write(later.pop(0))

    monkeypatch.setattr(command_module.time, "sleep", sleep)
    # old rows that come later are shown as well: the order is that of writing
    shown = run("--json", "-n", "1", "--follow").output.strip().splitlines()
    ids = [json.loads(line)["request_id"] for line in shown if line.startswith("{")]
    assert ids == ["r4", "r5", "r6"]


@pytest.mark.parametrize(
    ("arguments", "section", "said"),
    [
        (["--since", "soon"], None, "'soon' is neither an age like 30m, 1h or 7d, nor a time"),
        (["--stats", "--follow"], None, "--stats can't be combined with --follow"),
        ([], None, "no request log at"),
        ([], {"database": False}, "`request_log: {database: false}`"),
        ([], {"bodys": True}, "unknown key 'bodys'"),
    ],
)
def test_what_is_wrong_is_said(run: Run, arguments: list[str], section: Any, said: str) -> None:
    result = run(*arguments, section=section)
    assert result.exit_code != 0
    assert said in result.output


def test_a_file_that_is_no_database(run: Run, tmp_path: Path) -> None:
    (tmp_path / "r.db").write_text("something else entirely, and long enough to be read" * 10)
    result = run()
    assert (result.exit_code, "can't be read" in result.output) == (1, True)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("1.5h", 5400), ("7d", 604800), ("1w", 604800)],
)
def test_ages(text: str, seconds: float) -> None:
    assert parse_since(text, NOW) == NOW - timedelta(seconds=seconds)


def test_times_with_and_without_a_zone() -> None:
    assert parse_since("2026-01-02T03:04:05+01:00", NOW) == datetime(
        2026, 1, 2, 2, 4, 5, tzinfo=UTC
    )
    assert parse_since("2026-01-02", NOW) == datetime(2026, 1, 2).astimezone(UTC)


@pytest.mark.parametrize(
    ("values", "percent", "found"),
    [([], 50, None), ([1], 95, 1), ([1, 2], 50, 1), (list(range(1, 101)), 95, 95), ([1, 2], 0, 1)],
)
def test_percentiles(values: list[float], percent: float, found: float | None) -> None:
    assert percentile(values, percent) == found
