"""The stand-in with its rules, over a real socket."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from gateway_claude_code.facts.documented import documented
from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.upstream import Upstream, in_order, running_upstream, text_answer

BODY = {
    "model": "claude-opus-5-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "Hi"}],
}
COLD = {**BODY, "temperature": 0}


@contextmanager
def listening(**options: Any) -> Iterator[tuple[Upstream, httpx.Client]]:
    script = in_order(text_answer("Hello"))
    with running_upstream(script, **options) as upstream, httpx.Client() as client:
        client.base_url = httpx.URL(upstream.url)
        yield upstream, client


def test_a_refusal_has_the_form_of_the_apis() -> None:
    with listening() as (_, client):
        response = client.post("/v1/messages", json=COLD)
    assert response.status_code == 400
    assert response.json()["error"] == {
        "type": "invalid_request_error",
        "message": "`temperature` is deprecated for this model.",
    }
    assert response.json()["request_id"] == response.headers["request-id"]


def test_a_refused_request_is_recorded_with_its_rule_and_the_script_is_not_asked() -> None:
    with listening() as (upstream, client):
        client.post("/v1/messages", json=COLD)
        client.post("/v1/messages", json=BODY)
    assert [request.body for request in upstream.requests] == [COLD, BODY]
    (refused,) = upstream.refusals
    assert (refused.rule, refused.request.body) == ("sampling.defaults", COLD)


def test_without_recording_refused_requests_are_not_kept_either() -> None:
    with listening(record=False) as (upstream, client):
        client.post("/v1/messages", json=COLD)
    assert upstream.refusals == []


def test_a_rule_that_is_off_refuses_nothing() -> None:
    with listening(rules_off={"sampling.defaults"}) as (_, client):
        assert client.post("/v1/messages", json=COLD).status_code == 200


def test_an_unknown_rule_can_not_be_off() -> None:
    with pytest.raises(ValueError, match=r"unknown rules: sampling\.nothing"):
        Upstream(in_order(text_answer("Hello")), rules_off={"sampling.nothing"})


def test_other_facts_make_other_refusals() -> None:
    def facts(model: str) -> ModelFacts:
        return replace(documented(model).facts, sampling="both")

    with listening(facts=facts) as (_, client):
        assert client.post("/v1/messages", json=COLD).status_code == 200
