"""Rules about earlier searches of the web in the conversation."""

from collections.abc import Iterator, Mapping
from typing import Final

from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.upstream.request import JsonObject, MessagesRequest
from gateway_claude_code.upstream.rules.blocks import content_blocks, placed_blocks
from gateway_claude_code.upstream.rules.rule import Refusal, invalid
from gateway_claude_code.upstream.web import sealed

CALL: Final = "server_tool_use"
RESULT: Final = "web_search_tool_result"


def calls(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A call has the API's own form of id, and an object as its input."""
    for placed in placed_blocks(request):
        if placed.kind != CALL:
            continue
        where = f"{placed.path}.{CALL}"
        if not str(placed.block.get("id", "")).startswith("srvtoolu_"):
            return invalid(f"{where}.id: String should match pattern '^srvtoolu_[a-zA-Z0-9_]+$'")
        if not isinstance(placed.block.get("input"), Mapping):
            return invalid(f"{where}.input: Input should be a valid dictionary")
    return None


def has_call(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A result comes after its call."""
    called: set[str] = set()
    for placed in placed_blocks(request):
        if placed.kind == CALL:
            called.add(str(placed.block.get("id")))
        found = str(placed.block.get("tool_use_id"))
        if placed.kind == RESULT and found not in called:
            return invalid(
                f"{placed.path}: unexpected `tool_use_id` found in `{RESULT}` blocks: {found}. Each "
                f"`{RESULT}` block must have a corresponding `{CALL}` block before it."
            )
    return None


def has_result(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A call has its result, unless the turn is still open: paused, or at a client's tool."""
    done = {
        str(placed.block.get("tool_use_id"))
        for placed in placed_blocks(request)
        if placed.kind == RESULT
    }
    still_open = _open_turn(request)
    for placed in placed_blocks(request):
        call = str(placed.block.get("id"))
        if placed.kind != CALL or placed.block.get("name") != "web_search" or call in done:
            continue
        if placed.index < still_open:
            return invalid(
                f"messages.{placed.index}: `web_search` tool use with id `{call}` was found without "
                f"a corresponding `{RESULT}` block"
            )
    return None


def _open_turn(request: MessagesRequest) -> int:
    """The index of the last assistant message if its turn is not over, else that after all."""
    for index in range(len(request.messages) - 1, -1, -1):
        message = request.messages[index]
        blocks = content_blocks(message.get("content"))
        if message.get("role") == "assistant":
            return index
        if any(block.get("type") != "tool_result" for block in blocks):
            break
    return len(request.messages)


def pages(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A page comes back unmodified, with its encrypted content."""
    for where, page in _pages(request):
        content = page.get("encrypted_content")
        if content is None:
            return invalid(f"{where}.encrypted_content: Field required")
        if content != sealed(str(page.get("url"))):
            return invalid(f"{where}: Invalid `encrypted_content` in `search_result` block")
    return None


def _pages(request: MessagesRequest) -> Iterator[tuple[str, JsonObject]]:
    for placed in placed_blocks(request):
        content = placed.block.get("content")
        if placed.kind == RESULT and isinstance(content, list):
            for number, page in enumerate(content):
                yield f"{placed.path}.{RESULT}.content.{number}", page


def citations(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A citation of a page comes back unmodified, with its encrypted index."""
    for placed in placed_blocks(request):
        found = placed.block.get("citations")
        for number, given in enumerate(found if isinstance(found, list) else ()):
            if given.get("type") != "web_search_result_location":
                continue
            where = f"{placed.path}.text.citations.{number}"
            index = given.get("encrypted_index")
            if index is None:
                return invalid(f"{where}.encrypted_index: Field required")
            if index != sealed(str(given.get("url"))):
                return invalid(f"{where}: Invalid `encrypted_index` in citation")
    return None
