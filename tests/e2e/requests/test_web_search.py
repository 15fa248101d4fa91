"""The API's own web search, over the real CLI: its results stay in the process, and are cited."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import httpx
import openai
import pytest
from openai.types.chat import ChatCompletion

from gateway_claude_code.facts.documented import documented
from gateway_claude_code.facts.model_facts import SearchKind
from gateway_claude_code.upstream import (
    Answer,
    SearchBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    Usage,
    cited,
    in_order,
    offline_script,
    running_upstream,
    text_answer,
    web_search,
)
from tests.e2e.bodies import HI, blocks, function, last_request, post
from tests.e2e.gateways import RunningGateway, running_gateway

pytestmark = pytest.mark.e2e

A, B = "https://a.example/1", "https://b.example/2"
SEARCH = web_search("the news", A, B)
FOUND = Answer(
    blocks=(
        ThinkingBlock("What is new?"),
        TextBlock("Let me look. "),
        *SEARCH,
        ThinkingBlock("So that is new."),
        TextBlock("It is "),
        TextBlock("so", citations=(cited(A), cited(B))),
        TextBlock("\n\n"),
        TextBlock("Thus.", citations=(cited(B),)),
    ),
    usage=Usage(searches=1),
)
SAID = "Let me look. It is so\n\nThus."
LOOK = function("look", {"type": "object", "properties": {}})
CALL = ToolUseBlock("mcp__t__look", id="toolu_look1")


def entry(target: str, search: object = None) -> dict[str, object]:
    options = {} if search is None else {"options": {"web_search": search}}
    return {"backend": "claude-code", "target": target, **options}


MODELS = {
    "searcher": entry("sonnet", {"max_uses": 3}),
    "always": entry("haiku", {"max_uses": 3, "always": True}),
    "older": entry("claude-opus-4-6", {"filtered": True}),
    "oldest": entry("claude-sonnet-4-6", True),
    "plain": entry("sonnet"),
}


@pytest.fixture(scope="module")
def _searching(
    tmp_path_factory: pytest.TempPathFactory, cli_command: str
) -> Iterator[RunningGateway]:
    with running_upstream(offline_script) as upstream:
        config = {"models": MODELS, "plugins": {"claude_code": {"max_live": 4, "max_spares": 1}}}
        environment = {"DRAGOMAN_CLAUDE_COMMAND": cli_command}
        folder = tmp_path_factory.mktemp("searching")
        with running_gateway(folder, upstream, config, environment) as gateway:
            yield gateway


@pytest.fixture
def searching(_searching: RunningGateway) -> Iterator[RunningGateway]:
    """A gateway some of whose models may search; its upstream has recorded nothing yet.

    Processes have one conversation after another, and the upstream refuses none of them.
    """
    _searching.wait_until_at_rest()
    _searching.upstream.requests.clear()
    yield _searching
    assert [refused.rule for refused in _searching.upstream.refusals] == []


def asked(gateway: RunningGateway, messages: list[Any] = HI, **fields: Any) -> dict[str, Any]:
    """The assistant's message."""
    body = {"model": "searcher", "web_search_options": {}, "messages": messages, **fields}
    response = httpx.post(f"{gateway.url}/v1/chat/completions", json=body, timeout=30)
    assert response.status_code == 200, response.text
    ChatCompletion.model_validate(response.json(), strict=True)
    message: dict[str, Any] = response.json()["choices"][0]["message"]
    return message


def kinds(gateway: RunningGateway) -> list[str]:
    """The types of the blocks in the upstream's latest request, but for the user's texts."""
    turns = last_request(gateway).turns
    found = [(turn["role"], block["type"]) for turn in turns for block in blocks(turn)]
    return [kind for role, kind in found if (role, kind) != ("user", "text")]


def tools(gateway: RunningGateway) -> list[Mapping[str, Any]]:
    return list(last_request(gateway).tools)


def test_citations_whole_and_streamed(searching: RunningGateway) -> None:
    searching.upstream.script = lambda _: FOUND
    message = asked(searching, web_search_options={"search_context_size": "low"})
    assert message["content"] == SAID
    citations = [one["url_citation"] for one in message["annotations"]]
    quoted = [SAID[one["start_index"] : one["end_index"]] for one in citations]
    assert (quoted, [one["url"] for one in citations]) == (["so", "so", "Thus."], [A, B, B])
    assert [one["query"] for one in message["web_searches"]] == ["the news"]
    assert tools(searching) == [
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}
    ]
    with searching.client.chat.completions.stream(
        model="searcher", messages=[{"role": "user", "content": "Hi"}], web_search_options={}
    ) as stream:
        final = stream.get_final_completion()
    streamed = final.choices[0].message.model_dump()
    assert (streamed["content"], streamed["annotations"]) == (SAID, message["annotations"])


def test_the_next_turn_has_the_results_of_the_last(searching: RunningGateway) -> None:
    searching.upstream.script = in_order(FOUND, text_answer("Sure."))
    first = asked(searching)
    history = [*HI, {"role": "assistant", **first}, {"role": "user", "content": "Sure?"}]
    asked(searching, history)
    assert kinds(searching).count("web_search_tool_result") == 1


def test_a_conversation_of_another_process_has_the_words_alone(searching: RunningGateway) -> None:
    searching.upstream.script = lambda _: text_answer("Sure.")
    said = {"role": "assistant", "content": "It was so, long ago."}
    asked(searching, [*HI, said, {"role": "user", "content": "Sure?"}])
    assert kinds(searching) == ["text"]


def test_beside_a_clients_tool(searching: RunningGateway) -> None:
    """A call after a search, then one together with a search, which the API then puts off."""
    thought = ThinkingBlock("Both?")
    put_off = Answer(blocks=(thought, TextBlock("Both."), SearchBlock("later"), CALL2))
    searching.upstream.script = in_order(
        Answer(
            blocks=(ThinkingBlock("Hm"), *SEARCH, TextBlock("Hm."), CALL), usage=Usage(searches=1)
        ),
        put_off,
        text_answer("Done."),
    )
    first = asked(searching, tools=[LOOK])
    assert [tool["name"] for tool in tools(searching)] == ["mcp__t__look", "web_search"]
    history = [*HI, {"role": "assistant", **first}, result(first)]
    second = asked(searching, history, tools=[LOOK])
    assert [one["status"] for one in second["web_searches"]] == ["incomplete"]
    done = asked(
        searching, [*history, {"role": "assistant", **second}, result(second)], tools=[LOOK]
    )
    assert done["content"] == "Done."
    assert kinds(searching) == [
        "thinking", "server_tool_use", "web_search_tool_result", "text", "tool_use", "tool_result",
        "thinking", "text", "tool_use", "tool_result",
    ]  # fmt: skip


CALL2 = replace(CALL, id="toolu_look2")


def result(message: dict[str, Any]) -> dict[str, str]:
    (call,) = message["tool_calls"]
    return {"role": "tool", "tool_call_id": call["id"], "content": "seen"}


def test_a_search_that_failed_is_told(searching: RunningGateway) -> None:
    failed = web_search("more", error="max_uses_exceeded")
    searching.upstream.script = lambda _: Answer(blocks=(*failed, TextBlock("I don't know.")))
    message = asked(searching, model="always", web_search_options=None)
    (search,) = message["web_searches"]
    assert (search["status"], search["error"]) == ("failed", "max_uses_exceeded")
    assert tools(searching)[0]["max_uses"] == 3


def test_what_the_api_refuses_of_it_is_said_of_the_clients_field(searching: RunningGateway) -> None:
    place = {"type": "approximate", "approximate": {"country": "Turkey"}}
    reply = post(searching, model="searcher", web_search_options={"user_location": place})
    assert (reply.status, reply.error["param"]) == (400, "web_search_options")
    assert "'TURKEY'" in reply.error["message"]
    searching.upstream.refusals.clear()


def test_it_is_off_unless_the_yaml_allows_it(searching: RunningGateway) -> None:
    reply = post(searching, model="plain", web_search_options={})
    assert (reply.status, reply.error["param"]) == (400, "web_search_options")
    assert "options: {web_search: {max_uses: 5}}" in reply.error["message"]
    searching.upstream.script = offline_script
    assert post(searching, model="plain").status == 200
    assert tools(searching) == []


@pytest.mark.parametrize(
    ("model", "kind", "status", "types"),
    [
        ("older", "basic", 200, ["web_search_20260209", "web_search_20250305"]),
        ("oldest", "none", 400, ["web_search_20250305"]),
    ],
)
def test_a_model_that_lacks_it(
    searching: RunningGateway, model: str, kind: SearchKind, status: int, types: list[str]
) -> None:
    """It gets the older tool, or its client an error, and both are remembered."""
    upstream = searching.upstream
    upstream.facts = lambda name: replace(documented(name).facts, web_search=kind)
    upstream.script = lambda _: FOUND
    try:
        first = post(searching, model=model, web_search_options={})
        before = len(upstream.requests)
        second = post(searching, model=model, web_search_options={})
    finally:
        upstream.facts = lambda name: documented(name).facts
        upstream.refusals.clear()
    assert (first.status, second.status) == (status, status)
    assert len(upstream.requests) - before == (1 if status == 200 else 0)
    # 2.1.330 itself repeats what was refused
    assert list(dict.fromkeys(request.tools[0]["type"] for request in upstream.requests)) == types


def test_a_response_has_the_search_as_an_item_and_cites_within_its_text(
    searching: RunningGateway,
) -> None:
    searching.upstream.script = in_order(FOUND)
    ask: Any = {"input": "News?", "tools": [{"type": "web_search"}], "store": False}
    include: Any = ["web_search_call.action.sources"]
    with searching.client.responses.stream(model="searcher", include=include, **ask) as stream:
        kinds = [event.type for event in stream]
        response = stream.get_final_response()
    assert response.output_text == SAID
    assert "response.web_search_call.completed" in kinds
    assert kinds.count("response.output_text.annotation.added") == 3
    [search] = [item for item in response.output if item.type == "web_search_call"]
    assert search.status == "completed"
    assert search.to_dict()["action"] == {
        "type": "search",
        "query": "the news",
        "queries": ["the news"],
        "sources": [{"type": "url", "url": A}, {"type": "url", "url": B}],
    }
    said: Any = response.output[-1]
    [text] = said.content
    cited_words = [text.text[each.start_index : each.end_index] for each in text.annotations]
    assert cited_words == ["so", "so", "Thus."]
    with pytest.raises(openai.BadRequestError) as caught:
        searching.client.responses.create(model="plain", **ask)
    assert caught.value.param == "tools[0]"
