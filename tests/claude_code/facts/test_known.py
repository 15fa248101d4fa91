"""Which of several sources counts for a fact: set, seen, asked, documented, assumed."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.types import Target
from gateway_claude_code.facts.asked import AskedModel
from gateway_claude_code.facts.documented import FACT_NAMES, documented
from gateway_claude_code.facts.known import KnownModels, Origin

TODAY = datetime.now(UTC).date().isoformat()
SONNET = AskedModel(value="sonnet", model="claude-sonnet-5-5", efforts=("low", "high"))


def target(name: str, facts: Mapping[str, Any] | None = None, **more: Any) -> Target:
    options = {} if facts is None else {"facts": facts}
    return Target(model="m", backend="claude-code", name=name, options=options, **more)


def test_without_anything_else_the_documentation_counts() -> None:
    about = KnownModels().about(target("haiku"))
    row = documented("haiku")
    assert (about.name, about.facts) == ("claude-haiku-5-5", row.facts)
    assert set(about.origins) == set(FACT_NAMES)
    assert about.origins["thinking"] == Origin(kind="documented", source=row.source("thinking"))


def test_of_a_model_without_documentation_all_is_assumed() -> None:
    about = KnownModels().about(target("claude-new-9"))
    assert about.facts == documented("opus").facts
    assert {origin.kind for origin in about.origins.values()} == {"assumed"}


def test_what_the_cli_says_goes_before_the_documentation() -> None:
    about = KnownModels(models=[SONNET]).about(target("sonnet"))
    assert about.facts.efforts == ("low", "high")
    assert about.origins["efforts"] == Origin(kind="asked", source="list_models")
    assert about.origins["thinking"].kind == "documented"


@pytest.mark.parametrize("how", ["learnt", "confirmed"])
def test_what_was_seen_goes_before_what_the_cli_says(how: Any) -> None:
    known = KnownModels(models=[SONNET])
    known.seen.note("claude-sonnet-5-5", "efforts", ("low",), how=how, said="no such effort")
    about = known.about(target("sonnet"))
    assert about.facts.efforts == ("low",)
    assert about.origins["efforts"] == Origin(kind=how, source="no such effort", date=TODAY)


def test_what_the_yaml_says_goes_before_all() -> None:
    known = KnownModels(models=[SONNET])
    known.seen.note("claude-sonnet-5-5", "efforts", ("low",), how="learnt")
    about = known.about(target("sonnet", {"efforts": ["max"], "max_output_tokens": 500}))
    assert (about.facts.efforts, about.facts.max_output_tokens) == (("max",), 500)
    assert about.origins["efforts"] == Origin(kind="set", source="models.yaml")
    assert about.origins["context_window"].kind == "documented"


@pytest.mark.parametrize(
    ("sampling", "rule", "kind"),
    [(True, "both", "set"), (False, "defaults", "set"), ("auto", "one", "documented")],
)
def test_sampling_of_the_entry_is_such_a_word(sampling: Any, rule: str, kind: str) -> None:
    about = KnownModels().about(target("claude-opus-4-5", sampling=sampling))
    assert (about.facts.sampling, about.origins["sampling"].kind) == (rule, kind)


def test_what_was_seen_of_one_model_says_nothing_of_another() -> None:
    known = KnownModels()
    known.seen.note("claude-opus-5-5", "cache_marks", False, how="learnt")
    assert known.about(target("claude-opus-5")).facts.cache_marks is True


@pytest.mark.parametrize("name", ["sonnet", "sonnet[1m]", "claude-sonnet-5-5"])
def test_a_model_is_the_same_by_each_of_its_names(name: str) -> None:
    known = KnownModels(models=[SONNET])
    assert known.about(target(name)).name == "claude-sonnet-5-5"
    assert known.about(target(name)).facts.efforts == ("low", "high")


def test_the_cli_s_word_decides_on_what_a_short_name_stands_for() -> None:
    known = KnownModels(models=[AskedModel(value="opus", model="claude-opus-6")])
    assert known.about(target("opus")).origins["prefill"].kind == "assumed"


def test_a_later_list_takes_the_place_of_an_earlier_one() -> None:
    known = KnownModels(models=[SONNET])
    known.asked([AskedModel(value="default", model="claude-opus-5-5")])
    assert [model.value for model in known.offered] == ["default"]
    assert known.about(target("sonnet")).origins["efforts"].kind == "documented"


def test_a_name_that_is_not_listed_is_what_its_answers_call_themselves() -> None:
    known = KnownModels(models=[SONNET])
    known.answered("mine", "claude-haiku-4-5-20251001")
    known.answered("sonnet", "claude-opus-5-5")
    known.answered("other", None)
    assert known.full_name("mine") == "claude-haiku-4-5-20251001"
    assert known.full_name("sonnet") == "claude-sonnet-5-5"
    assert known.full_name("other") == "other"


@pytest.mark.parametrize(
    ("adaptive", "off", "thinking"),
    [
        (True, True, {"adaptive", "disabled"}),
        (True, False, {"adaptive"}),
        (False, True, {"enabled", "disabled"}),
        (True, None, {"adaptive"}),
    ],
)
def test_the_cli_s_word_on_thinking_counts_for_models_without_documentation(
    adaptive: bool, off: bool | None, thinking: set[str]
) -> None:
    new = AskedModel(
        value="new", model="claude-new-9", adaptive_thinking=adaptive, thinking_off=off
    )
    about = KnownModels(models=[new]).about(target("new"))
    assert about.facts.thinking == thinking
    assert about.origins["thinking"].kind == ("assumed" if off is None else "asked")


def test_the_cli_s_word_on_thinking_does_not_count_against_the_documentation() -> None:
    haiku = AskedModel(
        value="haiku", model="claude-haiku-5-5", adaptive_thinking=True, thinking_off=False
    )
    about = KnownModels(models=[haiku]).about(target("haiku"))
    assert about.facts.thinking == {"adaptive", "disabled"}
