"""The quota of a plan: on the CLI's subscription path, which a made-up token is enough for."""

import time

import httpx
import pytest

from gateway_claude_code.upstream import Answer, Failure, text_answer
from tests.cells import on_demand
from tests.e2e.conftest import StartGateway

pytestmark = pytest.mark.e2e

CHAT = {"model": "claude-sonnet-4", "messages": [{"role": "user", "content": "Hello"}]}
PLAN = {"ANTHROPIC_API_KEY": "", "CLAUDE_CODE_OAUTH_TOKEN": "made-up"}
LIMIT = "anthropic-ratelimit-unified"


def limits(status: str, reset: int) -> dict[str, str]:
    return {
        f"{LIMIT}-status": status,
        f"{LIMIT}-reset": str(reset),
        f"{LIMIT}-representative-claim": "five_hour",
        f"{LIMIT}-5h-status": status,
        f"{LIMIT}-5h-reset": str(reset),
        f"{LIMIT}-5h-utilization": "1.0" if status == "rejected" else "0.25",
    }


@pytest.mark.parametrize("stream", [on_demand(False), True])
def test_a_plan_that_is_used_up_is_asked_about_once(
    start_gateway: StartGateway, stream: bool
) -> None:
    reset = int(time.time()) + 7200
    gateway = start_gateway(
        environment=PLAN,
        script=lambda _: Failure(
            429, "rate_limit_error", "You have reached your limit.", limits("rejected", reset)
        ),
    )
    for _ in range(3):
        response = httpx.post(
            f"{gateway.url}/v1/chat/completions", json={**CHAT, "stream": stream}, timeout=30
        )
        assert response.status_code == 429
        error = response.json()["error"]
        assert (error["type"], error["code"]) == ("rate_limit_exceeded", "upstream_rate_limited")
        assert "the 5-hour usage limit of the Claude plan is reached" in error["message"]
        assert "(in 1 h 59 min)" in error["message"] or "(in 2 h)" in error["message"]
        assert "retry-after" not in response.headers
        assert response.headers["x-should-retry"] == "false"
        assert len(gateway.upstream.requests) == 1
    health = httpx.get(f"{gateway.url}/health").json()
    report = health["claude_code"]
    assert (health["status"], report["status"]) == ("degraded", "plan_used_up")
    assert (report["account"]["state"], report["account"]["resets_at"]) == ("plan_used_up", reset)
    assert (report["quota"]["status"], report["quota"]["resets_at"]) == ("rejected", reset)


def test_shortly_before_the_reset_clients_are_told_to_wait(start_gateway: StartGateway) -> None:
    reset = int(time.time()) + 45
    gateway = start_gateway(
        environment=PLAN,
        script=lambda _: Failure(429, "rate_limit_error", "No.", limits("rejected", reset)),
    )
    response = httpx.post(f"{gateway.url}/v1/chat/completions", json=CHAT, timeout=30)
    assert response.status_code == 429
    assert 1 <= int(response.headers["retry-after"]) <= 45
    assert "x-should-retry" not in response.headers


def test_the_windows_are_in_the_health_report(start_gateway: StartGateway) -> None:
    reset = int(time.time()) + 3600
    answer = text_answer("Fine.")

    def script(_: object) -> Answer:
        return Answer(blocks=answer.blocks, headers=limits("allowed", reset))

    # the CLI says it after the answer, to a gateway that still listens
    gateway = start_gateway(config={"plugins": {}}, environment=PLAN, script=script)
    assert httpx.post(f"{gateway.url}/v1/chat/completions", json=CHAT, timeout=30).is_success
    end = time.monotonic() + 5
    while "quota" not in (report := httpx.get(f"{gateway.url}/health").json()["claude_code"]):
        assert time.monotonic() < end, report
        time.sleep(0.05)
    assert report["quota"]["status"] == "allowed"
