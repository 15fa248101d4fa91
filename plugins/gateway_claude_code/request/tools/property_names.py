"""Accepted names for properties whose own names the model's API refuses. Pure.

Live answers state the form: "Property keys should match pattern '^[a-zA-Z0-9_.-]{1,64}$'".
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

_KEY: Final = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
_LONGEST_STEM: Final = 50
LOST: Final = "__proto__"
"""The CLI (2.1.330) silently drops a property of this name, from the schema of a tool and from the
arguments of a call that the model has just made."""


def is_taken(name: str) -> bool:
    """Whether the API accepts a property of this name, and the CLI keeps it."""
    return _KEY.fullmatch(name) is not None and name != LOST


def names_to_send(names: Iterable[str]) -> dict[str, str]:
    """New names for properties whose names are refused, by the old ones.

    The same names get the same new ones in any order.
    """
    given = set(names)
    used, sent = set(given), dict[str, str]()
    for own in sorted(name for name in given if not is_taken(name)):
        stem = _stem(own)
        name = stem if stem not in used else f"{stem}_{len(sent) + 1}"
        while name in used:
            name += "_"
        used.add(name)
        sent[own] = name
    return sent


def _stem(name: str) -> str:
    """The name in allowed letters, as far as it has any: "größe" becomes "grosse"."""
    decomposed = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    spelled = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    stem = re.sub(r"[^a-zA-Z0-9_.-]+", "_", spelled).strip("_")
    return stem[:_LONGEST_STEM] or "property"
