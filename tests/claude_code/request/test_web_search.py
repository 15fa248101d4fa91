"""Who may search the web, and with which tool."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.errors import InvalidRequest
from gateway.types import (
    ChatRequest,
    Message,
    ResponseFormat,
    Text,
    Tool,
    ToolChoice,
    UserLocation,
    WebSearch,
    WebSearchOptions,
)
from gateway_claude_code.facts.documented import documented
from gateway_claude_code.request.history import as_sent_back
from gateway_claude_code.request.prepare import Prepared, prepare
from gateway_claude_code.request.web_search import policy_for, with_policy
from gateway_claude_code.search_policy import SearchPolicy, SearchSwitch
from tests.claude_code.claude_code_support import TARGET, a_request

PLACE = "web_search_options"
WANTED = WebSearchOptions(place=PLACE)
ON = SearchPolicy(max_uses=5)
LOOK = Tool(name="look")
ALLOWED = SearchPolicy(allowed_domains=("a.example", "b.example/docs"))
BLOCKED = SearchPolicy(blocked_domains=("a.example",))


def prepared(
    wanted: WebSearchOptions | None = WANTED,
    searches: SearchSwitch = ON,
    model: str = "claude-opus-5-5",
    **fields: Any,
) -> Prepared:
    request = replace(a_request(), web_search=wanted, **fields)
    return prepare(request, replace(TARGET, name=model), searches=searches)


def tools(*args: Any, **fields: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = prepared(*args, **fields).body.get("tools", [])
    return found


# -- whether ------------------------------------------------------------------------------


def test_it_is_off_by_default_and_the_error_says_which_line_turns_it_on() -> None:
    with pytest.raises(InvalidRequest, match=r"options: \{web_search: \{max_uses: 5\}\}") as caught:
        prepare(replace(a_request(), web_search=WANTED), TARGET)
    assert caught.value.param == PLACE


def test_without_a_wish_there_is_no_search() -> None:
    assert tools(None) == []


@pytest.mark.parametrize(
    ("section", "own", "searches"),
    [
        ("off", {"max_uses": 3}, True),
        ("off", True, True),
        (ON, None, True),
        (ON, False, False),
        (ON, "off", False),
    ],
)
def test_a_models_entry_goes_before_the_section(
    section: SearchSwitch, own: object, searches: bool
) -> None:
    options = {} if own is None else {"web_search": own}
    target = replace(TARGET, options=options)
    request = replace(a_request(), web_search=WANTED)
    if searches:
        assert with_policy(request, target, policy_for(target, section)).web_search is not None
    else:
        with pytest.raises(InvalidRequest):
            with_policy(request, target, policy_for(target, section))


def test_an_entry_may_search_in_every_request() -> None:
    (tool,) = tools(None, SearchPolicy(always=True, max_uses=2))
    assert tool["max_uses"] == 2


def test_an_agent_has_tools_of_its_own(tmp_path: Any) -> None:
    target = replace(TARGET, options={"agent": {"directory": str(tmp_path)}})
    with pytest.raises(InvalidRequest, match="agent"):
        with_policy(replace(a_request(), web_search=WANTED), target, ON)
    assert with_policy(a_request(), target, SearchPolicy(always=True)).web_search is None


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": (LOOK,), "tool_choice": ToolChoice(mode="required")},
        {"tools": (LOOK,), "tool_choice": ToolChoice(mode="none")},
        {"tool_choice": ToolChoice(mode="none")},
    ],
)
def test_a_choice_of_tools_is_about_this_one_too(fields: dict[str, Any]) -> None:
    found = prepared(**fields)
    assert found.terms.search is None
    assert PLACE in found.terms.ignored


def test_a_schema_leaves_no_place_for_citations() -> None:
    by_schema = ResponseFormat(kind="json_schema", schema={"type": "object"})
    with pytest.raises(InvalidRequest, match="JSON schema") as caught:
        prepared(response_format=by_schema)
    assert caught.value.param == PLACE
    always = prepared(None, SearchPolicy(always=True), response_format=by_schema)
    assert (always.terms.search, always.terms.ignored) == (None, ("web_search",))


def test_a_provider_without_it_is_said() -> None:
    facts = replace(documented("opus").facts, web_search="none")
    with pytest.raises(InvalidRequest, match="has no web search"):
        prepare(replace(a_request(), web_search=WANTED), TARGET, facts, searches=ON)


# -- the tool -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "filtered", "kind"),
    [
        ("claude-opus-5-5", True, "web_search_20260209"),
        ("claude-sonnet-4-6", True, "web_search_20260209"),
        ("claude-haiku-4-5", True, "web_search_20250305"),
        ("claude-opus-5-5", False, "web_search_20250305"),
    ],
)
def test_its_version_is_a_fact_of_the_model(model: str, filtered: bool, kind: str) -> None:
    (tool,) = tools(WANTED, SearchPolicy(filtered=filtered), model)
    assert tool == {"type": kind, "name": "web_search", "max_uses": 5}


def test_it_comes_after_the_clients_tools_which_are_all_listed() -> None:
    names = [tool["name"] for tool in tools(tools=(Tool(name="b"), Tool(name="a")))]
    assert names == ["mcp__t__a", "mcp__t__b", "web_search"]


@pytest.mark.parametrize(
    ("wanted", "most", "adjusted"),
    [
        (WebSearchOptions(max_uses=2, place=PLACE), 2, {}),
        (WebSearchOptions(max_uses=50, place=PLACE), 5, {}),
        (WebSearchOptions(context_size="low", place=PLACE), 2, {}),
        (WebSearchOptions(context_size="medium", place=PLACE), 5, {}),
        (
            WebSearchOptions(context_size="high", place=PLACE),
            5,
            {f"{PLACE}.search_context_size": "medium"},
        ),
    ],
)
def test_how_many_searches(wanted: WebSearchOptions, most: int, adjusted: object) -> None:
    found = prepared(wanted)
    assert found.body["tools"][0]["max_uses"] == most
    assert found.terms.adjusted == adjusted


@pytest.mark.parametrize(
    ("location", "arrives"),
    [
        (
            UserLocation(city="Ankara", country="tr"),
            {"type": "approximate", "city": "Ankara", "country": "TR"},
        ),
        (UserLocation(city=""), None),  # the API requires a field, OpenAI's does not
    ],
)
def test_the_users_location(location: UserLocation, arrives: object) -> None:
    (tool,) = tools(WebSearchOptions(location=location))
    assert tool.get("user_location") == arrives


@pytest.mark.parametrize(
    ("policy", "asked", "allowed", "blocked"),
    [
        (ALLOWED, (), ["a.example", "b.example/docs"], None),
        (ALLOWED, ("www.a.example", "c.example"), ["www.a.example"], None),
        (ALLOWED, ("b.example/docs/x",), ["b.example/docs/x"], None),
        (BLOCKED, (), None, ["a.example"]),
        (BLOCKED, ("x.a.example", "c.example"), ["c.example"], None),
        (ON, ("c.example",), ["c.example"], None),
    ],
)
def test_domains(
    policy: SearchPolicy, asked: tuple[str, ...], allowed: object, blocked: object
) -> None:
    (tool,) = tools(WebSearchOptions(allowed_domains=asked), policy)
    assert (tool.get("allowed_domains"), tool.get("blocked_domains")) == (allowed, blocked)


def test_a_clients_blocked_domains_come_to_those_of_the_yaml() -> None:
    (tool,) = tools(WebSearchOptions(blocked_domains=("c.example", "a.example")), BLOCKED)
    assert tool["blocked_domains"] == ["a.example", "c.example"]
    with pytest.raises(InvalidRequest, match="not both"):
        tools(WebSearchOptions(blocked_domains=("c.example",)), ALLOWED)


@pytest.mark.parametrize(
    ("policy", "asked"),
    [
        (ALLOWED, "c.example"),
        (ALLOWED, "b.example"),
        (ALLOWED, "nota.example"),
        (BLOCKED, "a.example"),
        (ALLOWED, "b.example/docs-internal"),
        (ALLOWED, "b.example/docs*"),
        (BLOCKED, "example"),  # with a part of it blocked
        (SearchPolicy(blocked_domains=("a.example/private",)), "a.example/*"),
        (SearchPolicy(blocked_domains=("a.example/private",)), "a.example"),
        (SearchPolicy(blocked_domains=("a.example/*/private",)), "a.example/x"),
    ],
)
def test_domains_that_the_gateway_does_not_allow(policy: SearchPolicy, asked: str) -> None:
    with pytest.raises(InvalidRequest):
        tools(WebSearchOptions(allowed_domains=(asked,)), policy)


@pytest.mark.parametrize(
    "section",
    [
        {"max_uses": 0},
        {"allowed_domains": ["https://a.example"]},
        {"blocked_domains": ["*.example"]},
        {"allowed_domains": ["а.example"]},  # noqa: RUF001 - Cyrillic
        {"allowed_domains": ["a.example"], "blocked_domains": ["b.example"]},
        {"unknown": 1},
    ],
)
def test_a_section_with_a_mistake(section: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"web_search|SearchPolicy"):
        SearchPolicy.model_validate(section)


# -- the conversation ---------------------------------------------------------------------


def test_a_conversation_with_it_is_another_one_than_without() -> None:
    with_it, without, fewer = prepared(), prepared(None), prepared(WebSearchOptions(max_uses=1))
    settings = {one.digests.setting for one in (with_it, without, fewer)}
    openings = {one.digests.opening for one in (with_it, without, fewer)}
    assert (len(settings), len(openings)) == (3, 3)
    assert with_it.digests.offer == without.digests.offer


def test_its_answer_is_known_again_by_the_words_that_the_client_has() -> None:
    parts = (
        Text(text="First. "),
        WebSearch(id="s", query="x"),
        Text(text="\n\n"),
        Text(text="Then."),
    )
    answer = Message(role="assistant", parts=as_sent_back(parts))
    sent_back = Message(role="assistant", parts=(Text(text="First. \n\nThen."),))
    asked = a_request().messages
    keys = {prepared().key((*asked, one), parked=False) for one in (answer, sent_back)}
    assert len(keys) == 1


def test_the_gateways_own_tools_send_its_parts_as_they_are() -> None:
    """Between two rounds of these the answer comes back in parts, a blank text among them."""
    parts = (Text(text="A"), WebSearch(id="s"), Text(text="\n\n"), Text(text="B"))
    asked = a_request().messages
    keys = {
        prepared().key((*asked, Message(role="assistant", parts=given)), parked=False)
        for given in (parts, (Text(text="A\n\nB"),))
    }
    assert len(keys) == 1


def test_an_answer_without_a_search_keeps_its_texts() -> None:
    parts = (Text(text="a"), Text(text="b"))
    assert as_sent_back(parts) == parts


def test_a_new_process_gets_the_words_alone() -> None:
    earlier = Message(role="assistant", parts=(Text(text="So."), WebSearch(id="s", query="x")))
    request = ChatRequest(model="m", messages=(*a_request().messages, earlier))
    with_it, without = (
        prepare(replace(request, messages=(*request.messages[:-1], one)), TARGET)
        for one in (earlier, replace(earlier, parts=earlier.parts[:1]))
    )
    assert with_it.key(with_it.request.messages, parked=False) == without.key(
        without.request.messages, parked=False
    )
