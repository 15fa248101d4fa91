"""What a request asks for beside what arrived: nothing of another's, nothing missing. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from gateway.types import Document, Image, Part, Text, ToolCall, ToolResult
from gateway_claude_code.request.prepare import Prepared
from gateway_claude_code.request.settings import extra_body
from gateway_claude_code.request.terms import Terms
from gateway_claude_code.request.tools.call_input import call_input
from gateway_claude_code.upstream import MessagesRequest
from tests.arrives.arrived import missing
from tests.arrives.conversations import RESULTS, Atom, Call, Expected
from tests.prove_reuse.callers.asked import Asked
from tests.prove_reuse.marks import secrets_in

FREE: Final = ("temperature", "top_p", "top_k", "stop_sequences", "tool_choice")
"""Fields that a request without them must not have."""


def wrong(asked: Asked, arrived: MessagesRequest, thoughts: Mapping[str, str]) -> Iterator[str]:
    """What of this request, which belongs to that of a client, is not the client's."""
    yield from _foreign(asked, arrived, thoughts)
    if asked.is_further(arrived):
        return
    found = [list(_differs(prepared, arrived)) for prepared in asked.prepared]
    if not any(each == [] for each in found):
        yield from min(found, key=len)


def _foreign(asked: Asked, arrived: MessagesRequest, thoughts: Mapping[str, str]) -> Iterator[str]:
    own = asked.own
    for secret in secrets_in([arrived.body, arrived.headers]):
        if secret not in own and thoughts.get(secret) not in own:
            yield f"holds {secret}, which its request does not"


def _differs(prepared: Prepared, arrived: MessagesRequest) -> Iterator[str]:
    expected = _expected(prepared)
    if (lost := missing(_without_thinking(arrived), expected)) is not None:
        yield lost
    yield from _other_tools(prepared, arrived)
    fields = [
        list(_other_fields(prepared, terms, arrived))
        for terms in (prepared.terms, prepared.seeded_terms)
    ]
    yield from min(fields, key=len)


def _without_thinking(arrived: MessagesRequest) -> MessagesRequest:
    """Without what a live process has and a client has not; its secrets are checked apart."""
    turns = [
        {**turn, "content": [block for block in turn["content"] if block.get("type") != "thinking"]}
        if isinstance(turn.get("content"), list)
        else turn
        for turn in arrived.messages
    ]
    return replace(arrived, body={**arrived.body, "messages": turns})


def _expected(prepared: Prepared) -> Expected:
    request = prepared.request
    expected = Expected(system=[request.system] if request.system else [])
    calls: dict[str, Call] = {}
    for message in request.messages:
        results = False
        for part in sorted(message.parts, key=lambda part: not isinstance(part, ToolResult)):
            match part:
                case ToolCall():
                    call = Call(part.name, call_input(part.arguments))
                    calls[part.id] = call
                    expected.calls.append(call)
                    expected.said.append(("call", call.name, call.input))
                case ToolResult():
                    if not results:
                        expected.said.append(RESULTS)
                    results = True
                    inner = [atom for each in part.parts for atom in _atoms("result", each)]
                    if part.is_error:
                        expected.said += [atom for atom in inner if atom[0] != "result"]
                        inner = [atom for atom in inner if atom[0] == "result"]
                    calls[part.call_id].results.append(inner)
                case _:
                    expected.said += _atoms(message.role, part)
    return expected


def _atoms(role: str, part: Part) -> list[Atom]:
    match part:
        case Text():
            return [(role, part.text)]
        case Image():
            return [("image", part.url or part.data)]
        case Document():
            return [("document", part.data)]
        case _:
            return []


def _other_tools(prepared: Prepared, arrived: MessagesRequest) -> Iterator[str]:
    wanted = {
        prepared.names.to_model(tool.name): (tool.description, dict(tool.schema))
        for tool in prepared.tools
    }
    have = {
        tool["name"]: (tool.get("description"), _plain(tool.get("input_schema")))
        for tool in arrived.tools
        if tool["name"] != "StructuredOutput"
    }
    if wanted != have:
        yield f"tools: expected {wanted}, found {have}"


def _plain(schema: Any) -> Any:
    return {k: v for k, v in schema.items() if k != "$schema"}


def _other_fields(prepared: Prepared, terms: Terms, arrived: MessagesRequest) -> Iterator[str]:
    native = prepared.schema.native if prepared.schema is not None else None
    body = arrived.body
    wanted = extra_body(prepared.request, prepared.names, terms, native)
    for name, value in wanted.items():
        have = body.get(name)
        if name == "output_config" and isinstance(have, Mapping):
            have = {key: have.get(key) for key in value}
        if have != value:
            yield f"{name}: expected {value}, found {body.get(name)}"
    for name in FREE:
        if name not in wanted and name in body and body[name] not in (1, {"type": "auto"}):
            yield f"{name}: unexpected {body[name]}"
    if "format" in body.get("output_config", {}) and "output_config" not in wanted:
        yield f"output_config: unexpected {body['output_config']}"
    tokens = terms.sampling.max_output_tokens
    if tokens and body.get("max_tokens") != tokens:
        yield f"max_tokens: expected {tokens}, found {body.get('max_tokens')}"
    if not tokens and body.get("max_tokens", 0) < 8000:
        yield f"max_tokens: unexpected {body.get('max_tokens')}"
    effort = (body.get("output_config") or {}).get("effort")
    if terms.effort and effort != terms.effort:
        yield f"effort: expected {terms.effort}, found {effort}"
