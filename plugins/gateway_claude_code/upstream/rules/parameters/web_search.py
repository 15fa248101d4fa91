"""Rules about the API's own tool for searching the web."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.upstream.request import JsonObject, MessagesRequest
from gateway_claude_code.upstream.rules.rule import Refusal, extra_input, invalid

BASIC: Final = "web_search_20250305"
FILTERED: Final = "web_search_20260209"
LATEST: Final = "web_search_20260318"
SEARCHES: Final = (BASIC, FILTERED, LATEST)

OTHER_TYPES: Final = (
    "advisor_20260301",
    "bash_20250124",
    "browser_toolset_20260801",
    "code_execution_20250825",
    "code_execution_20260120",
    "code_execution_20260521",
    "computer_20250124",
    "computer_20251124",
    "computer_toolset_20260801",
    "custom",
    "mcp_toolset",
    "memory_20250818",
    "text_editor_20250124",
    "text_editor_20250728",
    "tool_search_tool_bm25_20251119",
    "tool_search_tool_regex_20251119",
    "web_fetch_20250910",
    "web_fetch_20260209",
    "web_fetch_20260309",
    "web_fetch_20260318",
)
"""Further types of tools: platform.claude.com/docs/en/agents-and-tools/tool-use/tool-reference."""

FIELDS: Final = frozenset(
    {
        "allowed_callers", "allowed_domains", "blocked_domains", "cache_control", "defer_loading",
        "max_uses", "name", "strict", "type", "user_location",
    }
)  # fmt: skip
"""As in anthropic-sdk-python 2.14, `WebSearchTool20260209Param`."""

PLACES: Final = frozenset({"city", "region", "country", "timezone"})
_DOMAIN: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(/[!-~]*)?")
_COUNTRY: Final = re.compile("[A-Z]{2}")


def known_type(request: MessagesRequest, facts: ModelFacts) -> Refusal | None:
    """A tool has one of the API's types."""
    searches = () if facts.web_search == "none" else SEARCHES
    known = sorted((*OTHER_TYPES, *searches))
    for number, tool in enumerate(request.tools):
        kind = str(tool.get("type", "custom"))
        if kind not in known:
            return invalid(
                f"tools.{number}: Input tag '{kind}' found using 'type' does not match any of the "
                f"expected tags: {', '.join(map(repr, known))}"
            )
    return None


def by_code(request: MessagesRequest, facts: ModelFacts) -> Refusal | None:
    """Before 4.6 no model filters its results by code, so it has to call the tool itself."""
    for path, tool in _searches(request):
        callers = tool.get("allowed_callers", [] if tool.get("type") == BASIC else ["code"])
        if facts.web_search == "basic" and callers not in ([], ["direct"]):
            return invalid(
                f"{path}: this model does not support programmatic tool calling; set "
                '`allowed_callers` to ["direct"]'
            )
    return None


def fields(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """The tool has its own name, and no unknown fields."""
    for path, tool in _searches(request):
        if tool.get("name") != "web_search":
            return invalid(f"{path}.name: Input should be 'web_search'")
        extra = {"response_inclusion"} if tool.get("type") == LATEST else set()
        for name in tool.keys() - FIELDS - extra:
            return extra_input(f"{path}.{name}")
    return None


def max_uses(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """The limit is a whole number above zero."""
    for path, tool in _searches(request):
        limit = tool.get("max_uses")
        if limit is None:
            continue
        if isinstance(limit, bool) or not isinstance(limit, int):
            return invalid(f"{path}.max_uses: Input should be a valid integer")
        if limit < 1:
            return invalid(f"{path}.max_uses: Input should be greater than 0")
    return None


def domains(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """One list of bare domains at most."""
    for path, tool in _searches(request):
        lists = [tool.get(name) for name in ("allowed_domains", "blocked_domains")]
        if all(lists):
            return invalid(f"{path}: only one of allowed_domains and blocked_domains may be set")
        for domain in (one for each in lists for one in each or ()):
            if not _DOMAIN.fullmatch(str(domain)):
                return invalid(f"{path}: invalid domain '{domain}'")
    return None


def user_location(request: MessagesRequest, _: ModelFacts) -> Refusal | None:
    """A location is approximate, and says something."""
    for path, tool in _searches(request):
        location = tool.get("user_location")
        if location is None:
            continue
        where = f"{path}.user_location"
        if not isinstance(location, Mapping) or location.get("type") != "approximate":
            return invalid(f"{where}.type: Input should be 'approximate'")
        if not any(location.get(name) for name in PLACES):
            return invalid(f"{where}: at least one of city, region, country, timezone is required")
        for name in location.keys() - PLACES - {"type"}:
            return extra_input(f"{where}.{name}")
        country = location.get("country")
        if country is not None and not _COUNTRY.fullmatch(str(country)):
            return invalid(f"{where}.country: unsupported country code '{country}'")
    return None


def _searches(request: MessagesRequest) -> Iterator[tuple[str, JsonObject]]:
    for number, tool in enumerate(request.tools):
        if (kind := tool.get("type")) in SEARCHES:
            yield f"tools.{number}.{kind}", tool
