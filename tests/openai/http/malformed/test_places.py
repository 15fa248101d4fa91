"""A valid request with a value of a wrong type at every place in it, one at a time."""

import copy
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from tests.openai.http.malformed.malformed_support import CALL, CHAT, encoded, refused, tool
from tests.openai.openai_support import http_client, request_body

COMPLETE: dict[str, Any] = request_body(
    messages=[
        {"role": "system", "content": "Be brief.", "name": "s"},
        {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
        {
            "role": "user",
            "name": "u",
            "content": [
                {"type": "text", "text": "Look."},
                {"type": "image_url", "image_url": {"url": "https://x/y", "detail": "low"}},
                {"type": "file", "file": {"file_data": "SGk=", "filename": "a.txt"}},
            ],
        },
        {
            "role": "assistant",
            "content": [{"type": "refusal", "refusal": "No."}],
            "refusal": "No.",
            "tool_calls": [CALL],
        },
        {"role": "tool", "tool_call_id": "c1", "name": "f", "content": "Done."},
        {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "Done."},
    ],
    stream=False,
    stream_options={"include_usage": True, "include_obfuscation": False},
    tools=[tool(description="Does.", parameters={"type": "object"}, strict=True)],
    tool_choice={
        "type": "allowed_tools",
        "allowed_tools": {"mode": "auto", "tools": [tool()]},
    },
    response_format={
        "type": "json_schema",
        "json_schema": {"name": "n", "description": "d", "schema": {}, "strict": True},
    },
    stop=["END"],
    n=1,
    temperature=0.5,
    seed=1,
)

OPAQUE = {"parameters", "schema"}
ALTERNATIVES: dict[str, tuple[type, ...]] = {
    "content": (str, list),
    "image_url": (str, dict),
    "stop": (str, list),
    "tool_choice": (str, dict),
}
"""Fields that may be of more than one type."""

WRONG: list[Any] = [5, True, "\0wrong", ["wrong", 5], {"wrong": 5}]

Place = tuple[str | int, ...]


def places(value: object, place: Place = ()) -> Iterator[tuple[Place, object]]:
    """Every place below the top, with what is there."""
    items: Iterable[tuple[str | int, object]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        yield (*place, key), inner
        if key not in OPAQUE:
            yield from places(inner, (*place, key))


def mutations() -> Iterator[Any]:
    for place, value in places(COMPLETE):
        kinds = ALTERNATIVES.get(str(place[-1]), ())
        for wrong in WRONG:
            same = type(wrong) is type(value) or isinstance(wrong, kinds)
            number = isinstance(value, float) and wrong == 5
            if not same and not number:
                yield pytest.param(place, wrong, id=f"{path_of(place)}-{type(wrong).__name__}")


def path_of(place: Place) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return "".join(steps).removeprefix(".")


def replaced(place: Place, value: object) -> dict[str, Any]:
    body = copy.deepcopy(COMPLETE)
    inner: Any = body
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return body


async def test_the_complete_request_is_valid(app: FastAPI) -> None:
    async with http_client(app) as client:
        response = await client.post(CHAT, json=COMPLETE)
    assert response.status_code == 200


@pytest.mark.parametrize(("place", "value"), list(mutations()))
async def test_a_wrong_type_at_any_place(app: FastAPI, place: Place, value: object) -> None:
    response = await refused(app, CHAT, encoded(replaced(place, value)))
    assert response.status_code == 400
    param = response.json()["error"]["param"]
    assert param.startswith(path_of(place))
