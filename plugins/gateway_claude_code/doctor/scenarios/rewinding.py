"""Scenario: one process for one conversation after another.

The bodies to compare with are those of the same process from before anything was cut: cut back to a
place, it has to go on as if it had never been further.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from gateway.errors import BackendFailed, GatewayError
from gateway.types import Tool
from gateway_claude_code.doctor.scenarios.bodies import difference
from gateway_claude_code.doctor.scenarios.rig import Rig, marker
from gateway_claude_code.doctor.scenarios.talk import OneProcess
from gateway_claude_code.request.tools.tool_names import PREFIX
from gateway_claude_code.response.failures import NotReady, ProcessGone
from gateway_claude_code.upstream import (
    Answer,
    Silence,
    TextBlock,
    ToolUseBlock,
    text_answer,
)

AT: Final = {"type": "object", "properties": {"at": {"type": "string"}}}
TOOLS: Final = (
    Tool(name="Zoom", description="Comes closer.", schema=AT),
    Tool(name="look", description="Looks at something.", schema=AT),
)
"""Not in the order in which the CLI sends them."""

OTHERS: Final = (
    Tool(name="find", description="Finds something.", schema=AT),
    Tool(name="look", description="Looks again.", schema={"type": "object"}),
)
"""In that order. One of them has a name of `TOOLS`, and nothing else of it."""

DONE: Final = text_answer("Done.")
BEGUN: Final = 4
"""Events of an answer, its first piece of text among them."""


async def one_after_another(rig: Rig) -> None:
    """Conversations of a process, each cut from the one before it, and then with other tools."""
    async with rig.process() as (_, talk):
        process = OneProcess(rig, talk, *TOOLS)
        await process.begin()
        first = await process.say("one", DONE)
        cuts = _Cuts(rig, process)
        await _rewound(process, cuts, first)
        await _exchanged(rig, process, first)
    await cuts.compare_files()


async def _rewound(process: OneProcess, cuts: "_Cuts", first: Mapping[str, Any]) -> None:
    """Cuts in the middle and of the whole, at rest and at work."""
    word = cuts.word
    call = Answer(blocks=(TextBlock(word), _call(TOOLS[-1])))
    second = await process.say("three", call, text_answer(word))
    await process.give(word)
    await process.say(word, text_answer(word))
    await cuts.note_files()
    await cuts.at("rewind", "to the middle", 2)
    cuts.compare(second, await process.say("three", call))
    await cuts.at("rewind_parked", "while a call waited", 2)
    beginning = Silence(text_answer(word, word), after=BEGUN)
    cuts.compare(second, await process.leave("three", beginning))
    await cuts.at("rewind_parked", "while an answer streamed", 0)
    cuts.compare(first, await process.say("one", DONE))
    await process.add(word)
    await cuts.at("rewind", "to the start", 0)
    cuts.compare(first, await process.say("one", DONE))
    await cuts.compare_files()


class _Cuts:
    """Cuts the conversation of a process, and notes what is left of it; its `word` may not be."""

    def __init__(self, rig: Rig, process: OneProcess) -> None:
        self._rig = rig
        self._process = process
        self._files: set[str] = set()
        self._name = ""
        self._done: dict[str, list[str]] = {}
        self.word = marker()

    async def at(self, name: str, when: str, number: int) -> None:
        """Cut before this turn. Raises `GatewayError`."""
        self._name = name
        self._done.setdefault(name, []).append(when)
        with _refusal_noted(self._rig, name, f"cut {when}"):
            await self._process.cut(number)

    def compare(self, wanted: Mapping[str, Any], arrived: Mapping[str, Any]) -> None:
        """Note whether a turn makes the same request as before."""
        found = difference(wanted, arrived)
        when = self._done[self._name]
        seen = f"cut {' and '.join(when)}, it goes on as if it had never been further"
        if self.word in json.dumps(arrived):
            seen = f"cut {when[-1]}, the text that was cut still reached the model"
        elif found:
            seen = f"cut {when[-1]}, the next request is not the same as before: {found}"
        self._rig.note(self._name, not found, seen)

    async def note_files(self) -> None:
        """The files that have the word before it is cut: these are a behaviour of their own."""
        self._files = await self._rig.files_with(self.word)

    async def compare_files(self) -> None:
        """Note files that have it since."""
        if left := sorted(await self._rig.files_with(self.word) - self._files):
            self._rig.differs("rewind", f"text that was cut is in {', '.join(left)}")


@contextmanager
def _refusal_noted(rig: Rig, name: str, when: str) -> Iterator[None]:
    """A behaviour differs if the CLI says no; silence proves nothing. Both are raised."""
    try:
        yield
    except GatewayError as error:
        silent = isinstance(error, ProcessGone) or isinstance(error.__cause__, TimeoutError)
        if isinstance(error, NotReady | BackendFailed) and not silent:
            rig.differs(name, f"{when}: {error.message}")
        raise


async def _exchanged(rig: Rig, process: OneProcess, first: Mapping[str, Any]) -> None:
    """Other tools, then none, and then the first ones again, each in an empty conversation."""
    await _exchange(rig, process, *OTHERS)
    others = await process.say("one", Answer(blocks=(_call(OTHERS[0]),)), DONE)
    if not process.waits:
        rig.differs("exchanged_tools", "a call of a new tool did not reach the client")
    _note_tools(rig, "exchanged by others", _with_tools(first, *OTHERS), others)
    await _exchange(rig, process)
    _note_tools(rig, "exchanged by none", _with_tools(first), await process.say("one", DONE))
    await _exchange(rig, process, *TOOLS)
    _note_tools(rig, "exchanged twice", first, await process.say("one", DONE))


async def _exchange(rig: Rig, process: OneProcess, *tools: Tool) -> None:
    await process.cut(0)
    with _refusal_noted(rig, "exchanged_tools", "exchanging them"):
        await process.exchange(*tools)


def _note_tools(rig: Rig, when: str, wanted: Mapping[str, Any], arrived: Mapping[str, Any]) -> None:
    bodies = [_of_client(body) for body in (wanted, arrived)]
    if not all(holds for holds, _ in rig.notes.values()):
        for body in bodies:  # what the cuts leave there is not the tools' matter
            del body["messages"]
    found = difference(*bodies)
    seen = f"{when}, " + (found or "exactly these tools arrive, as in a new process")
    rig.note("exchanged_tools", not found, seen)


def _call(tool: Tool) -> ToolUseBlock:
    return ToolUseBlock(f"{PREFIX}{tool.name}", {"at": "sea"})


def _with_tools(body: Mapping[str, Any], *tools: Tool) -> dict[str, Any]:
    forms = [
        {
            "name": f"{PREFIX}{tool.name}",
            "description": tool.description,
            "input_schema": dict(tool.schema),
        }
        for tool in tools
    ]
    return {**body, "tools": forms}


def _of_client(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body with the client's tools alone: others are a behaviour of their own."""
    tools = [tool for tool in body.get("tools") or () if str(tool["name"]).startswith(PREFIX)]
    return {**body, "tools": tools}
