"""Reading the string in `{"input": "…"}` while its JSON arrives piece by piece."""

import re
from typing import Final

INPUT: Final = "input"
"""The name of the string."""

_OPENING: Final = re.compile(rf'\s*\{{\s*"{INPUT}"\s*:\s*"')
_LONGEST_OPENING: Final = 64
"""Characters until the string begins: more are no such JSON."""

_RUN: Final = re.compile(
    r'[^"\\]+|\\["\\/bfnrt]|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}'
    r"|\\u(?![dD][89abAB])[0-9a-fA-F]{4}"
)
"""What can be read without the rest: characters, and escapes that are complete (RFC 8259, 7)."""

_ESCAPED: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class StringArgument:
    """Takes pieces of the arguments of a call, and returns the pieces of its string.

    It stops at anything that it does not expect; the rest then comes when the JSON is whole.
    """

    def __init__(self) -> None:
        self._unread = ""
        self._begun = False
        self._over = False

    def feed(self, piece: str) -> str:
        """The next piece of the string; often empty at its beginning."""
        if self._over:
            return ""
        self._unread += piece
        if not self._begun and not self._begin():
            return ""
        return self._read()

    def _begin(self) -> bool:
        opening = _OPENING.match(self._unread)
        if opening is None:
            self._over = len(self._unread) > _LONGEST_OPENING
            return False
        self._begun, self._unread = True, self._unread[opening.end() :]
        return True

    def _read(self) -> str:
        pieces: list[str] = []
        position = 0
        while run := _RUN.match(self._unread, position):
            pieces.append(_plain(run[0]))
            position = run.end()
        self._unread = self._unread[position:]
        self._over = self._unread.startswith('"')
        return "".join(pieces)


def _plain(run: str) -> str:
    if not run.startswith("\\"):
        return run
    if run[1] != "u":
        return _ESCAPED.get(run[1], run[1])
    halves = bytes.fromhex(run.replace("\\u", ""))
    return halves.decode("utf-16-be", "replace")
