"""Rules about marks for the prompt cache."""

from collections.abc import Iterator
from typing import Any, Final

from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.upstream.request import JsonObject, MessagesRequest
from gateway_claude_code.upstream.rules.blocks import all_blocks, content_blocks, field_of, text_of
from gateway_claude_code.upstream.rules.rule import Refusal, extra_input, invalid

MOST_MARKS: Final = 4
LIFETIMES: Final = ("5m", "1h")


def supported(request: MessagesRequest, facts: ModelFacts) -> Refusal | None:
    """Marks are only for models with a prompt cache."""
    marked = next(_marked(request), None)
    if marked is not None and not facts.cache_marks:
        return extra_input(f"{marked[0]}.cache_control")
    return None


def at_most_four(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A request has at most four marks."""
    found = len(list(_marked(request)))
    if found > MOST_MARKS:
        return invalid(
            f"A maximum of {MOST_MARKS} blocks with cache_control may be provided. Found {found}."
        )
    return None


def values(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A mark is "ephemeral", for five minutes or an hour."""
    for path, block in _marked(request):
        mark: Any = block["cache_control"]
        if field_of(mark, "type") != "ephemeral":
            return invalid(f"{path}.cache_control.type: Input should be 'ephemeral'")
        if (field_of(mark, "ttl") or LIFETIMES[0]) not in LIFETIMES:
            return invalid(f"{path}.cache_control.ephemeral.ttl: Input should be '5m' or '1h'")
    return None


def on_content(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """An empty text or thinking has no mark."""
    for path, block in _marked(request):
        if block.get("type") in ("thinking", "redacted_thinking"):
            return extra_input(f"{path}.{block['type']}.cache_control")
        if block.get("type") == "text" and not text_of(block):
            return invalid(f"{path}.text: cache_control cannot be set for empty text blocks")
    return None


def longer_first(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A mark for an hour does not come after one for five minutes."""
    short = False
    for path, block in _marked(request):
        lifetime = field_of(block["cache_control"], "ttl") or LIFETIMES[0]
        if lifetime == "1h" and short:
            return invalid(
                f"{path}.cache_control.ttl: a ttl='1h' cache_control block must not come after "
                "a ttl='5m' cache_control block. Note that blocks are processed in the following "
                "order: `tools`, `system`, `messages`."
            )
        short = short or lifetime == "5m"
    return None


def _marked(request: MessagesRequest) -> Iterator[tuple[str, JsonObject]]:
    """The marked blocks with their paths, in the API's order: tools, system, messages."""
    for number, tool in enumerate(request.tools):
        if tool.get("cache_control") is not None:
            yield f"tools.{number}", tool
    for number, block in enumerate(content_blocks(request.body.get("system"))):
        if block.get("cache_control") is not None:
            yield f"system.{number}", block
    for placed in all_blocks(request):
        if placed.block.get("cache_control") is not None:
            yield placed.path, placed.block
