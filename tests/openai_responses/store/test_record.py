"""Items as they are kept: each with an id that leads to its response."""

from typing import Any

import pytest

from gateway_openai_responses.store.record import input_items, response_of_item

HEX = "0a" * 24
RESPONSE = f"resp_{HEX}"


@pytest.mark.parametrize(
    ("item_id", "expected"),
    [
        (f"msg_{HEX}0001", RESPONSE),
        (f"fco_{HEX}i0001", RESPONSE),
        (RESPONSE, None),
        ("msg_123", None),
        (f"msg_{HEX}0001x", None),
    ],
)
def test_the_response_of_an_item(item_id: str, expected: str | None) -> None:
    assert response_of_item(item_id) == expected


def listed(given: object, referenced: Any = None) -> list[dict[str, Any]]:
    return list(input_items(given, RESPONSE, referenced or {}))


def test_a_string_is_listed_as_a_message() -> None:
    assert listed("Hi") == [
        {
            "type": "message",
            "id": f"msg_{HEX}i0000",
            "role": "user",
            "content": [{"type": "input_text", "text": "Hi"}],
        }
    ]


def test_items_keep_their_ids_and_others_get_one() -> None:
    items = listed(
        [{"role": "assistant", "content": "a"}, {"type": "reasoning", "id": "rs_1"}, {"type": "x"}]
    )
    assert [item["id"] for item in items] == [f"msg_{HEX}i0000", "rs_1", f"item_{HEX}i0002"]
    assert items[0]["content"][0]["type"] == "output_text"
    assert response_of_item(items[2]["id"]) == RESPONSE


@pytest.mark.parametrize("kind", [{}, {"type": None}, {"type": "item_reference"}])
def test_a_reference_is_listed_as_what_it_means(kind: dict[str, Any]) -> None:
    meant = {"type": "function_call", "id": "fc_1"}
    assert listed([{**kind, "id": "fc_1"}], {"fc_1": meant}) == [meant]


def test_without_input_there_is_nothing() -> None:
    assert listed(None) == []
