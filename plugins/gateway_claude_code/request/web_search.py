"""The API's own web search: who may use it, and the tool in the body of the request. Pure.

platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool. The CLI's own WebSearch and
WebFetch are never switched on: the second runs on this machine.

`CLAUDE_CODE_EXTRA_BODY` replaces the CLI's list of tools, so the body then lists all of them, for
each request anew. Searches and their results stay in the CLI's conversation as the API sent them,
also when tool results follow, and when it is cut back to an earlier turn. A search that the API has
put off, as the model called a client's tool beside it, is left out of what follows: the model
searches again (all seen with 2.1.330).

A search is called by the model itself, unless the YAML wants its results filtered by code. The API
says of direct calls only that they stream like any other; and of a call that comes whole with its
start, 2.1.330 sends back the input empty.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from gateway.errors import InvalidRequest
from gateway.types import ChatRequest, Target, UserLocation, WebSearchOptions
from gateway_claude_code.agent import agent_of, options_of
from gateway_claude_code.facts.model_facts import ModelFacts, SearchKind, least
from gateway_claude_code.search_policy import SearchPolicy, SearchSwitch

NAME: Final = "web_search"
TYPES: Final[Mapping[SearchKind, str]] = {
    "basic": "web_search_20250305",
    "filtered": "web_search_20260209",
}

FEW_SEARCHES: Final = 2
"""For the context size "low". The API has no size: each search adds its results to the context."""

FIELD: Final = "web_search"
"""The name for the search of a model entry, which no field of the client's asks for."""


def policy_for(target: Target, section: SearchSwitch | None) -> SearchPolicy | None:
    """The policy of the model's entry, or else of the `section`; None if no search is allowed."""
    own = options_of(target).web_search
    switch = section if own is None else own
    return switch if isinstance(switch, SearchPolicy) else None


def with_kind(facts: ModelFacts, policy: SearchPolicy | None) -> ModelFacts:
    """The facts with the kind of search that the policy wants, if the model has it."""
    if policy is not None and policy.filtered:
        return facts
    return replace(facts, web_search=least(facts.web_search, "basic"))


def with_policy(request: ChatRequest, target: Target, policy: SearchPolicy | None) -> ChatRequest:
    """The request with the search that it gets, bounded by the policy; None for no search.

    Raises `InvalidRequest` for a search that is not allowed.
    """
    wanted = request.web_search
    if agent_of(target) is not None:
        if wanted is not None:
            raise _refused(wanted, f"The model {request.model!r} is an agent, with its own tools.")
        return request
    if policy is None:
        if wanted is not None:
            raise _refused(wanted, _turn_it_on(request.model))
        return request
    if wanted is None and not policy.always:
        return request
    return replace(request, web_search=_bounded(wanted or WebSearchOptions(), policy))


def _turn_it_on(model: str) -> str:
    return (
        f"Web search is off for the model {model!r}. To allow it, add `options: {{web_search: "
        "{max_uses: 5}}` to the model's entry in the gateway's YAML, or `web_search: {max_uses: 5}` "
        "to `plugins.claude_code` for all models."
    )


def _refused(wanted: WebSearchOptions, reason: str) -> InvalidRequest:
    return InvalidRequest(reason, param=wanted.place)


def _bounded(wanted: WebSearchOptions, policy: SearchPolicy) -> WebSearchOptions:
    few = FEW_SEARCHES if wanted.context_size == "low" else policy.max_uses
    allowed = _allowed(wanted, policy)
    if allowed and wanted.blocked_domains:
        raise _refused(wanted, "Domains can be allowed or blocked, but not both.")
    blocked = (*policy.blocked_domains, *wanted.blocked_domains)
    return replace(
        wanted,
        max_uses=min(wanted.max_uses or policy.max_uses, policy.max_uses, few),
        allowed_domains=allowed,
        blocked_domains=() if allowed else tuple(dict.fromkeys(blocked)),
    )


def _allowed(wanted: WebSearchOptions, policy: SearchPolicy) -> tuple[str, ...]:
    """The client's domains that the policy has too, or else the policy's.

    The API takes no blocked domains beside allowed ones, so one within a client's can't be kept out.
    """
    asked = wanted.allowed_domains
    if not asked:
        return policy.allowed_domains
    if any(
        _holds_a_part(domain, blocked) for domain in asked for blocked in policy.blocked_domains
    ):
        raise _refused(wanted, "The gateway's YAML blocks a part of the domains to search.")
    kept = tuple(domain for domain in asked if _is_open(domain, policy))
    if not kept:
        raise _refused(wanted, "The gateway's YAML allows none of the domains to search.")
    return kept


def _is_open(domain: str, policy: SearchPolicy) -> bool:
    if any(_is_within(domain, blocked) for blocked in policy.blocked_domains):
        return False
    allowed = policy.allowed_domains
    return not allowed or any(_is_within(domain, one) for one in allowed)


def _is_within(domain: str, other: str) -> bool:
    """Whether all of a domain, with its path, is surely of the other one."""
    (host, path), (other_host, other_path) = _split(domain), _split(other)
    if not _is_host_within(host, other_host):
        return False
    literal, star, _ = path.partition("*")
    other_literal, other_star, rest = other_path.partition("*")
    if other_star:
        return not rest and literal.startswith(other_literal)
    inner = f"{other_literal.rstrip('/')}/" if other_literal else ""
    return literal.startswith(inner) or (literal == other_literal and not star)


def _holds_a_part(domain: str, blocked: str) -> bool:
    """Whether a part of a domain may be blocked, and a part not."""
    if _is_within(domain, blocked):
        return False
    (host, path), (other_host, other_path) = _split(domain), _split(blocked)
    if _is_host_within(other_host, host) and other_host != host:
        return _is_within(f"{host}/{other_path}", domain) or "*" in path + other_path
    if not _is_host_within(host, other_host):
        return False
    literal, other_literal = path.partition("*")[0], other_path.partition("*")[0]
    if "*" in path + other_path:
        return literal.startswith(other_literal) or other_literal.startswith(literal)
    return _is_within(f"{host}/{other_path}", domain)


def _is_host_within(host: str, other: str) -> bool:
    return host == other or host.endswith(f".{other}")


def _split(domain: str) -> tuple[str, str]:
    host, _, path = domain.lower().partition("/")
    return host, path


def search_tool(options: WebSearchOptions, kind: SearchKind) -> dict[str, Any]:
    """The tool for the body of the request."""
    tool: dict[str, Any] = {"type": TYPES[kind], "name": NAME}
    if options.max_uses is not None:
        tool["max_uses"] = options.max_uses
    if options.allowed_domains:
        tool["allowed_domains"] = list(options.allowed_domains)
    if options.blocked_domains:
        tool["blocked_domains"] = list(options.blocked_domains)
    if options.location is not None and (location := _location(options.location)):
        tool["user_location"] = {"type": "approximate", **location}
    return tool


def _location(location: UserLocation) -> dict[str, str]:
    """At least one field is required, and none may be empty."""
    given = {
        "city": location.city,
        "region": location.region,
        "country": location.country.upper() if location.country else None,
        "timezone": location.timezone,
    }
    return {name: value for name, value in given.items() if value}
