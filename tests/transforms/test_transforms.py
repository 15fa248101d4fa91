"""The built-in transforms: off without a section, and what each does with one."""

from collections.abc import AsyncGenerator
from inspect import isawaitable
from typing import Any

import pytest

from gateway import hookimpl
from gateway.context import RequestContext
from gateway.errors import (
    ConfigurationError,
    GatewayError,
    InvalidRequest,
    Overloaded,
    QuotaExhausted,
    RateLimited,
)
from gateway.load.off_loop import LARGE_BYTES
from gateway.streams import EventSource
from gateway.testing import (
    SCRIPTED,
    ScriptedBackend,
    Served,
    answer,
    part,
    request,
    serving,
    text_answer,
)
from gateway.types import (
    ChatRequest,
    ChatResponse,
    Citation,
    Client,
    Document,
    Message,
    PartCitation,
    PartEnd,
    PartStart,
    Sampling,
    Source,
    StopReason,
    StreamEvent,
    Target,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    WebSearch,
    WebSearchOptions,
)
from gateway_transforms import redact_requests
from gateway_transforms.cache_store import AnswerStore, size_of
from gateway_transforms.personal_data import redact_personal_data

NAMES = ("fallback", "redact_requests", "response_cache", "system_prompts", "tool_filter")
MODELS = {name: {"backend": SCRIPTED, "target": f"{name}-1"} for name in ("test-model", "b", "c")}
SECRET = "sk-ant-api03-0123456789abcdefghij"


def with_section(name: str, section: Any, backend: ScriptedBackend | None = None) -> Any:
    config = {"models": MODELS, "plugins": {name: section}}
    return serving(installed=NAMES, backend=backend, config=config)


async def seen(name: str, section: Any, asked: ChatRequest) -> ChatRequest:
    """The request as the backend gets it."""
    async with with_section(name, section) as served:
        await served.ask(asked)
    found: ChatRequest = served.backend.requests[0]
    return found


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("off", [None, False])
async def test_all_are_off_by_default(name: str, off: bool | None) -> None:
    asked = request(f"mine: {SECRET}", sampling=Sampling(temperature=0))
    ctx = RequestContext(request_id="r")
    config = {"plugins": {} if off is None else {name: False}}
    async with serving(installed=NAMES, config=config) as served:
        await served.ask(asked, ctx)
    assert served.backend.requests == [asked]
    assert ctx.headers == {}


# -- system_prompts ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "system"),
    [
        ({"text": "Be brief."}, "Be brief.\n\nOwn."),
        ({"text": "Be brief.", "place": "after"}, "Own.\n\nBe brief."),
        ({"text": "Be brief.", "place": "replace"}, "Be brief."),
        ({"text": "{model} {target} {key} {{x}}"}, "test-model test-model-1 ed {x}\n\nOwn."),
        ({"text": "X", "models": ["other-*"]}, "Own."),
        ({"text": "X", "models": ["test-*"], "keys": ["ed"]}, "X\n\nOwn."),
        ({"text": "X", "keys": ["someone"]}, "Own."),
    ],
)
async def test_system_prompts(rule: dict[str, Any], system: str) -> None:
    asked = request(system="Own.", client=Client(key="ed"))
    assert (await seen("system_prompts", {"rules": [rule]}, asked)).system == system


@pytest.mark.parametrize("text", ["{name}", "{", "{0}", "{model.__class__}"])
async def test_a_template_that_cannot_be_filled_in_stops_the_start(text: str) -> None:
    with pytest.raises(ConfigurationError, match="system_prompts"):
        await seen("system_prompts", {"rules": [{"text": text}]}, request())


# -- redact_requests --------------------------------------------------------------------------


async def test_redaction_goes_everywhere() -> None:
    call = ToolCall(id="c1", name="f", arguments=f'{{"a": ["{SECRET}"]}}')
    result = ToolResult(call_id="c1", parts=(Text(text=SECRET),))
    file = Document(media_type="text/plain", data=SECRET)
    asked = request(
        system=SECRET,
        tools=(Tool(name="f", description=SECRET, schema={"type": "object", "title": SECRET}),),
        messages=(
            Message(role="user", parts=(Text(text=f"a {SECRET} b"), file)),
            Message(role="assistant", parts=(call,)),
            Message(role="user", parts=(result,)),
        ),
    )
    got = await seen("redact_requests", {}, asked)
    assert SECRET not in repr(got)
    assert repr(got).count("redacted") >= 7


async def test_a_large_request_is_redacted_in_another_process() -> None:
    async with with_section("redact_requests", {}) as served:
        ctx = RequestContext(request_id="r", body_bytes=LARGE_BYTES + 1)
        ctx.gateway = served.gateway
        found = redact_requests.gateway_transform_request(request(f"a {SECRET}"), ctx)
        assert isawaitable(found)
        assert await found == request("a [redacted]")


async def test_what_holds_nothing_stays_to_the_letter() -> None:
    call = ToolCall(id="c1", name="f", arguments='{"a":  1}')
    asked = request(messages=(Message(role="assistant", parts=(call,)), *request().messages))
    assert await seen("redact_requests", {"kinds": ["email"]}, asked) == asked


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("write to a.b+c@example.co.uk.", "write to [email]."),
        ("no@address", "no@address"),
        ("call +49 (0)30 901820, please", "call [phone], please"),
        ("0049 30 901820", "[phone]"),
        ("in 2024 there were 30901820", "in 2024 there were 30901820"),
        ("DE89 3704 0044 0532 0130 00", "[iban]"),
        ("DE89 3704 0044 0532 0130 00 IS MINE", "[iban] IS MINE"),
        ("DE88370400440532013000", "DE88370400440532013000"),
        ("4111 1111 1111 1111", "[credit_card]"),
        ("4111-1111-1111-1111!", "[credit_card]!"),
        ("4111 1111 1111 1112", "4111 1111 1111 1112"),
    ],
)
def test_personal_data(text: str, clean: str) -> None:
    kinds: Any = ("email", "phone", "iban", "credit_card")
    assert redact_personal_data(text, kinds) == clean
    assert redact_personal_data(text, ()) == text


# -- tool_filter ------------------------------------------------------------------------------


TOOLS = (Tool(name="search"), Tool(name="shell_run"))


async def test_tools_are_filtered_and_renamed_both_ways() -> None:
    call = ToolCall(id="c1", name="search")
    asked = request(
        tools=TOOLS,
        tool_choice=ToolChoice(mode="required", names=("search",)),
        messages=(*request().messages, Message(role="assistant", parts=(call,))),
    )
    script = answer(part(0, ToolCall(id="c2", name="web_search"), "{}"), stop_reason="tool_calls")
    section = {"deny": ["shell_*"], "rename": {"search": "web_search"}}
    async with with_section("tool_filter", section, ScriptedBackend(script)) as served:
        got = await served.ask(asked)
    sent = served.backend.requests[0]
    assert [tool.name for tool in sent.tools] == ["web_search"]
    assert sent.tool_choice.names == ("web_search",)
    assert sent.messages[-1].parts == (ToolCall(id="c1", name="web_search"),)
    assert got.parts == (ToolCall(id="c2", name="search", arguments="{}"),)


async def test_only_what_is_allowed_passes() -> None:
    got = await seen("tool_filter", {"allow": ["sea*"]}, request(tools=TOOLS))
    assert [tool.name for tool in got.tools] == ["search"]


async def test_a_choice_of_filtered_tools_only_becomes_none() -> None:
    asked = request(tools=TOOLS, tool_choice=ToolChoice(names=("shell_run",)))
    got = await seen("tool_filter", {"deny": ["shell_*"]}, asked)
    assert got.tool_choice == ToolChoice(mode="none")


@pytest.mark.parametrize(
    ("section", "param"),
    [({"rename": {"search": "shell_run"}}, "tools"), ({"deny": ["*"]}, "tool_choice")],
)
async def test_what_cannot_be_honoured_is_refused(section: Any, param: str) -> None:
    asked = request(tools=TOOLS, tool_choice=ToolChoice(mode="required"))
    with pytest.raises(InvalidRequest) as refused:
        await seen("tool_filter", section, asked)
    assert refused.value.param == param


# -- response_cache ---------------------------------------------------------------------------


async def asked_with(served: Served, **fields: Any) -> tuple[ChatResponse, str | None]:
    ctx = RequestContext(request_id="r")
    got = await served.ask(request(**fields), ctx)
    return got, ctx.headers.get("x-dragoman-cache")


ZERO = {"sampling": Sampling(temperature=0)}


async def test_the_same_question_is_answered_once() -> None:
    async with with_section("response_cache", {}) as served:
        first, miss = await asked_with(served, **ZERO)
        again, hit = await asked_with(served, **ZERO)
    assert (first, miss, hit) == (again, "miss", "hit")
    assert served.backend.closed == 1


@pytest.mark.parametrize(
    "other",
    [
        {"client": Client(key="b")},
        {"system": "x"},
        {"model": "b"},
        {"tools": TOOLS},
        {"web_search": WebSearchOptions()},
    ],
)
async def test_another_question_is_asked(other: dict[str, Any]) -> None:
    async with with_section("response_cache", {}) as served:
        await asked_with(served, **ZERO)
        _, state = await asked_with(served, **ZERO, **other)
    assert state == "miss"


async def test_an_answer_is_kept_with_its_searches_and_sources() -> None:
    search = WebSearch(id="s", query="x", sources=(Source(url="u"),), status="completed")
    text = part(1, Text(text=""), "so")
    text.insert(1, PartCitation(index=1, citation=Citation(url="u")))
    found = PartEnd(index=0, search=search)
    events = [PartStart(index=0, part=WebSearch(id="s")), found, *text]
    async with with_section("response_cache", {}, ScriptedBackend(answer(events))) as served:
        answers = [await asked_with(served, **ZERO) for _ in range(2)]
    cited = Text(text="so", citations=(Citation(url="u"),))
    assert [(got.parts, state) for got, state in answers] == [
        ((search, cited), "miss"),
        ((search, cited), "hit"),
    ]


async def test_what_is_drawn_is_kept_only_if_asked_for() -> None:
    async with with_section("response_cache", {}) as served:
        assert (await asked_with(served))[1] is None
    async with with_section("response_cache", {"always": True}) as served:
        await asked_with(served)
        assert (await asked_with(served))[1] == "hit"


async def test_what_a_stand_in_said_is_not_said_again() -> None:
    async with with_section("response_cache", {"always": True}) as served:
        served.gateway.offline = True
        assert [(await asked_with(served))[1] for _ in range(2)] == [None, None]
        served.gateway.offline = False
        assert [(await asked_with(served))[1] for _ in range(2)] == ["miss", "hit"]


class Ignoring:
    """A backend that finds out that a field has no effect."""

    @hookimpl(tryfirst=True)
    def gateway_open_stream(
        self, request: ChatRequest, target: Target, ctx: RequestContext
    ) -> EventSource:
        return self._answer(ctx)

    async def _answer(self, ctx: RequestContext) -> AsyncGenerator[StreamEvent]:
        ctx.ignore(["temperature"])
        for event in text_answer("x"):
            yield event


async def test_what_was_ignored_is_told_again() -> None:
    config = {"plugins": {"response_cache": {}}}
    contexts = [RequestContext(request_id=name) for name in "ab"]
    async with serving(Ignoring(), installed=("response_cache",), config=config) as served:
        for ctx in contexts:
            await served.ask(request(**ZERO), ctx)
    assert [ctx.headers["x-dragoman-cache"] for ctx in contexts] == ["miss", "hit"]
    assert [ctx.ignored for ctx in contexts] == [["temperature"]] * 2


@pytest.mark.parametrize("reason", ["max_tokens", "refusal"])
async def test_cut_answers_are_not_kept(reason: StopReason) -> None:
    script = answer(part(0, Text(text=""), "x"), stop_reason=reason)
    async with with_section("response_cache", {}, ScriptedBackend(script)) as served:
        await asked_with(served, **ZERO)
        assert (await asked_with(served, **ZERO))[1] == "miss"


async def test_errors_and_large_answers_are_not_kept() -> None:
    backend = ScriptedBackend([*text_answer("x")[:3], Overloaded("no")], text_answer("y" * 3000))
    async with with_section("response_cache", {"max_bytes": 2000}, backend) as served:
        with pytest.raises(Overloaded):
            await asked_with(served, **ZERO)
        assert [(await asked_with(served, **ZERO))[1] for _ in range(2)] == ["miss", "miss"]


def test_the_store_is_bounded_in_entries_bytes_and_time() -> None:
    clock = [0.0]
    events = tuple(text_answer("x"))
    size = sum(map(size_of, events))
    store = AnswerStore(2, size * 2, 10, lambda: clock[0])
    store.put("a", events)
    store.put("b", events)
    store.get("a")
    store.put("c", events)
    assert [store.get(key) is not None for key in "abc"] == [True, False, True]
    store.put("c", events)
    assert (len(store), store.bytes) == (2, 2 * size)
    clock[0] = 10
    assert store.get("a") is None
    assert (len(store), store.bytes) == (1, size)


# -- fallback ---------------------------------------------------------------------------------


CHAIN = {"models": {"test-model": ["b", "c"]}}


async def test_a_model_that_there_is_none_of_can_be_no_fallback() -> None:
    chain = {"models": {"test-model": ["b", "nowhere"]}}
    with pytest.raises(ConfigurationError, match=r"unknown model 'nowhere' in 'plugins\.fallback"):
        async with with_section("fallback", chain):
            pass


@pytest.mark.parametrize("error", [Overloaded("x"), RateLimited("x"), QuotaExhausted("x")])
async def test_the_next_model_answers(error: GatewayError) -> None:
    backend = ScriptedBackend([error], [error], text_answer("third"))
    ctx = RequestContext(request_id="r")
    async with with_section("fallback", CHAIN, backend) as served:
        got = await served.ask(request(), ctx)
    assert got.parts == (Text(text="third"),)
    assert [target.name for target in backend.targets] == ["test-model-1", "b-1", "c-1"]
    assert ctx.headers == {"x-dragoman-fallback": "test-model->c"}
    assert ctx.target is not None
    assert ctx.target.model == "c"
    assert backend.closed == 3


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ([Overloaded("the last one")], Overloaded),
        ([InvalidRequest("no")], InvalidRequest),
        ([*text_answer("x")[:3], RateLimited("half-way")], RateLimited),
    ],
)
async def test_other_failures_are_the_client_s(script: Any, error: type[Exception]) -> None:
    backend = ScriptedBackend(script)
    async with with_section("fallback", CHAIN, backend) as served:
        with pytest.raises(error):
            await served.ask(request())
    assert len(backend.requests) == (3 if error is Overloaded else 1)
    assert backend.closed == len(backend.requests)


async def test_the_headers_reach_http_clients() -> None:
    config = {
        "models": MODELS,
        "plugins": {"fallback": CHAIN, "response_cache": {"always": True}},
    }
    backend = ScriptedBackend([Overloaded("x")], text_answer("second"))
    async with serving(installed=(*NAMES, "openai"), backend=backend, config=config) as served:
        body = {"model": "test-model", "messages": [{"role": "user", "content": "Hi"}]}
        got = await served.http.post("/v1/chat/completions", json=body)
    assert got.json()["choices"][0]["message"]["content"] == "second"
    assert got.headers["x-dragoman-fallback"] == "test-model->b"
    assert got.headers["x-dragoman-cache"] == "miss"
