"""The client's JSON from the model's while it streams: unwrapped, with the client's names."""

import json
import re
from collections.abc import Mapping
from typing import Final

import regex

from gateway_claude_code.request.answer_schemas.output_format import WRAPPER, OutputFormat
from gateway_claude_code.response.json_text import ValueScanner

_WRAPPED: Final = regex.compile(rf'\s*\{{\s*"{WRAPPER}"\s*:\s*(?P<value>\S)')
_LONGEST_START: Final = 1000
_LONGEST_NAME: Final = 500
"""Characters; a name of 64 letters (`property_names`) has at most 386 if each is escaped."""
_NEXT: Final = re.compile(r'["\[\]{},:]')
_STRING_END: Final = re.compile(r'\\|"')


class Unwrapper:
    """Passes on the value out of its wrapping object.

    Text that does not begin as such an object is passed on unchanged; `found` is True once one has
    begun.
    """

    def __init__(self) -> None:
        self._before: str | None = ""
        self._scanner = ValueScanner()
        self.found = False

    def feed(self, text: str) -> str:
        """The client's part of this piece; a part that may belong to the wrapper is kept."""
        if self.found:
            return text[: self._scanner.feed(text)]
        if self._before is None:
            return text
        text, self._before = self._before + text, None
        # `re` has no partial matches; deltas may end anywhere, also within the wrapper's name
        match = _WRAPPED.match(text, partial=True)
        if match is not None and match.partial and len(text) <= _LONGEST_START:
            self._before = text
            return ""
        if match is None or match.partial:
            return text
        self.found = True
        text = text[match.start("value") :]
        return text[: self._scanner.feed(text)]

    def end(self) -> str:
        """The kept text, if it turns out not to be part of a wrapper."""
        kept, self._before = self._before or "", None
        return "" if "{" in kept else kept


class Renamer:
    """Renames properties by a table; a text that is not an object stays unchanged.

    With `top_only` the properties of inner objects keep their names.
    """

    def __init__(self, names: Mapping[str, str], *, top_only: bool = False) -> None:
        self._names = names
        self._top_only = top_only
        self._containers: list[str] = []
        self._is_json: bool | None = None
        self._in_string = False
        self._escaped = False
        self._at_name = False
        self._name: list[str] | None = None
        self.renamed = False

    def feed(self, text: str) -> str:
        """This piece with the names that end in it; an incomplete name is kept."""
        # a refusal is prose, also with native structured output, and is passed on as it is
        if self._is_json is None and (begun := text.lstrip()):
            self._is_json = begun[0] in "{["
        if not self._is_json:
            return text
        pieces: list[str] = []
        position = 0
        while position < len(text):
            step = self._string if self._in_string else self._structure
            position = step(text, position, pieces)
        return "".join(pieces)

    def end(self) -> str:
        """The beginning of an incomplete name."""
        kept, self._name = "".join(self._name or ()), None
        return kept

    def _structure(self, text: str, position: int, pieces: list[str]) -> int:
        found = _NEXT.search(text, position)
        end = len(text) if found is None else found.end()
        if found is None or found[0] != '"':
            pieces.append(text[position:end])
            self._note("" if found is None else found[0])
            return end
        pieces.append(text[position : end - 1])
        self._in_string = True
        if self._at_name:
            self._name = ['"']
        else:
            pieces.append('"')
        return end

    def _note(self, character: str) -> None:
        match character:
            case "{" | "[":
                self._containers.append(character)
            case "}" | "]" if self._containers:
                self._containers.pop()
        # in an array a string is a value (RFC 8259, section 4)
        inside = self._containers[-1:] == ["{"] and (
            len(self._containers) == 1 or not self._top_only
        )
        self._at_name = inside and (character in ("{", ",") or (self._at_name and not character))

    def _string(self, text: str, position: int, pieces: list[str]) -> int:
        end = self._string_end(text, position)
        if self._name is None:
            pieces.append(text[position:end])
            return end
        self._name.append(text[position:end])
        if not self._in_string or sum(map(len, self._name)) > _LONGEST_NAME:
            pieces.append(self._known("".join(self._name)))
            self._name = None
            self._at_name = False
        return end

    def _string_end(self, text: str, position: int) -> int:
        """The end of the string in this text, or else of the next escape or of the text."""
        if self._escaped:
            self._escaped = False
            return position + 1
        found = _STRING_END.search(text, position)
        if found is None:
            return len(text)
        self._escaped = found[0] == "\\"
        self._in_string = self._escaped
        return found.end()

    def _known(self, name: str) -> str:
        try:
            # decoded, as a model may write a letter as an escape (RFC 8259, section 7)
            known = self._names.get(json.loads(name))
        except ValueError:
            return name
        if known is None:
            return name
        self.renamed = True
        return json.dumps(known, ensure_ascii=False)


class Restorer:
    """One text of the model's in the form of the client's schema."""

    def __init__(self, form: OutputFormat) -> None:
        self._unwrapper = Unwrapper() if form.wrapped else None
        self._renamer = Renamer(form.names) if form.names else None

    @property
    def changed(self) -> bool:
        """Whether the text so far differs from the model's."""
        unwrapped = self._unwrapper is not None and self._unwrapper.found
        return unwrapped or (self._renamer is not None and self._renamer.renamed)

    def feed(self, text: str) -> str:
        """The part of this piece that can be passed on."""
        if self._unwrapper is not None:
            text = self._unwrapper.feed(text)
        return text if self._renamer is None else self._renamer.feed(text)

    def end(self) -> str:
        """The rest at the end of the text."""
        text = self._unwrapper.end() if self._unwrapper is not None else ""
        return text if self._renamer is None else self._renamer.feed(text) + self._renamer.end()
