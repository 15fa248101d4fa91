"""From a request on the wire to the hub's `ChatRequest`. Pure: nothing is read or sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import TypeAdapter

from gateway.errors import InvalidRequest
from gateway.frontend import Call, check_schema, checked
from gateway.types import ChatRequest, Client, ResponseFormat, Sampling
from gateway_openai_responses.decode.conversation import EARLIER, Conversation, Placed, decode_items
from gateway_openai_responses.decode.tools import Offered, decode_tool_choice, decode_tools
from gateway_openai_responses.fields.rows import RESPONSES
from gateway_openai_responses.names import NAMES
from gateway_openai_responses.tool_kinds import Offer
from gateway_openai_responses.wire.items import (
    AdditionalToolsItem,
    Item,
    MessageItem,
    ToolSearchOutputItem,
)
from gateway_openai_responses.wire.request import ENCRYPTED, SOURCES, ResponseRequest, TextFormat
from gateway_openai_responses.wire.tools import Tool

_ITEMS: Final = TypeAdapter(list[Item])


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What is kept that a request continues: items as JSON, in their order, and single ones by id."""

    items: Sequence[Mapping[str, object]] = ()
    referenced: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


NOTHING: Final = Earlier()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseCall(Call):
    """`offers` are the tools by the hub's names.

    `summary` and `encrypted` are whether items of reasoning have these, and `sources` whether those
    of searches have.
    """

    offers: Mapping[str, Offer] = field(default_factory=dict)
    summary: bool = False
    encrypted: bool = False
    sources: bool = False


def parse(body: Mapping[str, object]) -> ResponseRequest:
    """Check a body against the wire models. Raises `InvalidRequest`."""
    return checked(ResponseRequest, body)


def decode(
    wire: ResponseRequest, client: Client = Client(), earlier: Earlier = NOTHING
) -> ResponseCall:
    """Translate a request of `client`. Raises `InvalidRequest` with `param` leading to the place."""
    items = _items(wire, earlier)
    offered = _offered(wire, items)
    conversation = decode_items(items, wire.instructions, _referenced(earlier))
    ignored = (
        *RESPONSES.ignored(wire),
        *_included(wire),
        *offered.ignored,
        *conversation.ignored,
    )
    return ResponseCall(
        requests=(_chat_request(wire, client, conversation, offered),),
        stream=bool(wire.stream),
        ignored=tuple(dict.fromkeys(ignored)),
        adjusted=_adjusted(wire, offered),
        names=NAMES,
        offers=offered.offers,
        summary=_wants_summary(wire),
        encrypted=ENCRYPTED in (wire.include or ()),
        sources=SOURCES in (wire.include or ()),
    )


def _chat_request(
    wire: ResponseRequest, client: Client, conversation: Conversation, offered: Offered
) -> ChatRequest:
    parallel = wire.parallel_tool_calls is not False
    return ChatRequest(
        model=wire.model,
        system=conversation.system,
        messages=conversation.messages,
        tools=offered.tools,
        tool_choice=decode_tool_choice(wire.tool_choice, offered, parallel=parallel),
        web_search=offered.web_search,
        response_format=_response_format(wire),
        sampling=Sampling(
            max_output_tokens=wire.max_output_tokens or None,
            temperature=wire.temperature,
            top_p=wire.top_p,
        ),
        effort=wire.reasoning.effort if wire.reasoning is not None else None,
        client=client,
    )


def _adjusted(wire: ResponseRequest, offered: Offered) -> Mapping[str, object]:
    if wire.tool_choice == "required" and offered.searches_only:
        return {**offered.adjusted, "tool_choice": "auto"}
    return offered.adjusted


def _referenced(earlier: Earlier) -> Mapping[str, Item]:
    items = _kept(list(earlier.referenced.values()))
    return dict(zip(earlier.referenced, items, strict=True))


def _included(wire: ResponseRequest) -> tuple[str, ...]:
    """`include`, if it asks for something that has no effect."""
    honoured = (ENCRYPTED, SOURCES)
    return ("include",) if any(value not in honoured for value in wire.include or ()) else ()


def _wants_summary(wire: ResponseRequest) -> bool:
    if wire.reasoning is None:
        return False
    return (wire.reasoning.summary or wire.reasoning.generate_summary) not in (None, "none")


def _items(wire: ResponseRequest, earlier: Earlier) -> list[Placed]:
    kept = [(EARLIER, item) for item in _kept(earlier.items)]
    match wire.input:
        case None if not kept:
            raise InvalidRequest("Missing required parameter: 'input'.", param="input")
        case None:
            return kept
        case str(text):
            return [*kept, ("input", MessageItem(role="user", content=text))]
        case items:
            return [*kept, *((f"input[{index}]", item) for index, item in enumerate(items))]


def _kept(items: Sequence[Mapping[str, object]]) -> Sequence[Item]:
    return _ITEMS.validate_python(list(items)) if items else ()


def _offered(wire: ResponseRequest, items: Sequence[Placed]) -> Offered:
    tools: list[tuple[str, Tool]] = [
        (f"tools[{index}]", tool) for index, tool in enumerate(wire.tools or ())
    ]
    more: list[tuple[str, Tool]] = [
        (f"{place}.tools[{number}]", tool)
        for place, item in items
        if isinstance(item, AdditionalToolsItem | ToolSearchOutputItem)
        for number, tool in enumerate(item.tools)
    ]
    return decode_tools(tools, more, max_tool_calls=wire.max_tool_calls)


def _response_format(wire: ResponseRequest) -> ResponseFormat:
    wanted = wire.text.format if wire.text is not None else None
    if wanted is None or wanted.type == "text":
        return ResponseFormat()
    if wanted.type == "json_object":
        return ResponseFormat(kind="json_object")
    return _schema_format(wanted)


def _schema_format(wanted: TextFormat) -> ResponseFormat:
    schema = wanted.schema_
    for name, value in (("name", wanted.name), ("schema", schema)):
        if value is None:
            param = f"text.format.{name}"
            raise InvalidRequest(f"Missing required parameter: {param!r}.", param=param)
    schema = schema or {}
    check_schema(schema, "text.format.schema")
    if wanted.description:
        # The hub has no place of its own for it, and in the schema the model reads it.
        schema = {"description": wanted.description, **schema}
    return ResponseFormat(
        kind="json_schema", schema=schema, name=wanted.name, strict=bool(wanted.strict)
    )
