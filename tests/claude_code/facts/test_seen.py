"""The file of what was learnt and confirmed."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway_claude_code.facts.seen import FORGET_DAYS, SeenFact, SeenFacts

DAY = date(2026, 11, 20)
GOOD = {"value": False, "how": "learnt", "said": "no", "date": DAY.isoformat()}


def seen_on(path: Path | None, day: date = DAY) -> SeenFacts:
    return SeenFacts(path, today=lambda: day)


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("thinking", frozenset({"adaptive", "disabled"})),
        ("efforts", ("low", "max")),
        ("effort_without_thinking", None),
        ("sampling", "one"),
        ("forced_tool_choice", False),
        ("max_output_tokens", 64_000),
    ],
)
def test_a_fact_is_there_after_a_restart(fact: str, value: object, tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    seen_on(path).note("m", fact, value, how="learnt", said="the API's words")
    kept = seen_on(path).about("m")
    assert kept == {
        fact: SeenFact(value=value, how="learnt", said="the API's words", date="2026-11-20")
    }


def test_the_last_one_seen_counts(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    seen = seen_on(path)
    seen.note("m", "prefill", True, how="learnt")
    seen.note("m", "prefill", False, how="confirmed")
    assert seen_on(path).about("m")["prefill"].how == "confirmed"
    assert seen_on(path).about("m")["prefill"].value is False


@pytest.mark.parametrize(
    ("days", "counts"), [(0, True), (FORGET_DAYS, True), (FORGET_DAYS + 1, False)]
)
def test_a_lesson_is_forgotten_in_time(days: int, counts: bool, tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    seen_on(path).note("m", "prefill", True, how="learnt")
    assert bool(seen_on(path, DAY + timedelta(days=days)).about("m")) is counts


def test_the_file_is_its_owner_s_only(tmp_path: Path) -> None:
    path = tmp_path / "state" / "facts.json"
    seen_on(path).note("m", "prefill", True, how="learnt")
    assert path.stat().st_mode & 0o777 == 0o600


def test_without_a_file_it_is_remembered_for_as_long_as_the_gateway_runs() -> None:
    seen = seen_on(None)
    seen.note("m", "prefill", True, how="learnt")
    assert set(seen.about("m")) == {"prefill"}


def test_a_file_that_can_t_be_written_is_no_reason_to_fail(tmp_path: Path) -> None:
    seen = seen_on(tmp_path)
    seen.note("m", "prefill", True, how="learnt")
    assert set(seen.about("m")) == {"prefill"}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"models": []}', '{"models": {"m": []}}', "\x00", "{}"]
)
def test_a_file_that_can_t_be_read_is_as_good_as_none(text: str, tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    path.write_text(text, encoding="utf-8")
    assert seen_on(path).about("m") == {}


@pytest.mark.parametrize(
    "entry",
    [
        None,
        [],
        {**GOOD, "value": "perhaps"},
        {**GOOD, "how": "guessed"},
        {**GOOD, "said": None},
        {**GOOD, "date": 20261120},
        {**GOOD, "date": "yesterday"},
        {key: GOOD[key] for key in ("value", "how", "said")},
    ],
)
def test_a_broken_fact_is_left_out_and_the_others_count(entry: Any, tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    facts = {"prefill": entry, "cache_marks": GOOD, "unheard_of": GOOD}
    path.write_text(json.dumps({"models": {"m": facts}}), encoding="utf-8")
    assert set(seen_on(path).about("m")) == {"cache_marks"}


def test_it_is_in_the_user_s_state_folder(tmp_path: Path) -> None:
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    SeenFacts.of_user(environ).note("m", "prefill", True, how="learnt")
    assert (tmp_path / "dragoman/model-facts.json").is_file()
    assert set(SeenFacts.of_user(environ).about("m")) == {"prefill"}


def test_what_another_process_noted_stays(tmp_path: Path) -> None:
    file = tmp_path / "facts.json"
    gateway, doctor = SeenFacts(file), SeenFacts(file)
    gateway.note("m", "sampling", "one", how="learnt")
    doctor.note("m", "sampling", "defaults", how="confirmed")
    doctor.note("n", "prefill", value=False, how="confirmed")
    gateway.note("m", "cache_marks", value=False, how="learnt")
    now = SeenFacts(file)
    assert {fact: seen.value for fact, seen in now.about("m").items()} == {
        "sampling": "defaults",
        "cache_marks": False,
    }
    assert now.about("n")["prefill"].how == "confirmed"


def test_without_a_file_it_is_remembered_all_the_same() -> None:
    seen = SeenFacts(None)
    seen.note("m", "sampling", "one", how="learnt")
    seen.note("m", "prefill", value=False, how="learnt")
    assert set(seen.about("m")) == {"sampling", "prefill"}
