"""What the account behind the login is refused, and how often the upstream is asked, over the real CLI."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from gateway_claude_code.upstream import Failure, text_answer
from tests.cells import in_turn, on_demand
from tests.e2e.conftest import StartGateway
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e

CHAT = {"model": "claude-sonnet-4", "messages": [{"role": "user", "content": "Hello"}]}
KEY = {"ANTHROPIC_API_KEY": "made-up"}
PLAN = {"ANTHROPIC_API_KEY": "", "CLAUDE_CODE_OAUTH_TOKEN": "made-up"}

THIRD_PARTY = (
    "Third-party apps now draw from your extra usage, not your plan limits. "
    "Add more at claude.ai/settings/usage and keep going."
)
NO_CREDIT = "Your credit balance is too low to access the Anthropic API."
SPENT = "You have reached your API usage limits. You will regain access on 2126-12-01 at 00:00 UTC."


def ask(gateway: RunningGateway, **fields: object) -> httpx.Response:
    return httpx.post(f"{gateway.url}/v1/chat/completions", json={**CHAT, **fields}, timeout=30)


def account(gateway: RunningGateway) -> tuple[str, str | None]:
    """The gateway's status, and the account's state."""
    health = httpx.get(f"{gateway.url}/health").json()
    return health["status"], health["claude_code"].get("account", {}).get("state")


@pytest.mark.parametrize(
    ("login", "failure", "state", "code", "said", "stream"),
    in_turn(
        [
            (
                PLAN,
                Failure(400, "invalid_request_error", THIRD_PARTY),
                "extra_usage",
                None,
                "Third-",
            ),
            (
                PLAN,
                Failure(400, "invalid_request_error", "You're out of extra usage. Add more."),
                "extra_usage",
                None,
                "You're out of extra usage.",
            ),
            (KEY, Failure(402, "billing_error", NO_CREDIT), "billing", None, "redit balance"),
            (
                KEY,
                Failure(400, "invalid_request_error", NO_CREDIT),
                "billing",
                None,
                "redit balance",
            ),
            (
                KEY,
                Failure(429, "rate_limit_error", SPENT),
                "spend_limit",
                "upstream_rate_limited",
                "regain access on 2126-12-01",
            ),
        ],
        [False, True],
        names=["third party", "extra usage", "402", "credit", "spend limit"],
        each_time=["third party", "credit", "spend limit"],
    ),
)
def test_the_account_is_refused(
    start_gateway: StartGateway,
    login: dict[str, str],
    failure: Failure,
    state: str,
    code: str | None,
    said: str,
    stream: bool,
) -> None:
    gateway = start_gateway(environment=login, script=lambda _: failure)
    response = ask(gateway, stream=stream)
    assert response.status_code == 429, response.text
    assert response.headers["x-should-retry"] == "false"
    assert "retry-after" not in response.headers
    error = response.json()["error"]
    kind = "insufficient_quota" if code is None else "rate_limit_exceeded"
    assert (error["type"], error["code"]) == (kind, code or kind)
    assert said in error["message"]
    assert account(gateway) == ("degraded", state)


def test_what_is_refused_as_extra_usage_is_no_verdict_on_other_requests(
    start_gateway: StartGateway,
) -> None:
    gateway = start_gateway(
        environment=PLAN, script=lambda _: Failure(400, "invalid_request_error", THIRD_PARTY)
    )
    assert ask(gateway).status_code == 429
    gateway.upstream.script = lambda _: text_answer("Fine.")
    gateway.upstream.requests.clear()
    assert ask(gateway).status_code == 429  # the same one, as clients send it again
    assert gateway.upstream.requests == []
    assert ask(gateway, max_tokens=1000).status_code == 200
    assert account(gateway) == ("ok", None)


SENTENCE = "This request would exceed your organization's rate limit of 50 requests per minute."


@pytest.fixture(params=["key", "plan"])
def either(request: pytest.FixtureRequest) -> RunningGateway:
    """A gateway with each kind of login; the shared one has a key."""
    if request.param == "key":
        shared: RunningGateway = request.getfixturevalue("gateway")
        return shared
    start: StartGateway = request.getfixturevalue("start_gateway")
    return start(environment=PLAN)


def test_a_rate_limit_has_the_apis_sentence_and_its_time(either: RunningGateway) -> None:
    gateway = either
    failure = Failure(429, "rate_limit_error", SENTENCE, {"retry-after": "17"})
    gateway.upstream.script = lambda _: failure
    for stream in (False, True):
        response = ask(gateway, stream=stream)
        error = response.json()["error"]
        assert (response.status_code, error["code"]) == (429, "upstream_rate_limited")
        assert SENTENCE in error["message"]
        # the CLI adds up to a quarter
        assert 17 <= int(response.headers["retry-after"]) <= 22
        assert "x-should-retry" not in response.headers
    assert account(gateway) == ("ok", None)


def test_a_rate_limit_of_more_than_a_minute_is_not_waited_for(gateway: RunningGateway) -> None:
    failure = Failure(429, "rate_limit_error", SENTENCE, {"retry-after": "900"})
    gateway.upstream.script = lambda _: failure
    response = ask(gateway)
    assert SENTENCE in response.json()["error"]["message"]
    assert response.headers["retry-after"] == "60"
    assert response.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    ("failure", "status", "retry_after", "stream"),
    in_turn(
        [
            (Failure(429, "rate_limit_error", "Slow down."), 429, range(5, 6)),
            (Failure(529, "overloaded_error", "Overloaded"), 503, range(5, 6)),
            (Failure(503, "overloaded_error", "Busy", {"retry-after": "9"}), 503, range(9, 13)),
            (Failure(500, "api_error", "Internal server error"), 502, None),
        ],
        [False, True],
        names=["429", "529", "503", "500"],
    ),
)
def test_the_upstream_is_asked_as_often_as_the_gateway(
    gateway: RunningGateway, failure: Failure, status: int, retry_after: range | None, stream: bool
) -> None:
    gateway.upstream.script = lambda _: failure
    for count in (1, 2):
        response = ask(gateway, stream=stream)
        assert response.status_code == status
        assert failure.message.lower() in response.json()["error"]["message"].lower()
        told = response.headers.get("retry-after")
        assert told is None if retry_after is None else int(told or 0) in retry_after
        assert gateway.wait_until_idle() == []
        assert len(gateway.upstream.requests) == count


def test_a_login_that_is_refused_is_tried_once(either: RunningGateway) -> None:
    failure = Failure(401, "authentication_error", "invalid x-api-key")
    either.upstream.script = lambda _: failure
    assert ask(either).status_code == 401
    assert either.wait_until_idle() == []
    assert len(either.upstream.requests) == 1


def test_the_retries_that_are_asked_for_are_made(start_gateway: StartGateway) -> None:
    plugins = {"claude_code": {"max_spares": 0, "max_live": 0, "upstream_retries": 1}}
    gateway = start_gateway(
        config={"plugins": plugins},
        script=lambda _: Failure(529, "overloaded_error", "Overloaded"),
    )
    assert ask(gateway).status_code == 503
    assert gateway.wait_until_idle() == []
    assert len(gateway.upstream.requests) == 2


TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    for name in ("zebra", "add", "my.tool")
]


@pytest.mark.parametrize(
    ("sentence", "param", "said"),
    [
        # the CLI sends tools by their names: add, my_tool, zebra
        (
            "tools.2.custom.input_schema: JSON schema is invalid.",
            "tools[0].function.parameters",
            "of 'zebra'",
        ),
        on_demand(
            "tools.1.custom.description: too long",
            "tools[2].function.description",
            "of 'my.tool'",
        ),
        on_demand(
            "max_tokens: 200000 > 128000, which is the most.", "max_tokens", "200000 > 128000"
        ),
        on_demand("stop_sequences.0: must contain non-whitespace", "stop", "stop: must contain"),
        (
            "messages.0.content.0.image.source.base64: not a valid image",
            "messages",
            # the CLI takes the picture out, and the log says why
            "does not accept an image of this request: not a valid image.",
        ),
        on_demand(
            "tool_choice: Tool 'mcp__t__my_tool' not found in provided tools",
            "tools[2].function.parameters",
            "do not include 'my.tool'",
        ),
        ("context_management: Extra inputs are not permitted", None, "Claude Code CLI adds"),
        (
            "messages.1.content.0: Invalid `signature` in `thinking` block",
            "messages",
            "Resend the conversation unchanged",
        ),
    ],
)
def test_an_invalid_request_is_told_in_the_clients_words(
    gateway: RunningGateway, sentence: str, param: str | None, said: str
) -> None:
    gateway.upstream.script = lambda _: Failure(400, "invalid_request_error", sentence)
    response = ask(gateway, tools=TOOLS)
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["param"] == param
    assert said in error["message"]
    for internal in ("mcp__", ".custom", "API Error", "/login", "127.0.0.1"):
        assert internal not in error["message"]


def test_an_empty_account_is_answered_from_memory_and_seen_in_the_terminal_and_the_metrics(
    start_gateway: StartGateway,
) -> None:
    plugins = {"claude_code": {"max_spares": 0, "max_live": 0}, "metrics": {}}
    gateway = start_gateway(
        config={"plugins": plugins}, script=lambda _: Failure(402, "billing_error", NO_CREDIT)
    )
    for _ in range(3):
        assert ask(gateway).status_code == 429
        assert len(gateway.upstream.requests) == 1
    dragoman = str(Path(sys.executable).parent / "dragoman")
    shown = subprocess.run(
        [dragoman, "status", "--url", gateway.url], capture_output=True, text=True, check=False
    )
    assert shown.returncode == 1
    assert "no credit, or a payment problem" in shown.stdout
    metrics = httpx.get(f"{gateway.url}/metrics").text
    assert 'dragoman_account_refused{backend="claude_code",state="billing"} 1.0' in metrics


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        on_demand(400, "invalid_request_error"),
        (401, "authentication_error"),
        on_demand(403, "permission_error"),
    ],
)
def test_a_refusal_does_not_name_the_account(
    gateway: RunningGateway, status: int, kind: str
) -> None:
    sentence = "Your organization Jane Doe (jane@example.com) has been disabled."
    gateway.upstream.script = lambda _: Failure(status, kind, sentence)
    response = ask(gateway)
    assert response.status_code == status
    assert "Your organization […] has been disabled." in response.json()["error"]["message"]
    for text in (response.text, httpx.get(f"{gateway.url}/health").text):
        assert "Jane" not in text
        assert "jane@" not in text


def test_a_context_that_is_too_long_with_max_tokens_is_told_as_such(
    gateway: RunningGateway,
) -> None:
    sentence = (
        "input length and `max_tokens` exceed context limit: 190000 + 64000 > 200000, decrease "
        "input length or `max_tokens` and try again"
    )
    gateway.upstream.script = lambda _: Failure(400, "invalid_request_error", sentence)
    response = ask(gateway)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (400, "context_length_exceeded")
    assert "Shorten the messages" in error["message"]


def test_a_long_sentence_is_told_from_its_beginning(gateway: RunningGateway) -> None:
    sentence = f"Slow down. {'No, ' * 40_000}and that is all"
    gateway.upstream.script = lambda _: Failure(429, "rate_limit_error", sentence)
    response = ask(gateway)
    assert response.status_code == 429
    assert "Slow down. No, No, " in response.json()["error"]["message"]
