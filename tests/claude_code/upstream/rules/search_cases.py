"""Cases of the rules about the API's own web search."""

from typing import Any

from gateway_claude_code.upstream import MessagesRequest, SearchBlock, SearchResultBlock
from gateway_claude_code.upstream.events import finished
from gateway_claude_code.upstream.web import cited
from tests.claude_code.upstream.rules.rule_cases import (
    HAIKU,
    HELLO,
    LOOK,
    SONNET_4_5,
    Body,
    Case,
    called,
    request,
    result,
    said,
    text,
)

BASIC, FILTERED = "web_search_20250305", "web_search_20260209"
A = "https://a.example/1"
THANKS = said(text("Thanks"))
CALL: Body = {**finished(SearchBlock("x", "srvtoolu_1"))}
FOUND: Body = {**finished(SearchResultBlock("srvtoolu_1", (A,)))}
FAILED: Body = {**finished(SearchResultBlock("srvtoolu_1", error="unavailable"))}
CITING = text("So.", citations=[dict(cited(A))])


def search(model: str = HAIKU, **fields: Any) -> MessagesRequest:
    tool = {"type": FILTERED, "name": "web_search", **fields}
    return request(model=model, tools=[tool, LOOK])


def after(*blocks: Body, then: tuple[Body, ...] = (THANKS,)) -> MessagesRequest:
    """A conversation with these blocks in an earlier answer."""
    tools = [{"type": FILTERED, "name": "web_search"}, LOOK]
    return request(HELLO, said(*blocks, role="assistant"), *then, tools=tools)


def page(**fields: Any) -> Body:
    (found,) = FOUND["content"]
    left = {name: value for name, value in {**found, **fields}.items() if value is not None}
    return {**FOUND, "content": [left]}


def citing(**fields: Any) -> Body:
    citation = {**cited(A), **fields}
    return text("So.", citations=[{k: v for k, v in citation.items() if v is not None}])


CASES = {
    "tools.types": Case(
        wrong=[search(type="web_search_20240101"), search(type="web_search")],
        right=[search(), search(type=BASIC), search(type="web_search_20260318")],
        says="does not match any of the expected tags",
    ),
    "web_search.by_code": Case(
        wrong=[search(SONNET_4_5)],
        right=[search(SONNET_4_5, type=BASIC), search(SONNET_4_5, allowed_callers=["direct"])],
        says='set `allowed_callers` to ["direct"]',
    ),
    "web_search.fields": Case(
        wrong=[search(name="search"), search(max_searches=1), search(response_inclusion="full")],
        right=[search(type="web_search_20260318", response_inclusion="excluded")],
        says="tools.0.web_search_20260209.",
    ),
    "web_search.max_uses": Case(
        wrong=[search(max_uses=0), search(max_uses=-1), search(max_uses="3"), search(max_uses=1.5)],
        right=[search(max_uses=1), search(max_uses=None)],
        says="max_uses: Input should be",
    ),
    "web_search.domains": Case(
        wrong=[
            search(allowed_domains=["a.example"], blocked_domains=["b.example"]),
            search(allowed_domains=["https://a.example"]),
            search(blocked_domains=["*.example"]),
        ],
        right=[search(allowed_domains=["a.example/docs/*"]), search(blocked_domains=["a.example"])],
        says="domain",
    ),
    "web_search.location": Case(
        wrong=[
            search(user_location={"type": "approximate"}),
            search(user_location={"type": "exact", "city": "Ankara"}),
            search(user_location={"type": "approximate", "country": "Turkey"}),
            search(user_location={"type": "approximate", "city": "Ankara", "street": "x"}),
        ],
        right=[search(user_location={"type": "approximate", "country": "TR", "city": "Ankara"})],
        says="user_location",
    ),
    "searches.calls": Case(
        wrong=[after({**CALL, "id": "toolu_1"}), after({**CALL, "input": "x"}, FOUND)],
        right=[after(CALL, FOUND), after(CALL, FAILED, text("No."))],
        says="server_tool_use",
    ),
    "searches.has_call": Case(
        wrong=[after(FOUND), after(FOUND, CALL)],
        right=[after(CALL, FOUND, CITING)],
        says="unexpected `tool_use_id` found in `web_search_tool_result` blocks",
    ),
    "searches.has_result": Case(
        wrong=[
            after(CALL),
            after(CALL, *called("a")["content"], then=(said(result("a"), text("So?")),)),
        ],
        right=[after(CALL, *called("a")["content"], then=(said(result("a")),))],
        says="was found without a corresponding `web_search_tool_result` block",
    ),
    "searches.pages": Case(
        wrong=[
            after(CALL, page(encrypted_content=None)),
            after(CALL, page(encrypted_content="other")),
        ],
        right=[after(CALL, {**FOUND, "content": []}, text("Nothing."))],
        says="encrypted_content",
    ),
    "searches.citations": Case(
        wrong=[
            after(CALL, FOUND, citing(encrypted_index=None)),
            after(CALL, FOUND, citing(encrypted_index="other")),
        ],
        right=[after(CALL, FOUND, citing(title=None))],
        says="encrypted_index",
    ),
}
