"""Takes secrets, and personal data if asked to, out of requests before a backend sees them.

redact_requests: {kinds: [email, phone, iban, credit_card]}
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final, TypeVar

from anyio import to_process
from pydantic import BaseModel

from gateway import hookimpl
from gateway.context import RequestContext
from gateway.load.off_loop import LARGE_BYTES
from gateway.secrets.patterns import redact
from gateway.types import ChatRequest, Document, Image, Part, Text, ToolCall, ToolResult
from gateway.yaml_file.trust import vetted
from gateway_transforms.personal_data import Kind, redact_personal_data

NAME: Final = "redact_requests"

Clean = Callable[[str], str]
ResultPart = TypeVar("ResultPart", bound=Text | Image | Document)


@vetted
class RedactRequestsConfig(BaseModel):
    """The section `redact_requests`. `kinds` of personal data are redacted besides secrets."""

    secrets: bool = True
    kinds: frozenset[Kind] = frozenset()


@hookimpl
def gateway_register_config(register: Callable[[str, type[BaseModel]], None]) -> None:
    register(NAME, RedactRequestsConfig)


@hookimpl(trylast=True)
def gateway_transform_request(
    request: ChatRequest, ctx: RequestContext
) -> ChatRequest | Awaitable[ChatRequest] | None:
    """Last of all, so that nothing is added afterwards."""
    config = ctx.gateway.config
    if not config.enabled(NAME):
        return None
    section = config.section(NAME, RedactRequestsConfig)
    if ctx.body_bytes > LARGE_BYTES:
        # 0.3 s a megabyte, and a thread would not help: a search lets no other thread run
        return to_process.run_sync(redacted, request, section, cancellable=True)
    return redacted(request, section)


def redacted(request: ChatRequest, section: RedactRequestsConfig) -> ChatRequest:
    """The request without the secrets and the personal data that the section names."""

    def clean(text: str) -> str:
        without = redact(text) if section.secrets else text
        return redact_personal_data(without, section.kinds)

    return replace(
        request,
        system=clean(request.system),
        messages=tuple(
            replace(message, parts=tuple(_part(part, clean) for part in message.parts))
            for message in request.messages
        ),
        tools=tuple(
            replace(tool, description=clean(tool.description), schema=_json(tool.schema, clean))
            for tool in request.tools
        ),
    )


def _part(part: Part, clean: Clean) -> Part:
    """Thinking stays: its signature holds for these very words. So do images."""
    match part:
        case Text() | Document():
            return _leaf(part, clean)
        case ToolCall():
            return replace(part, arguments=_arguments(part.arguments, clean))
        case ToolResult():
            return replace(part, parts=tuple(_leaf(inner, clean) for inner in part.parts))
        case _:
            return part


def _leaf(part: ResultPart, clean: Clean) -> ResultPart:
    match part:
        case Text():
            return replace(part, text=clean(part.text))
        case Document() if part.media_type.startswith("text/"):
            return replace(part, data=clean(part.data))
        case _:
            return part


def _arguments(arguments: str, clean: Clean) -> str:
    """Cleaned inside its strings, so that it stays JSON; as it is, where nothing was found."""
    try:
        parsed = json.loads(arguments)
    except ValueError:
        return clean(arguments)
    cleaned = _json(parsed, clean)
    return arguments if cleaned == parsed else json.dumps(cleaned, ensure_ascii=False)


def _json(value: Any, clean: Clean) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_json(item, clean) for item in value]
    if isinstance(value, dict):
        return {key: _json(item, clean) for key, item in value.items()}
    return value
