"""What is said of two bodies that are not the same."""

from typing import Any

import pytest

from gateway_claude_code.doctor.scenarios.bodies import difference

TEXT = {"type": "text", "text": "one"}
MARKED = {**TEXT, "cache_control": {"type": "ephemeral"}}
BODY = {
    "max_tokens": 5,
    "messages": [{"role": "user", "content": [TEXT, MARKED]}],
    "metadata": {"user_id": "a"},
}


def asked(*content: dict[str, Any], role: str = "user") -> dict[str, Any]:
    return {**BODY, "messages": [{"role": role, "content": list(content)}]}


@pytest.mark.parametrize(
    ("arrived", "words"),
    [
        (BODY, ""),
        ({**BODY, "metadata": {"user_id": "b"}}, ""),
        ({**BODY, "max_tokens": 6}, "max_tokens differs"),
        ({**BODY, "tools": []}, "tools is added"),
        ({**BODY, "max_tokens": None}, "max_tokens differs"),
        ({"messages": BODY["messages"]}, "max_tokens is missing"),
        ({**BODY, "messages": []}, "messages has 0 instead of 1"),
        (asked(TEXT, MARKED, role="assistant"), "messages[0].role differs"),
        (asked(TEXT), "messages[0].content has 1 instead of 2"),
        (asked(TEXT, TEXT), "messages[0].content[1].cache_control is missing"),
        (asked(MARKED, MARKED), "messages[0].content[0].cache_control is added"),
        (asked({**TEXT, "text": "two"}, MARKED), "messages[0].content[0].text differs"),
        ({**BODY, "messages": [{"role": "user", "content": "one"}]}, "messages[0].content differs"),
    ],
)
def test_the_first_difference_is_named_by_its_place(arrived: dict[str, Any], words: str) -> None:
    assert difference(BODY, arrived) == words
