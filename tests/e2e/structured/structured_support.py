"""Asking a running gateway for answers in JSON, by the official client."""

from typing import Any

from gateway_claude_code.upstream import MessagesRequest, Reply, in_order
from tests.e2e.bodies import HI
from tests.e2e.gateways import RunningGateway

MODEL = "claude-sonnet-4"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"
INTEGER = {"type": "integer"}
OBJECT = {"type": "object", "properties": {"a": INTEGER}, "required": ["a"]}
FREE_FORM = {**OBJECT, "additionalProperties": {"type": "string"}}
"""Takes the CLI's tool, as the API's own structured output has no such map."""


def form(schema: dict[str, Any]) -> Any:
    """The `response_format` for a schema."""
    return {"type": "json_schema", "json_schema": {"name": "x", "schema": schema, "strict": True}}


def asked(gateway: RunningGateway, *replies: Reply, **fields: Any) -> Any:
    """The one choice of the answer; the upstream says `replies`, the last one again and again."""
    gateway.upstream.script = in_order(*replies)
    fields = {"model": MODEL, "messages": HI, **fields}
    (choice,) = gateway.client.chat.completions.create(**fields).choices
    return choice


def streamed(gateway: RunningGateway, *replies: Reply, **fields: Any) -> list[str]:
    """The pieces of the answer's text."""
    gateway.upstream.script = in_order(*replies)
    fields = {"model": MODEL, "messages": HI, **fields}
    chunks = list(gateway.client.chat.completions.create(**fields, stream=True))
    assert chunks[-1].choices[0].finish_reason == "stop"
    return [chunk.choices[0].delta.content for chunk in chunks if chunk.choices[0].delta.content]


def only_request(gateway: RunningGateway) -> MessagesRequest:
    """The upstream's one request."""
    (request,) = gateway.upstream.requests
    return request
