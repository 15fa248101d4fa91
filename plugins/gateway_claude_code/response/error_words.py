"""The API's error messages in a client's terms: its parameters, its names, no jargon. Pure.

The API names places of its own request (`messages.4.content.0.tool_use.id`,
`tools.0.custom.input_schema`), which mean nothing to a client. `CLIENT_NAMES` is the one table of
their names towards clients. An index is kept only if it is the client's own: the turns of the API's
request are merged and mixed with the CLI's, so the number of a message means nothing to a client.

Wordings: platform.claude.com/docs/en/api/errors, the public issues quoted in the tests, and the
texts of CLI 2.1.330.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.types import ChatRequest
from gateway_claude_code.request.tools.tool_names import PREFIX, ToolNames
from gateway_claude_code.request.web_search import NAME, TYPES

CLIENT_NAMES: Final = {
    "output_config.format.schema": "response_format.json_schema.schema",
    "output_config.format": "response_format",
    # its name in the beta: platform.claude.com/docs/en/build-with-claude/structured-outputs
    "output_format.schema": "response_format.json_schema.schema",
    "output_format": "response_format",
    "output_config.effort": "reasoning_effort",
    "output_config": "reasoning_effort",
    "stop_sequences": "stop",
    # OpenAI's clients send it as a message
    "system": "messages",
    "thinking": "reasoning_effort",
    "tool_choice.disable_parallel_tool_use": "parallel_tool_calls",
    "metadata.user_id": "user",
}
"""The clients' names of the API's parameters, if they differ; the longest match counts."""

_TOOL_FIELDS: Final = {
    "name": "function.name",
    "description": "function.description",
    "input_schema": "function.parameters",
    "strict": "function.strict",
}
_BLOCKS: Final = (
    ("tool_use.id", "the id of a tool call"),
    ("tool_use.input", "the arguments of a tool call"),
    ("tool_use.name", "the name of a tool call"),
    ("tool_use", "a tool call"),
    ("tool_result", "the result of a tool call"),
    ("image", "an image"),
    ("document", "a file"),
    ("redacted_thinking", "a thinking block"),
    ("thinking", "a thinking block"),
    ("cache_control", "a cache mark"),
    ("text", "a text"),
)
"""The subject of a place in a message: the first of these in its path."""

_TOP: Final = (
    "max_tokens|messages|metadata|model|output_config|output_format"
    "|stop_sequences|stream|system|temperature|thinking|tool_choice|tools|top_k|top_p"
)
_STEPS: Final = r"(?:\.[A-Za-z_][\w-]*|\.\d+|\[\d+\])"
_PATH: Final = re.compile(
    rf"""(?<![\w./-])(?:
        [`"'](?!(?:thinking|system)[`"'])            # which are blocks and roles as well
            (?P<quoted>(?:{_TOP}){_STEPS}*)[`"']     # `thinking.budget_tokens`
        |(?P<first>(?:{_TOP}){_STEPS}*)(?=:\s)       # tools.0.custom.name: …
        |(?P<deep>(?:{_TOP}){_STEPS}+)               # … in messages.1.content.0 …
        |(?P<plain>max_tokens|stop_sequences|output_config|tool_choice|top_k|top_p|temperature)
    )(?![\w/-])""",
    re.VERBOSE,
)
"""A place of the API's request. Words such as "thinking" are places only if they look like one."""

# such as "`tool_use` ids were found without `tool_result` blocks immediately after" on
# platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls
_BLOCK_NAMES: Final = re.compile(r"`?tool_(use|result)`? (ids|blocks?)|`tool_(use|result)`")

_MEDIA: Final = re.compile(r"\b(?:images?|PDFs?|documents?)\b", re.IGNORECASE)
"""CLI 2.1.330 has sentences of its own for these (code.claude.com/docs/en/errors), without a place."""

# each pattern has the live API's words; see the docstring for where they are quoted
_WORDINGS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), param, text)
    for pattern, param, text in (
        (  # platform.claude.com/docs/en/api/errors, "Thinking cannot be disabled"
            r"thinking\.type.*disabled|thinking cannot be disabled|thinking\.type: Input should"
            r"|^.?thinking.? (?:is )?not supported",
            "reasoning_effort",
            "This model does not support that thinking setting. Leave reasoning_effort out, or use "
            "'low' for little thinking.",
        ),
        (  # platform.claude.com/docs/en/build-with-claude/thinking-troubleshooting
            r"must start with a thinking block|Expected .?thinking.? or .?redacted_thinking",
            "messages",
            "This model needs the thinking of the turn that called the tools. Set "
            "reasoning_effort to 'none' for this request.",
        ),
        (  # platform.claude.com/docs/en/api/errors, "Thinking blocks cannot be modified"
            r"invalid .?signature.? in .?(?:redacted_)?thinking|thinking\.signature"
            r"|redacted_thinking.? blocks in the latest assistant message cannot be modified"
            r"|block is bound to a different conversation",
            "messages",
            "The thinking in this conversation, or the text before it, was changed. Resend the "
            "conversation unchanged, or use reasoning_effort 'none'.",
        ),
        (  # platform.claude.com/docs/en/build-with-claude/extended-thinking
            r"max_tokens.? must be greater than .?(?:thinking\.)?budget_tokens",
            "max_tokens",
            "max_tokens must leave room for thinking: raise max_tokens, or lower reasoning_effort.",
        ),
        (  # platform.claude.com/docs/en/build-with-claude/effort
            r"does not support the effort parameter|output_config\.effort",
            "reasoning_effort",
            "This model does not accept that reasoning_effort. Leave it out, or use another level.",
        ),
        (  # can1357/oh-my-pi#12939 and can1357/oh-my-pi#341
            r"forced tool use (?:is )?not (?:supported|allowed)|tool_choice forces tool use"
            r"|tool_choice.* (?:is )?not supported",
            "tool_choice",
            "This model can't be forced to call a tool here. Use tool_choice 'auto', and ask for "
            "the tool in the prompt.",
        ),
        (  # platform.claude.com/docs/en/api/errors, "Prefill not supported"
            r"does not support assistant message prefill|prefill(?:ing)? (?:is )?not supported",
            "messages",
            "This model can't continue an assistant message. The last message must be the user's.",
        ),
        (
            r"cache_control",
            None,
            "The model's API rejected the marks for its prompt cache in this request.",
        ),
        (
            # the CLI adds both to each request (seen with 2.1.330)
            r"\bcontext_management\b|anthropic-beta",
            None,
            "The model's API rejected a setting that the Claude Code CLI adds to each request.",
        ),
        (  # platform.claude.com/docs/en/build-with-claude/thinking, "Sampling parameters"
            r"^(temperature|top_p|top_k): Extra inputs|^.?(temperature|top_p|top_k).? is deprecated",
            "",
            "This model does not accept {param}. Leave it out.",
        ),
    )
)
"""Messages that mean nothing to a client, their parameter ("" for the one that the pattern finds),
and the client's message."""

_MISSING_TOOL: Final = re.compile(
    r"\bTool [`\"']?(?P<named>[\w-]+)[`\"']? not found(?: in provided tools)?"
    r"|Forced tool use failed because tool [`\"']?(?P<forced>[\w-]+)[`\"']? was not defined",
    re.IGNORECASE,
)
"""The CLI omits a tool with an unusable schema (2.1.330), and a choice of it then fails."""

_JARGON: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"^Failed to authenticate\.\s+(?=API Error:)",
        r"\bAPI Error:\s*(?:\d{3}\b\s*)?",
        # the status in front of a sentence, as in code.claude.com/docs/en/errors
        r"^[45]\d\d\s+(?=[A-Z])",
        # code.claude.com/docs/en/errors has these two, "Request rejected (429)" and "Server is …"
        r"^Request rejected \(429\)\s*·\s*",
        r"^Server is temporarily limiting requests \(not your usage limit\)\s*·\s*",
        r"\s*This is a server-side issue\b.*$",
        r"\s*The API is at capacity\b.*$",
        r"\s*If it persists, check .*$",
        # options and commands that only the CLI's user has: `--model`, `/login`, `/compact`
        r"\s*Run --model\b.*$",
        r"\s*(?:Try|Run|Use) --model\b.*$",
        # the interactive form of errors about media (code.claude.com/docs/en/errors, "PDF errors")
        r"\s*Double press esc\b.*$",
        r"\s*·\s*Fix external API key\b.*$",
        r"\s*·\s*(?:Please )?(?:run|try|use|see)?\s*/[a-z][a-z-]*\b.*$",
        r"\s*(?:Please )?(?:[Rr]un|[Uu]se|[Tt]ry) /[a-z][a-z-]*\b.*$",
        # advice of the CLI about files on its own machine (code.claude.com/docs/en/errors)
        r"\s*(?:Re-read|Try reading) the file\b.*$",
        r"\s*Reduce the input \(large tool results or pasted content\)[^.]*\.?",
    )
)
"""The CLI's additions to the API's message, for users of its terminal (seen with 2.1.330)."""

NO_REASON: Final = "no reason was given"


@dataclass(frozen=True, slots=True)
class ClientWords:
    """A message for a client, and the parameter that it is about, if it says so."""

    text: str
    param: str | None


def client_words(
    sentence: str, request: ChatRequest | None = None, offered: Sequence[str] = ()
) -> ClientWords:
    """The API's message for the client that sent `request`.

    `offered` are the names of the tools in the API's request, in its order: with both, a tool's
    index becomes the client's.
    """
    places = _Places(request, offered)
    plain = without_jargon(sentence)
    if (missing := _MISSING_TOOL.search(plain)) is not None:
        return places.missing_tool(missing["named"] or missing["forced"])
    for pattern, param, text in _WORDINGS:
        if found := pattern.search(plain):
            named = next((group for group in found.groups() if group), None)
            about = named if param == "" else param
            return ClientWords(text.format(param=about), about)
    first = _PATH.search(plain)
    text = _PATH.sub(lambda found: places.spoken(_path_of(found)), plain)
    text = places.names(_BLOCK_NAMES.sub(_block_name, text))
    if first is not None:
        return ClientWords(text, places.client_path(_path_of(first)))
    return ClientWords(text, "messages" if _MEDIA.search(plain) else None)


def without_jargon(sentence: str) -> str:
    """The API's message alone, without the CLI's additions."""
    for pattern in _JARGON:
        sentence = pattern.sub("", sentence)
    return sentence.strip(" ·") or NO_REASON


class _Places:
    """The API's places in the client's terms."""

    def __init__(self, request: ChatRequest | None, offered: Sequence[str]) -> None:
        self._sent = [tool.name for tool in request.tools] if request is not None else []
        self._names = ToolNames(self._sent)
        self._offered = offered
        searches = request.web_search if request is not None else None
        self._search = (searches and searches.place) or "tools"

    def client_path(self, path: str) -> str:
        """`tools.0.custom.input_schema` → `tools[0].function.parameters`."""
        steps = re.split(r"[.\[\]]+", path.strip("]"))
        if steps[0] == "tools":
            return self._tool_path(steps[1:])
        if steps[0] == "messages":
            return "messages"
        for length in range(len(steps), 0, -1):
            if name := CLIENT_NAMES.get(".".join(steps[:length])):
                return name
        return steps[0]

    def spoken(self, path: str) -> str:
        """The place as it is named in a sentence, with the subject of a position in a message."""
        name = self.client_path(path)
        if (index := re.match(r"tools\[(\d+)\]", name)) is not None:
            return f"{name} (of {self._sent[int(index[1])]!r})"
        if name == "tools" and (field := next((f for f in _TOOL_FIELDS if f in path), None)):
            return f"tools (a tool's {_TOOL_FIELDS[field].removeprefix('function.')})"
        if name != "messages" or path == "messages":
            return name
        steps = path.partition(".")[2]
        what = next((word for key, word in _BLOCKS if key in steps), None)
        return f"{name} ({what})" if what else name

    def missing_tool(self, name: str) -> ClientWords:
        """The message about a tool of the client's that the CLI has omitted."""
        # the API's name of a tool, `mcp__t__NAME` (seen with 2.1.330)
        inner = re.sub(r"^mcp__[A-Za-z0-9-]+?__", "", name)
        # the API's sentence may name a tool with any prefix, or with none
        known = self._names.from_model(PREFIX + inner)
        text = (
            f"The model's tools do not include {known or inner!r}, since its schema could not be "
            "used. Simplify the tool's parameters."
        )
        if known is None:
            return ClientWords(text, "tools")
        return ClientWords(text, f"tools[{self._sent.index(known)}].function.parameters")

    def names(self, text: str) -> str:
        """The text with the client's names of its tools."""

        def client_name(found: re.Match[str]) -> str:
            return self._names.from_model(PREFIX + found[1]) or found[1]

        return re.sub(r"mcp__[A-Za-z0-9-]+?__([\w-]+)", client_name, text)

    def _tool_path(self, steps: Sequence[str]) -> str:
        if not steps or not steps[0].isdigit():
            return "tools"
        position = int(steps[0])
        named = self._offered[position] if position < len(self._offered) else None
        if named == NAME or {*steps[1:2]} & {*TYPES.values()}:
            return self._search  # "tools.1.web_search_20250305.user_location.country"
        index = self._tool_index(position)
        if index is None:
            return "tools"
        # "tools.0.custom.input_schema": `custom` is the type of all client tools, not a field
        fields = [step for step in steps[1:] if step not in {"custom", "function"}]
        if not fields:
            return f"tools[{index}]"
        field = _TOOL_FIELDS.get(fields[0])
        return f"tools[{index}].{field}" if field else f"tools[{index}]"

    def _tool_index(self, position: int) -> int | None:
        """The client's index of the API's tool; None for an unknown tool, or one of the CLI's own."""
        if not 0 <= position < len(self._offered):
            return None
        name = self._names.from_model(self._offered[position])
        return self._sent.index(name) if name in self._sent else None


def _path_of(found: re.Match[str]) -> str:
    return next(group for group in found.groups() if group)


def _block_name(found: re.Match[str]) -> str:
    kind, what = found[1] or found[3], found[2]
    name = "tool call" if kind == "use" else "tool result"
    if what == "ids":
        return f"ids of {name}s"
    return name if what == "block" else f"{name}s"
