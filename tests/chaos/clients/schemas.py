"""Clients whose schemas are at their limits, and just beyond them."""

import json
import random
from collections.abc import Mapping
from typing import Any, Final

import httpx

from gateway.config.settings import LimitsConfig
from tests.chaos.clients.client import MODEL, PATIENCE, new_secret
from tests.chaos.report import Report, Wrong
from tests.chaos.upstream import said

LIMITS: Final = LimitsConfig()
TOO_LARGE: Final = "400 invalid_request_error"


def with_properties(count: int) -> dict[str, Any]:
    """An object of so many properties, of which one has to be there."""
    names = {f"p{number}": {"type": "integer"} for number in range(count - 1)}
    return _saying(names)


def with_values(count: int) -> dict[str, Any]:
    """One with a choice among so many values."""
    return _saying({"choice": {"enum": [f"v{number}" for number in range(count)]}})


def with_characters(count: int) -> dict[str, Any]:
    """One whose names, values and patterns have so many characters together."""
    own = len("said") + len("choice")
    return _saying(
        {"choice": {"enum": ["v" * ((count - own) // 2), "w" * ((count - own + 1) // 2)]}}
    )


def _saying(more: Mapping[str, Any]) -> dict[str, Any]:
    properties = {"said": {"type": "string"}, **more}
    return {"type": "object", "properties": properties, "required": ["said"]}


KINDS: Final = (
    (with_properties, LIMITS.schema_properties),
    (with_values, LIMITS.schema_enum_values),
    (with_characters, LIMITS.schema_characters),
)


async def ask_for_json(
    http: httpx.AsyncClient, url: str, report: Report, dice: random.Random
) -> None:
    """One answer by a schema at a limit, or one beyond it, which has to be refused."""
    make, most = dice.choice(KINDS)
    fits = dice.random() < 0.6
    schema = make(most if fits else most + 1)
    secret = new_secret(dice)
    message = {"role": "user", "content": f"secret-{secret} wish-json"}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    body = {"model": MODEL, "messages": [message], "response_format": form}
    report.asked += 1
    with report.timed():
        try:
            answer = await http.post(url, json=body, timeout=PATIENCE)
            report.outcomes[_judged(answer, secret, fits=fits)] += 1
        except (Wrong, httpx.HTTPError, ValueError, KeyError) as error:
            report.wrong.append(f"{type(error).__name__} {error}: {make.__name__}, fits: {fits}")


def _judged(answer: httpx.Response, secret: str, *, fits: bool) -> str:
    body = answer.json()
    if answer.status_code != httpx.codes.OK:
        end = f"{answer.status_code} {body['error']['type']}"
        if fits or end != TOO_LARGE or "limits.schema_" not in body["error"]["message"]:
            raise Wrong(f"{end}: {body['error']['message']}")
        return end
    if not fits:
        raise Wrong("a schema beyond the limit was taken")
    if json.loads(body["choices"][0]["message"]["content"]) != {"said": said(secret)}:
        raise Wrong(f"not what was asked for: {body}")
    return "answer"
