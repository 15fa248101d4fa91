"""The arguments of the model's calls under the client's names. Pure.

Arguments with renamed properties come complete at the end of their call. All others stream unchanged.
"""

from collections.abc import Iterator

from gateway.types import PartDelta, PartEnd, PartStart, StreamEvent, ToolCall
from gateway_claude_code.request.tools.tool_names import ToolNames
from gateway_claude_code.response.json_names import Renamer


class OwnArguments:
    """Follows the events of one answer, with the calls under the client's names of tools."""

    def __init__(self, names: ToolNames) -> None:
        self._names = names
        self._renamers: dict[int, Renamer] = {}
        self._held: dict[int, list[str]] = {}

    def feed(self, event: StreamEvent) -> Iterator[StreamEvent]:
        """The events to send on for this one."""
        match event:
            case PartStart(index=index, part=ToolCall(name=name)) if names := (
                self._names.own_arguments(name)
            ):
                # the API restricts names at the top of a tool's schema only (`property_names`)
                self._renamers[index] = Renamer(names, top_only=True)
                self._held[index] = []
            case PartDelta(index=index) if index in self._held:
                self._held[index].append(self._renamers[index].feed(event.text))
                return
            case PartEnd(index=index) if index in self._held:
                pieces = (*self._held.pop(index), self._renamers.pop(index).end())
                if whole := "".join(pieces):
                    yield PartDelta(index=index, text=whole)
        yield event
