"""How errors about configuration are worded: on one line, with the nearest name there is."""

import difflib
import json
import re
from collections.abc import Iterable
from typing import Final

import yaml

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+*-]{0,63}")
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*")


def one_line(error: object) -> str:
    """The text of an error without its line breaks."""
    return " ".join(str(error).split())


def nearest(name: str, valid: Iterable[str]) -> str:
    """The end of a message about an unknown name: the nearest valid one, else all of them."""
    names = sorted(valid)
    if near := difflib.get_close_matches(name, names, n=1, cutoff=0.5):
        return f"; did you mean {near[0]!r}?"
    return f"; available: {', '.join(names) or 'none'}"


def yaml_name(name: str) -> str | None:
    """A model's name as a key or a value in YAML, in quotes where it would be read as another thing.

    None for a name that nobody should copy into a file: a long one, or one of odd characters.
    """
    if not _NAME.fullmatch(name):
        return None
    plain = _PLAIN.fullmatch(name) and yaml.safe_load(name) == name
    return name if plain else json.dumps(name)
