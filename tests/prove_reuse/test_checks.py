"""The checks of `make prove-reuse` find what they are for."""

import base64
from pathlib import Path
from typing import Any

import pytest

from gateway.types import ChatRequest, Message, Target, Text
from gateway_claude_code.request.prepare import prepare
from gateway_claude_code.request.settings import NO_FURTHER_REQUEST, without_limit
from gateway_claude_code.upstream import MessagesRequest, text_answer
from tests.prove_reuse.callers.asked import Asked
from tests.prove_reuse.differences import differences
from tests.prove_reuse.ledger import Chain, Ledger
from tests.prove_reuse.leftovers import files_with_secrets
from tests.prove_reuse.marks import newest, secrets_in
from tests.prove_reuse.meaning import wrong

OWN, OTHER, MODEL = "zq0x1z", "zq1x2z", "claude-sonnet-5-5"
REQUEST = ChatRequest(
    model="sonnet",
    system=f"You are S. {OWN}",
    messages=(Message(role="user", parts=(Text(text="Hi"),)),),
)
BODY = {
    "model": MODEL,
    "system": [{"type": "text", "text": f"You are S. {OWN}"}],
    "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
    "max_tokens": 32000,
}


def arrived(headers: dict[str, str] | None = None, **body: Any) -> MessagesRequest:
    return MessagesRequest(body={**BODY, **body}, size=0, headers=headers or {}, received=0)


def user(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "text", "text": text}]}]


def found_wrong(request: MessagesRequest) -> list[str]:
    target = Target(model="sonnet", backend="claude-code", name="sonnet")
    asked = Asked(name="", request=REQUEST, target=target, reply=text_answer("ok"))
    asked.prepared.append(prepare(REQUEST, target))
    return list(wrong(asked, request, {}))


def test_the_request_itself_is_right() -> None:
    assert found_wrong(arrived()) == []


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(arrived(messages=user(f"Hi {OTHER}")), id="a secret of another's"),
        pytest.param(arrived(headers={"x": OTHER}), id="one in a header"),
        pytest.param(arrived(messages=user("Ho")), id="other words"),
        pytest.param(arrived(messages=user("Hi") + user("Hi")), id="words too many"),
        pytest.param(arrived(system=[]), id="no system prompt"),
        pytest.param(arrived(tools=[{"name": "a", "input_schema": {}}]), id="a tool"),
        pytest.param(arrived(temperature=0.2), id="a temperature"),
        pytest.param(arrived(stop_sequences=["END"]), id="a stop sequence"),
        pytest.param(arrived(tool_choice={"type": "any"}), id="a choice"),
        pytest.param(arrived(max_tokens=50), id="an output limit"),
        pytest.param(arrived(output_config={"format": {}}), id="a schema"),
    ],
)
def test_what_is_not_of_the_request_is_wrong(request_: MessagesRequest) -> None:
    assert found_wrong(request_)


@pytest.mark.parametrize(
    ("fresh", "path"),
    [
        (arrived(messages=user("Ho")), "body.messages[0].content[0].text"),
        (arrived(thinking={"type": "disabled"}), "body.thinking"),
        (arrived(headers={"anthropic-beta": "a,c"}), "headers.anthropic-beta[1]"),
        (arrived(headers={"anthropic-beta": "a"}), "headers.anthropic-beta (length)"),
        (arrived(headers={"x": "1", "anthropic-beta": "a,b"}), "headers.x"),
    ],
)
def test_each_difference_is_found(fresh: MessagesRequest, path: str) -> None:
    reused = arrived(headers={"anthropic-beta": "a,b"})
    assert path in [one.path for one in differences(reused, fresh)]


def test_ids_of_a_process_are_no_difference() -> None:
    one = arrived(headers={"x-claude-code-session-id": "1"}, metadata={"user_id": "1"})
    other = arrived(headers={"x-claude-code-session-id": "2"}, metadata={"user_id": "2"})
    assert differences(one, other) == []


def test_secrets_are_found_at_any_depth_and_in_base64() -> None:
    hidden = base64.b64encode(f"%PDF-1.4 and some more {OTHER} of it".encode()).decode()
    assert secrets_in({OWN: [{"source": {"data": hidden}}]}) == [OWN, OTHER]


def test_the_newest_secret_is_the_users() -> None:
    messages = [*user(OWN), {"role": "assistant", "content": OTHER}, *user("no secret")]
    assert newest(messages, {OWN, OTHER}) == OWN


def test_secrets_are_found_in_files_and_their_names(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "text").write_text(f"...{OWN}...", encoding="utf-8")
    (tmp_path / "in" / OTHER).touch()
    (tmp_path / "in" / "other").touch()
    found = {Path(each).name for each in files_with_secrets([tmp_path])}
    assert found == {"text", OTHER}


def line(uuid: str, text: str, *, query: bool) -> dict[str, Any]:
    message = {"role": "user", "content": [{"type": "text", "text": text}]}
    asks = {} if query else {"shouldQuery": False}
    return {"type": "user", "uuid": uuid, "message": message, **asks}


def settings(**values: Any) -> dict[str, Any]:
    request = {"subtype": "apply_flag_settings", "settings": values}
    return {"type": "control_request", "request_id": "s", "request": request}


def test_a_ledger_holds_what_remains_under_the_settings_of_its_time() -> None:
    chains: list[Chain] = []
    ledger = Ledger(chains.append)
    ledger.sent(settings(effortLevel="low", env={"A": "1"}))
    ledger.sent(line("u1", "one", query=True))
    ledger.sent(settings(effortLevel=None, env={"A": ""}))
    ledger.sent(line("u2", "two", query=True))
    rewind = {"subtype": "rewind_conversation", "target_message_uuid": "u2"}
    ledger.sent({"type": "control_request", "request_id": "r", "request": rewind})
    assert len(ledger.entries) == 2
    response = {"request_id": "r", "response": {"rewound": True}}
    ledger.received({"type": "control_response", "response": response})
    asks = ledger.sent(line("u3", "three", query=True))
    assert asks is not None
    asks.asked.append((arrived(), text_answer("ok")))
    ledger.end()
    [chain] = chains
    kept = [(entry.line["uuid"], entry.settings) for entry in chain.entries]
    assert kept == [("u1", {"effortLevel": "low", "env": {"A": "1"}}), ("u3", {"env": {}})]


def test_what_settings_leave_behind_is_not_meant() -> None:
    ledger = Ledger([].append)
    ledger.sent(settings(effortLevel="low", env={"A": "1"}))
    ledger.sent(settings(env={}))
    ledger.sent(settings(**NO_FURTHER_REQUEST))
    asks = ledger.sent(line("u1", "one", query=True))
    assert asks is not None
    assert asks.settings == {"env": {}}


def test_settings_that_only_allow_further_requests_leave_the_rest() -> None:
    ledger = Ledger([].append)
    ledger.sent(settings(effortLevel="low", env={"A": "1"}))
    ledger.sent(settings(**NO_FURTHER_REQUEST))
    ledger.sent(settings(**without_limit({})))
    asks = ledger.sent(line("u1", "one", query=True))
    assert asks is not None
    assert asks.settings == {"effortLevel": "low", "env": {"A": "1"}}
