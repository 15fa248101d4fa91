"""How errors about configuration are worded: on one line, with the nearest name there is."""

import difflib
from collections.abc import Iterable


def one_line(error: object) -> str:
    """The text of an error without its line breaks."""
    return " ".join(str(error).split())


def nearest(name: str, valid: Iterable[str]) -> str:
    """The end of a message about an unknown name: the nearest valid one, else all of them."""
    names = sorted(valid)
    if near := difflib.get_close_matches(name, names, n=1, cutoff=0.5):
        return f"; did you mean {near[0]!r}?"
    return f"; there are: {', '.join(names) or 'none'}"
