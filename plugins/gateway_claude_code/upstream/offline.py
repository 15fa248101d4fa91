"""The script of `--offline`: answers that say what they are, and obey the request's parameters."""

import json
import re
from dataclasses import replace
from typing import Any

from gateway_claude_code.upstream.request import JsonObject, MessagesRequest, result_text
from gateway_claude_code.upstream.samples import minimal_value
from gateway_claude_code.upstream.script import (
    Answer,
    Block,
    TextBlock,
    ToolUseBlock,
    Usage,
    web_search,
)
from gateway_claude_code.upstream.web import cited

STRUCTURED_OUTPUT = "StructuredOutput"
"""The tool that the CLI offers when it was given a schema (seen with 2.1.197 and 2.1.330)."""

JSON_ONLY = "Answer with one JSON object"
"""A phrase in the system prompt of requests for a JSON object without a schema."""

DEMANDS = ("Call at least one of your tools", "Call one of the tools")
"""The last turn's demand on a model that can't be forced to call any tool, or one of several.

A demand for a single tool has its name, like any other request for a call."""

SEARCH_WORDS = "search the web"
"""A phrase in the last turn that asks for a search, where the request allows one."""
PAGE = "https://example.com/offline"

_INTRODUCTION = "(offline) Dragoman's built-in stand-in answers here; no model was asked."
_QUOTE_LIMIT = 2000
_BYTES_PER_TOKEN = 4
_DELAY_SECONDS = 0.01


def offline_script(request: MessagesRequest, *, says_so: bool = False, hint: str = "") -> Answer:
    """Calls of the tools that are demanded or requested by name, else a text.

    A search of the web is played where the text asks for one. A forced tool choice and a schema are obeyed with minimal arguments; `max_tokens` and
    `stop_sequences` end a text as they would the model's. Token counts are estimates.

    The text says that no model was asked, and `hint` says what to do about it. With `says_so` such
    a text also comes before calls, if a model may write one there.
    """
    introduction = f"{_INTRODUCTION} {hint}".rstrip()
    chosen = _chosen_tools(request)
    if SEARCH_WORDS in request.last_user_text.lower() and _may_search(request):
        return _searched(request, introduction)
    calls = tuple(
        ToolUseBlock(str(tool["name"]), minimal_value(tool.get("input_schema"))) for tool in chosen
    )
    if not calls:
        answer = _limited(_text(request, introduction), request)
    elif says_so and _may_write_before(request, chosen):
        answer = Answer(blocks=(TextBlock(introduction), *calls))
    else:
        answer = Answer(blocks=calls)
    written = sum(_size(block) for block in answer.blocks)
    usage = Usage(input_tokens=_tokens(request.size), output_tokens=_tokens(written))
    return replace(answer, usage=usage, ping=True, delay_seconds=_DELAY_SECONDS)


def _may_search(request: MessagesRequest) -> bool:
    return any(tool.get("name") == "web_search" and "type" in tool for tool in request.tools)


def _searched(request: MessagesRequest, introduction: str) -> Answer:
    """A search with one page, and a text that cites it."""
    said = TextBlock(f"{introduction} No page was searched either.", citations=(cited(PAGE),))
    usage = Usage(
        input_tokens=_tokens(request.size), output_tokens=_tokens(_size(said)), searches=1
    )
    blocks = (*web_search(_quote(request.last_user_text), PAGE), said)
    return Answer(blocks=blocks, usage=usage, ping=True, delay_seconds=_DELAY_SECONDS)


def _may_write_before(request: MessagesRequest, chosen: list[JsonObject]) -> bool:
    """Whether a model may write a text before calls of these tools.

    With a forced choice it never does ("Forcing tool use" on
    platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools), and beside structured
    output a text would make it invalid.
    """
    demanded = any(demand in request.last_user_text for demand in DEMANDS)
    structured = any(tool["name"] == STRUCTURED_OUTPUT for tool in chosen)
    return request.tool_choice.get("type") in (None, "auto") and not demanded and not structured


def _chosen_tools(request: MessagesRequest) -> list[JsonObject]:
    """The tools to call: forced ones first, then requested ones, then structured output."""
    kind, name = request.tool_choice.get("type"), request.tool_choice.get("name")
    tools = [tool for tool in request.tools if "input_schema" in tool]  # the client's
    if kind == "none":
        return []
    if kind == "tool":
        return [tool for tool in tools if tool["name"] == name]
    asked = [tool for tool in tools if _asks_for(request.last_user_text, tool)]
    if asked:
        return asked
    if kind == "any" or any(demand in request.last_user_text for demand in DEMANDS):
        return tools[:1]
    if request.last_tool_results and _structured_already(request):
        return []
    return [tool for tool in tools if tool["name"] == STRUCTURED_OUTPUT]


def _structured_already(request: MessagesRequest) -> bool:
    ids = (str(result.get("tool_use_id")) for result in request.last_tool_results)
    return any(request.tool_name(tool_use_id) == STRUCTURED_OUTPUT for tool_use_id in ids)


def _asks_for(text: str, tool: JsonObject) -> bool:
    """Whether the text says "call NAME" or "use the NAME tool", with or without `mcp__server__`."""
    full = str(tool["name"])
    names = {full, full.split("__", 2)[-1]} if full.startswith("mcp__") else {full}
    alternatives = "|".join(re.escape(name) for name in sorted(names))
    pattern = rf"\b(?:call|use)\s+(?:the\s+)?[`'\"]?(?:{alternatives})(?![\w-])"
    return re.search(pattern, text, re.IGNORECASE) is not None


def _text(request: MessagesRequest, introduction: str) -> str:
    output_format: Any = (request.body.get("output_config") or {}).get("format") or {}
    if output_format.get("type") == "json_schema":
        return json.dumps(minimal_value(output_format.get("schema")), ensure_ascii=False)
    if JSON_ONLY in request.system_text:
        return json.dumps(
            {"offline": introduction, "you_said": _quote(request.last_user_text)},
            ensure_ascii=False,
        )
    if request.last_tool_results:
        quoted = "\n".join(result_text(result) for result in request.last_tool_results)
        return f"{introduction} The tool returned: {_quote(quoted)}"
    return f"{introduction} You said: {_quote(request.last_user_text)}"


def _quote(text: str) -> str:
    return text if len(text) <= _QUOTE_LIMIT else f"{text[:_QUOTE_LIMIT]}…"


def _limited(text: str, request: MessagesRequest) -> Answer:
    """The text up to its first stop sequence and to `max_tokens`, with the stop reason."""
    found = [
        (text.index(sequence), sequence)
        for sequence in request.body.get("stop_sequences") or ()
        if sequence in text
    ]
    stop_sequence = None
    if found:
        end, stop_sequence = min(found)
        text = text[:end]
    room = int(request.body.get("max_tokens") or 0) * _BYTES_PER_TOKEN
    if room and len(text.encode()) > room:
        cut = text.encode()[:room].decode(errors="ignore")
        return Answer(blocks=(TextBlock(cut),), stop_reason="max_tokens")
    return Answer(
        blocks=(TextBlock(text),),
        stop_reason="stop_sequence" if found else None,
        stop_sequence=stop_sequence,
    )


def _size(block: Block) -> int:
    return len(str(block.text if isinstance(block, TextBlock) else block).encode())


def _tokens(size: int) -> int:
    return max(1, -(-size // _BYTES_PER_TOKEN))
