"""What of a conversation has arrived: the upstream's request beside what was expected."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from gateway_claude_code.request.history import CONTINUE, NO_RESULT
from gateway_claude_code.upstream import MessagesRequest
from tests.arrives.conversations import RESULTS, Atom, Call, Expected

_SYSTEM: Final = re.compile(r"<system>\n(.*)\n</system>", re.DOTALL)


def missing(request: MessagesRequest, expected: Expected) -> str | None:
    """The first thing that differs, in words; None if everything is there, in order."""
    said, calls = arrived(request)
    wanted = _calls_last([_plain(atom) for atom in expected.said if _says_something(atom)])
    for index, (want, have) in enumerate(zip([*wanted, None], [*said, None], strict=False)):
        if want != have:
            return f"at {index}: expected {want!r}, found {have!r}"
    for index, (call, results) in enumerate(zip(expected.calls, calls, strict=True)):
        if (want_results := _results(call)) != results:
            return f"call {index} ({call.name}): expected {want_results!r}, found {results!r}"
    system = "\n\n".join(expected.system)
    return None if request.system_text == system else f"system: {request.system_text!r}"


def _calls_last(said: list[Atom]) -> list[Atom]:
    """In a turn of the assistant's the text stands before the calls, as the API has it."""
    turns = [list(turn) for _, turn in groupby(said, lambda atom: atom[0] in ("assistant", "call"))]
    ordered = [atom for turn in turns for atom in sorted(turn, key=lambda atom: atom[0] == "call")]
    return [atom for atom in ordered if atom != RESULTS]


def _results(call: Call) -> list[Atom]:
    given = [_plain(atom) for result in call.results for atom in result if _says_something(atom)]
    return given if call.results else [("result", NO_RESULT)]


def arrived(request: MessagesRequest) -> tuple[list[Atom], list[list[Atom]]]:
    """Everything but results, in order, and the results of each call, in the order of the calls."""
    said: list[Atom] = []
    results: dict[str, list[Atom]] = {}
    for turn in request.turns:
        for block in _blocks(turn.get("content")):
            match block["type"]:
                case "tool_use":
                    name = re.sub("^mcp__t__", "", block["name"])
                    said.append(("call", name, block["input"]))
                    results[block["id"]] = []
                case "tool_result":
                    inner = list(_blocks(block.get("content")))
                    atoms = [_atom("result", each) for each in inner]
                    results[block["tool_use_id"]] += [atom for atom in atoms if not _is_note(atom)]
                case _:
                    said.append(_atom(turn["role"], block))
    said = [atom for atom in said if not _is_note(atom) and atom[-1] != CONTINUE]
    return said, list(results.values())


def _atom(role: str, block: Mapping[str, Any]) -> Atom:
    match block:
        case {"type": "text", "text": text} if system := _SYSTEM.fullmatch(text.strip("\n")):
            return _plain(("system", system[1]))
        case {"type": "text", "text": text}:
            return _plain((role, text))
        case {"type": kind, "source": {"type": "url", "url": data} | {"data": data}}:
            return (kind, data)
        case _:
            return ("unknown", block)


def _plain(atom: Atom) -> Atom:
    """Without what may be put around a text: a line end, and the letter that is not seen."""
    if atom[0] == "call":
        return ("call", re.sub(r"[^a-zA-Z0-9_-]", "_", atom[1]), atom[2])
    if atom == RESULTS or atom[0] in ("image", "document"):
        return atom
    return (atom[0], atom[1].replace("\u2060", "").strip("\n"))


def _says_something(atom: Atom) -> bool:
    return atom[0] not in ("user", "assistant", "system", "result") or bool(atom[1].strip())


def _is_note(atom: Atom) -> bool:
    return isinstance(atom[-1], str) and atom[-1].startswith("<system-reminder>")


def _blocks(content: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(content, str):
        yield {"type": "text", "text": content}
    elif isinstance(content, Sequence):
        yield from content
