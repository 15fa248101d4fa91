"""The list of facts: the forms of a source, the names of places, the two tables, and the page."""

from pathlib import Path
from textwrap import dedent

import pytest

from gateway_claude_code.compatibility.behaviours import BEHAVIOURS
from gateway_claude_code.facts.documented import PAGES
from gateway_claude_code.upstream.rules.table import RULES
from scripts.list_facts import Fact, Source, as_lines, as_page, facts, facts_of, sources_of, stated

ROOT = Path(__file__).parents[2]
FACTS = facts(ROOT)
"""Those of this repository."""


def facts_in(text: str) -> list[Fact]:
    return list(facts_of(Path("gateway/one.py"), dedent(text)))


@pytest.mark.parametrize(
    ("text", "kind", "names"),
    [
        ("so it is (seen with 2.1.197 and 2.1.330)", "cli", ["2.1.197", "2.1.330"]),
        ("CLI 2.1.330 does so", "cli", ["2.1.330"]),
        ("see platform.claude.com/docs/en/api/errors.", "page", ["platform.claude.com/docs/en/api/errors"]),
        ("(https://spec.openapis.org/oas/v3.0.3)", "page", ["spec.openapis.org/oas/v3.0.3"]),
        ("as can1357/oh-my-pi#341 and lingua#335 say", "issue", ["can1357/oh-my-pi#341", "lingua#335"]),
        ("(2.1.330; doctor: tools, tool_list)", "doctor", ["tools", "tool_list"]),
        ("RFC 9110, 7.8, and ISO 32000-1", "standard", ["RFC 9110", "ISO 32000-1"]),
        ("one connection a round (uvloop 0.23)", "program", ["uvloop 0.23"]),
        ("it holds the lock (seen with 0.61)", "program", ["0.61"]),
        ("counted for each use (assumed)", "assumed", ["assumed"]),
    ],
)  # fmt: skip
def test_a_source_is_known_by_its_form(text: str, kind: str, names: list[str]) -> None:
    assert [source.name for source in sources_of(text) if source.kind == kind] == names


@pytest.mark.parametrize(
    "text",
    [
        "it is assumed that the model is known",
        "HTTP/1.1 on 127.0.0.1:3456, 1.5 s",
        "a day in ISO 8601",
        "ask the doctor: it knows",
        "somebody@example.com wrote it",
    ],
)
def test_other_words_are_no_source(text: str) -> None:
    assert [source for source in sources_of(text) if source.kind != "doctor"] == []


def test_a_text_ends_with_its_last_source() -> None:
    assert stated("It is so (2.1.330). And so\n(RFC 9110). But this is ours.") == (
        "It is so (2.1.330). And so (RFC 9110)."
    )
    assert stated("This is ours.") == ""


def test_an_address_may_go_on_in_the_next_line() -> None:
    cut = stated("says platform.claude.com/docs/en/tool-use/\n    define-tools today")
    assert cut == "says platform.claude.com/docs/en/tool-use/define-tools today"


@pytest.mark.parametrize(
    ("text", "name", "line"),
    [
        ('"""A module (RFC 1)."""', "", 1),
        ('X = 1\n"""A constant (RFC 1)."""', "X", 2),
        ("# for the next (RFC 1)\nX = 1", "X", 1),
        ("X = {\n    # within (RFC 1)\n    1: 2,\n}", "X", 2),
        ("def f():\n    # within (RFC 1)\n    return 1", "f", 2),
        ("def f():\n    return 1  # behind (RFC 1)", "f", 2),
        ("def f():\n    # two lines of one\n    # fact (RFC 1)\n    return 1", "f", 2),
        ("def f():\n    # a source in two lines (RFC\n    # 1)\n    return 1", "f", 2),
        ('class A:\n    def f(self):\n        """Of a method.\n\n        More (RFC 1).\n        """', "A.f", 5),
        ('class A:\n    x: int = 1\n    """Of an attribute (RFC 1)."""', "A.x", 3),
        ('"""A list.\n\n- one\n- two (RFC 1)\n"""', "", 4),
    ],
)  # fmt: skip
def test_a_fact_is_found_with_its_place(text: str, name: str, line: int) -> None:
    (fact,) = facts_in(text)
    assert (fact.name, fact.line) == (name, line)
    assert fact.sources == (Source("standard", "RFC 1"),)


def test_a_text_that_is_no_comment_has_no_fact() -> None:
    assert facts_in('X = "seen with 2.1.330"\nprint("RFC 9110")\nX = 1  # noqa: S101') == []


def test_a_directive_is_not_part_of_the_text() -> None:
    (fact,) = facts_in("X = 1  # noqa: S108 - the CLI's choice (2.1.330)")
    assert fact.text == "the CLI's choice (2.1.330)"


def test_comments_at_another_depth_are_another_fact() -> None:
    found = facts_in("if X:\n    # one (RFC 1)\n# two (RFC 2)\n    Y = 1")
    assert [fact.text for fact in found] == ["one (RFC 1)", "two (RFC 2)"]


def test_every_rule_of_the_stand_in_is_a_fact_with_its_source() -> None:
    for rule in RULES:
        (fact,) = [
            fact for fact in FACTS
            if fact.name == rule.check.__name__ and fact.path.stem in rule.check.__module__
            and "upstream/rules/" in fact.path.as_posix()
        ]  # fmt: skip
        assert rule.source in ", ".join(source.name for source in fact.sources), rule.name
        assert fact.text.endswith("(Inferred.)") is (rule.confidence == "medium")


def test_every_fact_in_which_models_differ_has_its_page() -> None:
    rows = {fact.text: fact.sources[0].name for fact in FACTS if fact.name == "PAGES"}
    assert rows == {
        f"`{name}` of each model.": f"platform.claude.com/docs/en/{page}"
        for name, page in PAGES.items()
    }


def test_a_behaviour_that_is_named_is_one_that_the_doctor_checks() -> None:
    named = {source.name for fact in FACTS for source in fact.sources if source.kind == "doctor"}
    assert named
    assert named <= BEHAVIOURS.keys()


def test_the_terminal_gets_a_line_with_its_number_for_each() -> None:
    (line,) = as_lines(facts_in('X = 1\n"""It is so (CLI 2.1.330)."""')).splitlines()
    assert line == "gateway/one.py:2: X: It is so (CLI 2.1.330). [CLI 2.1.330]"


def test_the_page_has_a_row_without_its_number_for_each() -> None:
    found = facts_in('X = 1\n"""A `<b|c>` is *not* [so] (anthropics/claude-code#1)."""')
    assert as_page(found).splitlines()[-1] == (
        "| `one.py` `X` | A <code>&#60;b&#124;c&#62;</code> is \\*not\\* \\[so\\] "
        "(anthropics/claude-code#1). | "
        "[anthropics/claude-code#1](https://github.com/anthropics/claude-code/issues/1) |"
    )


def test_the_page_is_current() -> None:
    page = (ROOT / "docs" / "facts.md").read_text(encoding="utf-8")
    assert page == as_page(FACTS), "run `make docs-facts`"
