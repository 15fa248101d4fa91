"""Two processes that note facts: a gateway that runs, and `dragoman doctor --live` beside it."""

from pathlib import Path

from gateway_claude_code.facts.seen import SeenFacts


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
