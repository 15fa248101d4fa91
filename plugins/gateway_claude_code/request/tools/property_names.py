"""Names of properties that the model's API takes, for those that it refuses. Pure.

Live answers name the form: "Property keys should match pattern '^[a-zA-Z0-9_.-]{1,64}$'".
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

_KEY: Final = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
_LONGEST_STEM: Final = 50
LOST: Final = "__proto__"
"""The CLI (2.1.330) drops a property of this name without a word, from the schema of a tool and from
the arguments of a call that the model has just made."""


def is_taken(name: str) -> bool:
    """Whether the API takes a property of this name, and the CLI leaves it where it is."""
    return _KEY.fullmatch(name) is not None and name != LOST


def names_to_send(names: Iterable[str]) -> dict[str, str]:
    """What to call those properties of which the name is refused, by their own names.

    The same names get the same new ones, in whatever order they come.
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
    """The name in letters that are allowed, as far as it has any: "größe" is "grosse"."""
    decomposed = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    spelled = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    stem = re.sub(r"[^a-zA-Z0-9_.-]+", "_", spelled).strip("_")
    return stem[:_LONGEST_STEM] or "property"
