"""One JSON value within text that comes in pieces. Pure."""

import re
from typing import Final

# RFC 8259, section 2: the structural characters; within a value commas and colons do not matter
_STRUCTURE: Final = re.compile(r'["\[\]{}]')
_AT_TOP: Final = re.compile(r'["\[\]{},\s]')
_LONGEST_START: Final = 1000
_STRING_END: Final = re.compile(r'\\|"')


class ValueScanner:
    """Follows one JSON value through pieces of text, from its first character on.

    `ended` is True once the value is complete. A number or a word ends at the next space, comma or
    bracket.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self.ended = False

    def feed(self, text: str) -> int:
        """The number of these characters that belong to the value."""
        position = 0
        while not self.ended and position < len(text):
            position = (
                self._string(text, position) if self._in_string else self._next(text, position)
            )
        return position

    def _string(self, text: str, position: int) -> int:
        if self._escaped:
            self._escaped = False
            return position + 1
        found = _STRING_END.search(text, position)
        if found is None:
            return len(text)
        # the next character is escaped, be it a quotation mark (RFC 8259, section 7)
        if found[0] == "\\":
            self._escaped = True
        else:
            self._in_string = False
            self.ended = self._depth == 0
        return found.end()

    def _next(self, text: str, position: int) -> int:
        found = (_STRUCTURE if self._depth else _AT_TOP).search(text, position)
        if found is None:
            return len(text)
        match found[0]:
            case '"':
                self._in_string = True
            case "{" | "[":
                self._depth += 1
            case "}" | "]":
                if self._depth == 0:
                    self.ended = True
                    return found.start()
                self._depth -= 1
                self.ended = self._depth == 0
            case _:
                self.ended = True
                return found.start()
        return found.end()


class ValueCutter:
    """Passes on one value of a text that comes in pieces.

    The value begins at the group `value` of `start`, a pattern that begins with a brace; the text
    before and after it is dropped. `found` is True once it has begun.
    """

    def __init__(self, start: re.Pattern[str]) -> None:
        self._start = start
        self._before = ""
        self._scanner = ValueScanner()
        self.found = False

    def feed(self, text: str) -> str:
        """The part of this piece that belongs to the value; a part that may belong to its start is kept."""
        if not self.found:
            text = self._before + text
            if (match := self._start.search(text)) is None:
                self._before = text[text.rfind("{") :][:_LONGEST_START] if "{" in text else ""
                return ""
            self.found = True
            text = text[match.start("value") :]
        return text[: self._scanner.feed(text)]
