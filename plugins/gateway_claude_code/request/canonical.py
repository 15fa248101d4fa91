"""A canonical form of conversations, equal for all spellings of the same one. Pure.

Clients of a stateless API resend the whole conversation each time. On the way they re-serialise the
arguments of calls, rewrite ids, and turn null content into "" or a list of parts. The canonical form
removes these differences and no others.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.types import (
    ChatRequest,
    Document,
    Image,
    Message,
    Part,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from gateway_claude_code.request.history import alternating, merged_turns
from gateway_claude_code.request.tools.call_input import exact_json
from gateway_claude_code.request.tools.call_numbers import CallNumbers

Digest = bytes
_SIZE: Final = 20


def digest_of(value: Any) -> Digest:  # noqa: ANN401
    """A digest of a JSON value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.blake2b(text.encode("ascii"), digest_size=_SIZE).digest()


def setting_digest(
    request: ChatRequest,
    model: str,
    *,
    with_schema: bool,
    agent: str | None = None,
    search: Mapping[str, Any] | None = None,
) -> Digest:
    """The settings that a process gets once: they can't be changed for a later request.

    `with_schema`: whether the process got the schema of the answer. `agent`: what it may do by
    itself. `search` is the API's own tool beside the request's.
    """
    return digest_of(
        {
            "caller": request.client.caller,
            # in a conversation that has begun, 2.1.330 writes a change of model into it
            "model": model,
            # a second `initialize` answers success and changes nothing (seen with 2.1.330)
            "system": request.system,
            # under the same server name, tools that were once sent stay in the body (seen with
            # 2.1.330)
            "tools": [[tool.name, tool.description, dict(tool.schema)] for tool in request.tools],
            # changes with any request, but thinking is bound to the tools before it
            # (platform.claude.com/docs/en/build-with-claude/preserved-thinking/prefix-checks)
            "search": dict(search) if search else None,
            # `initialize.jsonSchema` is given once, like the system prompt (seen with 2.1.330)
            "form": [
                request.response_format.kind,
                dict(request.response_format.schema) if request.response_format.schema else None,
                with_schema,
            ],
            # part of the cached prefix: platform.claude.com/docs/en/build-with-claude/effort says
            # that another level in mid-conversation misses the cache
            "effort": request.effort,
            "agent": agent,
        }
    )


def set_up_digest(request: ChatRequest, model: str, *, schema: Mapping[str, Any] | None) -> Digest:
    """Of all that a process gets once, whatever its conversation; `schema` is for the CLI's own tool.

    The model is in it, as 2.1.330 asks for some models with one more beta header once it has asked
    others (seen with haiku-5-5 after sonnet).
    """
    return digest_of(
        {"model": model, "system": request.system, "schema": dict(schema) if schema else None}
    )


def opening_digest(request: ChatRequest, search: Mapping[str, Any] | None = None) -> Digest:
    """Of all that changes in an empty conversation only: see `setting_digest` for the reasons."""
    form = request.response_format
    return digest_of(
        {
            "tools": [[tool.name, tool.description, dict(tool.schema)] for tool in request.tools],
            "search": dict(search) if search else None,
            "form": [form.kind, dict(form.schema) if form.schema else None],
            "effort": request.effort,
        }
    )


def offer_digest(tools: Iterable[Tool]) -> Digest:
    """Of the tools as the model gets them."""
    return digest_of([[tool.name, tool.description, dict(tool.schema)] for tool in tools])


def parameters_digest(request: ChatRequest) -> Digest:
    """The parameters that can change from one request to the next (doctor: taken_back)."""
    sampling, choice = request.sampling, request.tool_choice
    return digest_of(
        [
            [sampling.max_output_tokens, sampling.temperature, sampling.top_p, sampling.top_k],
            list(sampling.stop),
            [choice.mode, list(choice.names), choice.parallel],
            request.thinking,
        ]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Digests:
    """A request in digests: the same conversation under the same of all can go on in its process.

    `parameters` can change at any time, and `setting` is what can't in a conversation that has begun.
    Of that, `set_up` is what a process keeps for life, and `opening` changes in an empty
    conversation; `offer` is of the tools alone, as the model gets them.
    """

    setting: Digest
    parameters: Digest
    set_up: Digest
    opening: Digest
    offer: Digest

    @classmethod
    def of(
        cls,
        request: ChatRequest,
        model: str,
        *,
        agent: object | None,
        offered: Iterable[Tool],
        schema: Mapping[str, Any] | None,
        search: Mapping[str, Any] | None = None,
    ) -> "Digests":
        """Those of a request with these tools, perhaps to an agent; `schema` is for the CLI's own tool.

        `search` is the API's.
        """
        return cls(
            setting=setting_digest(
                request,
                model,
                with_schema=schema is not None,
                agent=repr(agent) if agent else None,
                search=search,
            ),
            parameters=parameters_digest(request),
            set_up=set_up_digest(request, model, schema=schema),
            opening=opening_digest(request, search),
            offer=offer_digest(offered),
        )


def request_digest(request: ChatRequest, model: str) -> Digest:
    """Equal for two requests that ask the same of the same model.

    Empty if arguments are nested too deeply to be compared.
    """
    setting = setting_digest(request, model, with_schema=False)
    try:
        transcript = Transcript(request.messages).digest()
    except RecursionError:
        return b""
    return digest_of([part.hex() for part in (setting, parameters_digest(request), transcript)])


def schema_digest(request: ChatRequest) -> Digest:
    """A digest of the answer's schema; the same for all requests without one."""
    schema = request.response_format.schema
    return digest_of(dict(schema) if schema is not None else None)


def prefix_digests(
    messages: Sequence[Message], answer: Message | None = None
) -> tuple[Digest, ...]:
    """For each turn that the model gets a digest of the conversation up to and including it.

    With `answer`, that of the assistant to these messages is the last one. Calls count with their
    ids, as a process has given results to these. Empty if arguments are nested too deeply.
    """
    turns = alternating(messages)
    if answer is not None:
        turns.append((answer.role, list(answer.parts)))
    digests: list[Digest] = []
    try:
        for turn in Transcript((), turns, with_ids=True).turns:
            before = digests[-1].hex() if digests else ""
            digests.append(digest_of([before, turn]))
    except RecursionError:
        return ()
    return tuple(digests)


class LatestDigests:
    """A bounded set of digests: the oldest is dropped."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._digests: dict[Digest, None] = {}

    def __contains__(self, digest: Digest) -> bool:
        return digest in self._digests

    def add(self, digest: Digest) -> None:
        """Add one; a full set drops its oldest."""
        self._digests[digest] = None
        if len(self._digests) > self._most:
            del self._digests[next(iter(self._digests))]


class Transcript:
    """A conversation turn by turn. Calls are identified by their position, not by their ids.

    `with_ids` both. `turns` are those that the model is to get, by default the client's.
    """

    def __init__(
        self,
        messages: Iterable[Message],
        turns: Iterable[tuple[Role, Sequence[Part]]] | None = None,
        *,
        with_ids: bool = False,
    ) -> None:
        self._numbers = CallNumbers()
        self._with_ids = with_ids
        self.turns: list[list[Any]] = []
        for role, parts in merged_turns(messages) if turns is None else turns:
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
            # the model's answer may have several text blocks; OpenAI's format has one text
            if role == "assistant" and form[0] == "text" and forms and forms[-1][0] == "text":
                forms[-1] = ["text", forms[-1][1] + form[1]]
            else:
                forms.append(form)
        # results come first and in the order of their calls, whatever a client's order: the API
        # wants them first (platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls)
        return sorted(forms, key=_place)

    def _form(self, part: Part) -> list[Any]:
        match part:
            case ToolCall():
                self._numbers.add(part.id)
                form = ["call", part.name, arguments_form(part.arguments)]
                return [*form, part.id] if self._with_ids else form
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
    """The same form for arguments that mean the same, whatever their JSON looks like."""
    # a call without arguments streams no delta, and clients resend it as "" or "{}"
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
