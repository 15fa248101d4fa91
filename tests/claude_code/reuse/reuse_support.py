"""Processes by what they hold: a turn is a letter."""

from gateway_claude_code.reuse.held import Held


def digests(text: str) -> list[bytes]:
    """One for each letter: those of two texts agree as far as the texts do."""
    return [text[: number + 1].encode() for number in range(len(text))]


def held(turns: str, places: str | None = None, *, confirmed: bool = True) -> Held:
    """A process that holds these turns, one a letter; in `places`, "u" is a user line of ours."""
    process = Held()
    process.begin(digests(turns if not confirmed else turns[:-1]))
    places = places or ("ua" * len(turns))[: len(turns)]
    for number, place in enumerate(places[:-1] if confirmed else places):
        process.add(f"uuid-{number}" if place == "u" else None)
    if confirmed:
        assert process.confirm(digests(turns), parked=False)
    return process
