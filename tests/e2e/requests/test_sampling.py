"""Sampling and limits beyond what a model takes, over the real CLI: lowered, left out, learnt."""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway_claude_code.facts.documented import documented
from gateway_claude_code.upstream import Failure, offline_script, running_upstream
from tests.cells import on_demand
from tests.e2e.bodies import chat, comparable, last_request, post
from tests.e2e.conftest import StartGateway
from tests.e2e.gateways import A_PROCESS_A_REQUEST, RunningGateway, running_gateway

pytestmark = pytest.mark.e2e

OLDER, BUDGET = "claude-opus-4-6", "claude-sonnet-4-5-20250929"


# -- what is over the limits --------------------------------------------------------------


def test_what_is_lowered_is_said(gateway: RunningGateway) -> None:
    reply = chat(gateway, model=BUDGET, temperature=1.7, max_tokens=10**7)
    assert reply.headers["x-dragoman-adjusted"] == "max_tokens=64000,temperature=1"
    body = last_request(gateway).body
    assert body["max_tokens"] == 64_000
    # the API's highest temperature is its default too, and only without it may the model think
    assert "temperature" not in body
    assert body["thinking"]["type"] == "enabled"


def test_what_is_within_the_limits_is_not_adjusted(gateway: RunningGateway) -> None:
    reply = chat(gateway, model=BUDGET, temperature=1, max_tokens=64_000)
    assert "x-dragoman-adjusted" not in reply.headers
    assert last_request(gateway).body["max_tokens"] == 64_000


def test_an_effort_wins_over_a_temperature(gateway: RunningGateway) -> None:
    reply = chat(gateway, model=OLDER, temperature=0.25, reasoning_effort="low")
    assert reply.headers["x-dragoman-ignored"] == "temperature"
    body = last_request(gateway).body
    assert (body["thinking"]["type"], body["output_config"]["effort"]) == ("adaptive", "low")
    assert "temperature" not in body


# -- what an entry says -------------------------------------------------------------------


def test_what_an_entry_says_about_sampling_goes_over_the_documentation(
    start_gateway: StartGateway,
) -> None:
    entry = {"backend": "claude-code", "target": OLDER, "sampling": False}
    gateway = start_gateway(config={"models": {"refuses": entry}})
    chat(gateway, model="refuses")
    plain = comparable(last_request(gateway))
    reply = chat(gateway, stream=True, model="refuses", temperature=0, top_p=0.5)
    assert reply.headers["x-dragoman-ignored"] == "temperature,top_p"
    assert comparable(last_request(gateway)) == plain


def test_sampling_that_an_entry_wrongly_promises_is_left_out_each_time(
    start_gateway: StartGateway,
) -> None:
    entry = {"backend": "claude-code", "target": "sonnet", "sampling": True}
    gateway = start_gateway(config={"models": {"promised": entry}})
    for _ in range(2):  # the entry's word goes over what a refusal has taught
        gateway.upstream.requests.clear()
        reply = chat(gateway, model="promised", temperature=0.5)
        assert reply.headers["x-dragoman-ignored"] == "temperature"
        sent = [request.body.get("temperature") for request in gateway.upstream.requests]
        assert (sent[0], sent[-1]) == (0.5, None)


# -- what a refusal teaches ---------------------------------------------------------------


def test_sampling_that_the_upstream_refuses_is_left_out_from_then_on(
    tmp_path: Path, cli_command: str
) -> None:
    with (
        running_upstream(
            offline_script,
            facts=lambda model: replace(documented(model).facts, sampling="defaults"),
        ) as upstream,
        running_gateway(
            tmp_path, upstream, A_PROCESS_A_REQUEST, {"DRAGOMAN_CLAUDE_COMMAND": cli_command}
        ) as gateway,
    ):
        ignored, first = ignored_and_sent(gateway, temperature=0)
        assert ignored == "temperature"
        # the CLI may repeat by itself what was refused
        assert (first[0], first.count((None, None)), first[-1]) == ((0, None), 1, (None, None))
        assert ignored_and_sent(gateway, top_p=0.5) == ("top_p", [(None, None)])
        assert ignored_and_sent(gateway) == (None, [(None, None)])


def ignored_and_sent(
    gateway: RunningGateway, **fields: object
) -> tuple[str | None, list[tuple[object, object]]]:
    """What is said to be ignored, and the temperature and top_p of each upstream request."""
    gateway.upstream.requests.clear()
    reply = chat(gateway, model=OLDER, **fields)
    bodies = [request.body for request in gateway.upstream.requests]
    sent = [(body.get("temperature"), body.get("top_p")) for body in bodies]
    return reply.headers.get("x-dragoman-ignored"), sent


@pytest.mark.parametrize(
    ("param", "message", "stream"),
    [
        on_demand("temperature", "temperature: Extra inputs are not permitted", False),
        ("temperature", "`temperature` is deprecated for this model.", True),
        on_demand("top_p", "top_p: Extra inputs are not permitted", True),
    ],
)
def test_a_sampling_parameter_that_is_refused_even_when_left_out_is_named(
    start_gateway: StartGateway, param: str, message: str, stream: bool
) -> None:
    gateway = start_gateway()
    gateway.upstream.script = lambda _: Failure(400, "invalid_request_error", message)
    reply = post(gateway, stream=stream, model=OLDER, **{param: 0.5})
    assert (reply.status, reply.error["param"]) == (400, param)
    assert reply.error["message"] == f"This model does not accept {param}. Leave it out."
    # the CLI may repeat by itself what was refused; one more try of ours is without it
    sent = [request.body.get(param) for request in gateway.upstream.requests]
    assert (sent[0], sent[-1]) == (0.5, None)
