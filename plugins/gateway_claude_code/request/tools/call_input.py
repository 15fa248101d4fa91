"""The arguments of a call as the object that the model's API wants. Pure.

The CLI reads every number with JavaScript's `JSON.parse`, and so as a double: 1180520049358479451
becomes 1180520049358479400 and 1e400 becomes null, in its history and in the model's own calls alike
(seen with 2.1.330). A number that does not survive that is sent as a string of the same digits.
"""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from gateway.content.surrogates import whole_characters
from gateway_claude_code.request.tools.property_names import LOST


def call_input(arguments: str) -> dict[str, Any]:
    """A call's arguments as an object. What is no JSON object is kept as text."""
    if not arguments.strip():
        return {}
    try:
        text = json.dumps(exact_json(arguments), ensure_ascii=False)
        value = json.loads(whole_characters(text))
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"arguments": arguments}


def is_read_alike(arguments: str) -> bool:
    """Whether the CLI, which parses what the model wrote, has the same input as `call_input` makes.

    It has not for what is no object, for numbers and halves of characters that are changed, and
    for properties that it drops (`property_names`).
    """
    if not arguments.strip():
        return True
    try:
        read = json.loads(arguments, object_pairs_hook=_without_lost)
        return bool(read == call_input(arguments))
    except (ValueError, RecursionError):
        return False


def exact_json(text: str) -> Any:  # noqa: ANN401
    """A JSON value, its numbers as a double holds them, or else as strings.

    Raises `ValueError` for what is no JSON, NaN and Infinity included: they would end the CLI.
    Raises `RecursionError` for what is nested too deeply.
    """
    return json.loads(text, parse_int=_integer, parse_float=_float, parse_constant=_no_constant)


def _without_lost(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in pairs if name != LOST}


def _integer(digits: str) -> int | str:
    return int(digits) if _survives(digits) else digits


def _float(digits: str) -> float | str:
    return float(digits) if _survives(digits) else digits


def _survives(digits: str) -> bool:
    """Python writes the shortest digits that mean the same double, as JavaScript does."""
    try:
        return Decimal(repr(float(digits))) == Decimal(digits)
    except InvalidOperation:  # an exponent of twenty digits
        return False


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
