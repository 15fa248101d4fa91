"""From the wire's tools, and the choice among them, to the hub's."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from gateway.errors import InvalidRequest, UnsupportedParameter
from gateway.frontend import check_name, function_tool
from gateway.types import Tool, ToolChoice, WebSearchOptions
from gateway_openai_responses.decode.web_search import decode_web_search, is_web_search
from gateway_openai_responses.tool_kinds import (
    BUILT_IN,
    TOOL_SEARCH,
    Kind,
    Offer,
    custom_tool,
    tool_name,
)
from gateway_openai_responses.wire import tools as wire

_NOT_HERE: Final = "is run by OpenAI's servers, and is not available here"
HOSTED: Final[Mapping[str, str]] = {
    "file_search": _NOT_HERE,
    "code_interpreter": _NOT_HERE,
    "image_generation": _NOT_HERE,
    "computer": "is not supported",
    "computer_use_preview": "is not supported",
    "mcp": "is not supported; connect the MCP server to the client, or to the gateway "
    "(plugins.tools.mcp_servers)",
}
"""Types of tools that are rejected, and the reason for each."""

_ENVIRONMENT: Final = "local"
IN_DESCRIPTION: Final = "in_description"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """The tools of a request: the hub's, and by their names those of the client.

    `ignored` names the types that are left out; `adjusted` has the grammars of custom tools, which
    the model gets as a part of the description.
    """

    tools: tuple[Tool, ...] = ()
    offers: Mapping[str, Offer] = field(default_factory=dict)
    web_search: WebSearchOptions | None = None
    ignored: tuple[str, ...] = ()
    adjusted: Mapping[str, object] = field(default_factory=dict)

    @property
    def searches_only(self) -> bool:
        """Whether the search, which can't be demanded, is all that the model may use."""
        return self.web_search is not None and not self.tools


PlacedTool: TypeAlias = tuple[str, wire.Tool]
"""A tool, and its place in the request."""


def decode_tools(
    tools: Sequence[PlacedTool],
    more: Sequence[PlacedTool] = (),
    *,
    max_tool_calls: int | None = None,
) -> Offered:
    """The tools on offer. Raises `InvalidRequest` with `param`. `max_tool_calls` limits searches.

    `more` are those within the conversation: the same one may be there several times, as it was
    found by several searches.
    """
    decoder = _Decoder(max_tool_calls)
    for place, tool in tools:
        decoder.add(tool, place)
    decoder.repeats = True
    for place, tool in more:
        decoder.add(tool, place)
    return decoder.offered()


class _Decoder:
    def __init__(self, max_tool_calls: int | None) -> None:
        self.repeats = False
        self._max_tool_calls = max_tool_calls
        self._web_search: WebSearchOptions | None = None
        self._tools: dict[str, Tool] = {}
        self._offers: dict[str, Offer] = {}
        self._ignored: list[str] = []
        self._adjusted: dict[str, object] = {}

    def offered(self) -> Offered:
        return Offered(
            tools=tuple(self._tools.values()),
            offers=self._offers,
            web_search=self._web_search,
            ignored=tuple(self._ignored),
            adjusted=self._adjusted,
        )

    def add(self, tool: wire.Tool, place: str) -> None:
        if tool.type == "function":  # nearly all are
            self._add_one(tool, place, None)
            return
        kind = _hosted_type(tool.type)
        if kind in HOSTED:
            raise UnsupportedParameter(
                f"The tool {tool.type!r} {HOSTED[kind]}.", param=f"{place}.type"
            )
        if is_web_search(tool.type):
            self._add_web_search(tool, place)
        elif tool.type == "namespace":
            self._add_namespace(tool, place)
        elif tool.type == TOOL_SEARCH and tool.execution == "client":
            made = function_tool(
                TOOL_SEARCH, tool.description, tool.parameters, tool.strict, place=place
            )
            self._put(made, Offer("tool_search", TOOL_SEARCH), f"{place}.type")
        elif tool.type in BUILT_IN:
            self._add_built_in(tool, place)
        else:
            self._add_one(tool, place, None)

    def _add_web_search(self, tool: wire.Tool, place: str) -> None:
        found = decode_web_search(tool, place, self._max_tool_calls)
        self._web_search = self._web_search or found
        if found is None:
            self._ignored.append(f"tools.{tool.type}")

    def _add_namespace(self, namespace: wire.Tool, place: str) -> None:
        check_name(namespace.name or "", f"{place}.name")
        for index, tool in enumerate(namespace.tools or ()):
            self._add_one(tool, f"{place}.tools[{index}]", namespace)

    def _add_built_in(self, tool: wire.Tool, place: str) -> None:
        if tool.environment is not None and tool.environment.type != _ENVIRONMENT:
            raise UnsupportedParameter(
                "Containers are not available here; the client runs the commands itself "
                "({'type': 'local'}).",
                param=f"{place}.environment.type",
            )
        kind, built_in = BUILT_IN[tool.type]
        self._put(built_in, Offer(kind, built_in.name), f"{place}.type")

    def _add_one(self, tool: wire.InnerTool, place: str, space: wire.Tool | None) -> None:
        if tool.type not in ("function", "custom"):
            self._ignored.append(f"tools.{tool.type}")
            return
        if tool.name is None:
            raise InvalidRequest(
                f"Missing required parameter: '{place}.name'.", param=f"{place}.name"
            )
        made = self._function(tool, place) if tool.type == "function" else self._custom(tool, place)
        kind: Kind = "function" if tool.type == "function" else "custom"
        if space is None:
            self._put(made, Offer(kind, tool.name), f"{place}.name")
            return
        description = f"{made.description}\n\n{space.description or ''}".strip()
        made = replace(made, name=tool_name(tool.name, space.name), description=description)
        self._put(made, Offer(kind, tool.name, space.name), f"{place}.name")

    def _function(self, tool: wire.InnerTool, place: str) -> Tool:
        return function_tool(
            tool.name or "", tool.description, tool.parameters, tool.strict, place=place
        )

    def _custom(self, tool: wire.InnerTool, place: str) -> Tool:
        name, description = tool.name or "", tool.description or ""
        check_name(name, f"{place}.name")
        if tool.format is not None and tool.format.type == "grammar":
            syntax, grammar = tool.format.syntax or "lark", tool.format.definition or ""
            description += f"\n\nThe input has to match this grammar ({syntax}):\n\n{grammar}"
            self._adjusted[f"tools.{name}.format"] = IN_DESCRIPTION
        return custom_tool(name, description.strip(), place=place)

    def _put(self, tool: Tool, offer: Offer, param: str) -> None:
        if tool.name in self._tools and not self.repeats:
            raise InvalidRequest(f"Duplicate tool name {tool.name!r}.", param=param)
        self._tools[tool.name], self._offers[tool.name] = tool, offer


def _hosted_type(kind: str) -> str:
    """A type without the date of its version, such as `web_search_2025_08_26`."""
    return next((known for known in HOSTED if kind.startswith(f"{known}_2")), kind)


def decode_tool_choice(
    choice: wire.ToolChoice | None, offered: Offered, *, parallel: bool
) -> ToolChoice:
    """What the model may or must call. Raises `InvalidRequest` for a tool that is not on offer."""
    if choice is None:
        return ToolChoice(parallel=parallel)
    if offered.searches_only and choice in ("required", "auto"):
        return ToolChoice(parallel=parallel)
    if not offered.tools and choice not in ("none", "auto"):
        raise InvalidRequest("'tool_choice' requires 'tools'.", param="tool_choice")
    if isinstance(choice, str):
        return ToolChoice(mode=choice, parallel=parallel)
    if choice.type == "allowed_tools":
        references = choice.tools or ()
        names = tuple(
            name
            for index, reference in enumerate(references)
            for name in _named(reference, f"tool_choice.tools[{index}]", offered)
        )
        return ToolChoice(mode=choice.mode or "auto", names=names, parallel=parallel)
    names = tuple(_named(choice, "tool_choice", offered))
    return ToolChoice(mode="required", names=names, parallel=parallel)


def _named(reference: wire.ToolReference, param: str, offered: Offered) -> Iterator[str]:
    """The hub's names of the tools that a reference means; of a namespace, all of them.

    A name without a namespace means the tool outside of all, if there is one.
    """
    if reference.type not in ("function", "custom", "namespace", *BUILT_IN):
        raise UnsupportedParameter(
            f"A tool choice of the type {reference.type!r} is not supported.",
            param=f"{param}.type",
        )
    found = [name for name, offer in offered.offers.items() if _is_meant(reference, offer)]
    if not found:
        raise InvalidRequest(
            f"The tool {reference.name or reference.type!r} is not in this request.",
            param=f"{param}.name",
        )
    plain = [name for name in found if offered.offers[name].namespace is None]
    yield from plain or found


def _is_meant(reference: wire.ToolReference, offer: Offer) -> bool:
    if reference.type == "namespace":
        return offer.namespace is not None and offer.namespace == reference.name
    if reference.type in BUILT_IN:
        return offer.kind == reference.type
    if reference.namespace not in (None, offer.namespace):
        return False
    return (offer.kind, offer.name) == (reference.type, reference.name)
