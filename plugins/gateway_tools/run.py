"""Running the model's calls: side by side, within limits; the model gets the errors."""

import logging
from collections.abc import Mapping, Sequence

import anyio

from gateway.tools import ServedTool, ToolFailed, ToolParts
from gateway.types import Document, Image, Text, ToolCall, ToolResult
from gateway.yaml_file.wording import one_line
from gateway_tools.config import ToolsConfig

log = logging.getLogger("gateway_tools")

MAX_ERROR = 1000
"""Characters of an error for the model."""


class Runner:
    """Runs calls within the limits of the configuration, which hold over all requests."""

    def __init__(self, config: ToolsConfig) -> None:
        self._seconds = config.seconds
        self._characters = config.result_characters
        self._limiter = anyio.CapacityLimiter(config.concurrency)

    async def run(
        self, calls: Sequence[ToolCall], tools: Mapping[str, ServedTool]
    ) -> tuple[ToolResult, ...]:
        """The results, in the order of the calls. Raises nothing of a tool's own."""
        results: dict[int, ToolResult] = {}

        async def run(number: int, call: ToolCall) -> None:
            async with self._limiter:
                results[number] = await self._result(call, tools[call.name])

        async with anyio.create_task_group() as tasks:
            for number, call in enumerate(calls):
                tasks.start_soon(run, number, call)
        return tuple(results[number] for number in range(len(calls)))

    async def _result(self, call: ToolCall, tool: ServedTool) -> ToolResult:
        try:
            with anyio.move_on_after(self._seconds):
                parts = within(await tool.call(call.arguments), self._characters)
                return ToolResult(call_id=call.id, parts=parts)
        except ToolFailed as error:
            return _failed(call, str(error))
        except Exception as error:
            log.exception("the tool %s failed", tool.name)
            return _failed(call, f"{type(error).__name__}: {one_line(error)}")
        log.warning("the tool %s took longer than %g s", tool.name, self._seconds)
        return _failed(call, f"no result within {self._seconds:g} s")


def within(parts: ToolParts, characters: int) -> ToolParts:
    """The result, its text cut if need be. Raises `ToolFailed` for other parts that are too large."""
    kept: list[Text | Image | Document] = []
    left = characters
    for part in parts:
        size = len(part.text if isinstance(part, Text) else part.data or "")
        if size <= left:
            kept.append(part)
        elif isinstance(part, Text):
            cut = f"{part.text[:left]}\n[cut: {size - left} more characters]"
            return (*kept, Text(text=cut))
        else:
            raise ToolFailed(f"the result has more than {characters} characters")
        left -= size
    return tuple(kept) or (Text(text="(nothing)"),)


def _failed(call: ToolCall, what: str) -> ToolResult:
    told = Text(text=what[:MAX_ERROR] or "the tool failed")
    return ToolResult(call_id=call.id, parts=(told,), is_error=True)
