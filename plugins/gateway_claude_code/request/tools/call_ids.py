"""Ids of calls that the model's API and the CLI accept. Pure."""

import hashlib
import re


def is_api_id(call_id: str) -> bool:
    """Whether the API takes this as the id of a call in a conversation."""
    # the API's words: "tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"; the rule is on
    # platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls
    return re.fullmatch(r"[a-zA-Z0-9_-]+", call_id) is not None


def api_id(call_id: str) -> str:
    """A client's id in the alphabet of the API's ids, `^[a-zA-Z0-9_-]+$`.

    The API's own ids, which went out without their underscores, get them back.
    """
    # "toolu_01…", on Bedrock "toolu_bdrk_01…", on Vertex "toolu_vrtx_01…"
    if own := re.fullmatch(r"toolu(bdrk|vrtx)?([a-zA-Z0-9]+)", call_id):
        return "_".join(("toolu", *(part for part in own.groups() if part)))
    plain = re.sub(r"[^a-zA-Z0-9_-]", "_", call_id)
    if plain == call_id:
        return call_id
    # The API refuses two calls with one id, which "a:1" and "a.1" would become.
    return f"{plain}_{hashlib.sha256(call_id.encode()).hexdigest()[:8]}"


class UniqueIds:
    """Makes each id unique among all before it. It depends on these only, and so stays the same
    from one request of a conversation to the next.

    Of two calls with one id, the CLI drops the later one and its result. If there are `a` and
    `a_2`, it takes the latter for the second part of the former, and replaces its result by a note
    of its own (seen with 2.1.330).
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._stems: set[str] = set()
        self._next: dict[str, int] = {}

    def of(self, wanted: str) -> str:
        """The id itself for its first call, and the id with a number for each further one."""
        found = wanted = wanted or "call"
        while self._collides(found):
            number = self._next[wanted] = self._next.get(wanted, 1) + 1
            # a hyphen, as the CLI reads a number after an underscore as a part (seen with 2.1.330)
            found = f"{wanted}-{number}"
        self._taken.add(found)
        self._stems.add(_stem(found))
        return found

    def _collides(self, call_id: str) -> bool:
        return bool({call_id, _stem(call_id)} & self._taken) or call_id in self._stems


def _stem(call_id: str) -> str:
    stem, _, number = call_id.rpartition("_")
    return stem if stem and number.isdecimal() else call_id
