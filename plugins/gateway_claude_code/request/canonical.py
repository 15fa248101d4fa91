"""Whether two conversations are the same, however a client wrote them down. Pure.

Clients of a stateless API send the whole conversation each time, and on the way they re-serialise
the arguments of calls, rewrite ids, and turn null content into "" or a list of parts. A canonical
form does not see these differences. It sees every other one.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from gateway.types import (
    ChatRequest,
    Document,
    Image,
    Message,
    Part,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from gateway_claude_code.request.history import merged_turns
from gateway_claude_code.request.tools.call_input import exact_json
from gateway_claude_code.request.tools.call_numbers import CallNumbers

Digest = bytes
_SIZE: Final = 20


def digest_of(value: Any) -> Digest:  # noqa: ANN401
    """A digest of what JSON can say."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.blake2b(text.encode("ascii"), digest_size=_SIZE).digest()


def setting_digest(
    request: ChatRequest, model: str, *, with_schema: bool, agent: str | None = None
) -> Digest:
    """What a process is set up with once: it can't be changed for a later request.

    `with_schema`: whether the process was given the schema of the answer. `agent`: what it may
    do by itself.
    """
    return digest_of(
        {
            "caller": request.client.caller,
            "model": model,
            "system": request.system,
            "tools": [[tool.name, tool.description, dict(tool.schema)] for tool in request.tools],
            "form": [
                request.response_format.kind,
                dict(request.response_format.schema) if request.response_format.schema else None,
                with_schema,
            ],
            "effort": request.effort,
            "agent": agent,
        }
    )


def parameters_digest(request: ChatRequest) -> Digest:
    """What can be changed from one request to the next."""
    sampling, choice = request.sampling, request.tool_choice
    return digest_of(
        [
            [sampling.max_output_tokens, sampling.temperature, sampling.top_p, sampling.top_k],
            list(sampling.stop),
            [choice.mode, list(choice.names), choice.parallel],
            request.thinking,
        ]
    )


def request_digest(request: ChatRequest, model: str) -> Digest:
    """What two requests have in common that ask the same of the same model.

    Empty for one whose arguments are nested too deeply to be compared.
    """
    setting = setting_digest(request, model, with_schema=False)
    try:
        transcript = Transcript(request.messages).digest()
    except RecursionError:
        return b""
    return digest_of([part.hex() for part in (setting, parameters_digest(request), transcript)])


def schema_digest(request: ChatRequest) -> Digest:
    """Of the schema of the answer; the same for all requests without one."""
    schema = request.response_format.schema
    return digest_of(dict(schema) if schema is not None else None)


class LatestDigests:
    """A set of so many digests at most; the last ones added stay."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._digests: dict[Digest, None] = {}

    def __contains__(self, digest: Digest) -> bool:
        return digest in self._digests

    def add(self, digest: Digest) -> None:
        """Add one; the oldest is dropped when the set is full."""
        self._digests[digest] = None
        if len(self._digests) > self._most:
            del self._digests[next(iter(self._digests))]


class Transcript:
    """A conversation turn by turn. Calls are known by their place in it, not by their ids."""

    def __init__(self, messages: Iterable[Message]) -> None:
        self._numbers = CallNumbers()
        self.turns: list[list[Any]] = []
        for role, parts in merged_turns(messages):
            if role == "assistant":
                self._numbers.begin_turn()
            self.turns.append([role, self._parts(role, parts)])

    def digest(self) -> Digest:
        """Of all turns."""
        return digest_of(self.turns)

    def _parts(self, role: Role, parts: Sequence[Part]) -> list[Any]:
        forms: list[Any] = []
        for part in parts:
            form = self._form(part)
            if role == "assistant" and form[0] == "text" and forms and forms[-1][0] == "text":
                forms[-1] = ["text", forms[-1][1] + form[1]]
            else:
                forms.append(form)
        # results come first, and in the order of their calls, however a client has ordered them
        return sorted(forms, key=_place)

    def _form(self, part: Part) -> list[Any]:
        match part:
            case ToolCall():
                self._numbers.add(part.id)
                return ["call", part.name, arguments_form(part.arguments)]
            case ToolResult():
                inner = [self._form(inner) for inner in part.parts]
                return ["result", self._numbers.answered(part.call_id), inner, part.is_error]
            case Text():
                return [part.speaker or "text", part.text]
            case Image():
                return ["image", part.media_type, part.data, part.url]
            case Document():
                return ["document", part.media_type, part.data, part.title]
            case _:
                return ["other", repr(part)]


def _place(form: list[Any]) -> tuple[int, int]:
    if form[0] != "result":
        return (1, 0)
    return (0, -1 if form[1] is None else form[1])


def arguments_form(arguments: str) -> Any:  # noqa: ANN401
    """Arguments that mean the same have the same form, whoever wrote the JSON."""
    if not arguments.strip():
        return ["json", {}]
    try:
        return ["json", _plain_numbers(exact_json(arguments))]
    except (ValueError, RecursionError):
        return ["text", arguments]


def _plain_numbers(value: Any) -> Any:  # noqa: ANN401
    """1.0 and 1 are one number in JavaScript, which writes it as 1."""
    match value:
        case dict():
            return {key: _plain_numbers(item) for key, item in value.items()}
        case list():
            return [_plain_numbers(item) for item in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value
