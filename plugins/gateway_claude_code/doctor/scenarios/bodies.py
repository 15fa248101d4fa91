"""The bodies of two requests, compared block by block. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

_OF_THE_PROCESS: Final = "metadata"
"""The field with the session, which stays the same for a process's life (seen with 2.1.330)."""


def difference(wanted: Mapping[str, Any], arrived: Mapping[str, Any]) -> str:
    """The first place where a body differs from the wanted one, in words; "" for equal bodies.

    The metadata does not count. No content is quoted: "messages[1].content[0].text differs".
    """
    bodies = [
        {key: value for key, value in body.items() if key != _OF_THE_PROCESS}
        for body in (wanted, arrived)
    ]
    return _in_value("", *bodies)


def _in_value(place: str, wanted: object, arrived: object) -> str:
    if wanted == arrived:
        return ""
    if isinstance(wanted, Mapping) and isinstance(arrived, Mapping):
        return _in_object(place, wanted, arrived)
    if isinstance(wanted, list) and isinstance(arrived, list):
        return _in_list(place, wanted, arrived)
    return f"{place} differs"


def _in_object(place: str, wanted: Mapping[str, Any], arrived: Mapping[str, Any]) -> str:
    for key in sorted({*wanted, *arrived}):
        inner = f"{place}.{key}".lstrip(".")
        if key not in wanted or key not in arrived:
            return f"{inner} is {'added' if key in arrived else 'missing'}"
        if found := _in_value(inner, wanted[key], arrived[key]):
            return found
    return ""


def _in_list(place: str, wanted: Sequence[object], arrived: Sequence[object]) -> str:
    if len(wanted) != len(arrived):
        return f"{place} has {len(arrived)} instead of {len(wanted)}"
    pairs = enumerate(zip(wanted, arrived, strict=True))
    return next(
        found for i, (one, other) in pairs if (found := _in_value(f"{place}[{i}]", one, other))
    )
