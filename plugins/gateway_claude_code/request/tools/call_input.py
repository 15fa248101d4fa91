"""The arguments of a call as the object that the model's API requires. Pure.

The CLI reads every number with JavaScript's `JSON.parse`, and so as a double: 1180520049358479451
becomes 1180520049358479400 and 1e400 becomes null, both in its history and in the model's own
calls (seen with 2.1.330). A number that does not survive that is sent as a string of its digits.
"""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from gateway.content.surrogates import whole_characters
from gateway_claude_code.request.tools.property_names import LOST


def call_input(arguments: str) -> dict[str, Any]:
    """A call's arguments as an object. Anything but a JSON object is kept as text."""
    if not arguments.strip():
        return {}
    try:
        text = json.dumps(exact_json(arguments), ensure_ascii=False)
        value = json.loads(whole_characters(text))
    except (ValueError, RecursionError):
        value = None
    # the API takes an object only, and arguments that were cut at the token limit are not one
    return value if isinstance(value, dict) else {"arguments": arguments}


def is_read_alike(arguments: str) -> bool:
    """Whether the CLI reads from the model's text the same input that `call_input` makes.

    It does not for anything but an object, for changed numbers and halves of characters, and for
    properties that it drops (`property_names`).
    """
    if not arguments.strip():
        return True
    try:
        read = json.loads(arguments, object_pairs_hook=_without_lost)
        return bool(read == call_input(arguments))
    except (ValueError, RecursionError):
        return False


def exact_json(text: str) -> Any:  # noqa: ANN401
    """A JSON value, with numbers that a double can't hold as strings.

    Raises `ValueError` for invalid JSON, including NaN and Infinity, at which the CLI would exit.
    Raises `RecursionError` for too deep a nesting.
    """
    return json.loads(text, parse_int=_integer, parse_float=_float, parse_constant=_no_constant)


def _without_lost(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: value for name, value in pairs if name != LOST}


def _integer(digits: str) -> int | str:
    return int(digits) if _survives(digits) else digits


def _float(digits: str) -> float | str:
    return float(digits) if _survives(digits) else digits


def _survives(digits: str) -> bool:
    """Python writes the shortest digits of a double, as JavaScript does (ECMA-262, Number::toString)."""
    try:
        return Decimal(repr(float(digits))) == Decimal(digits)
    except InvalidOperation:  # an exponent of twenty digits
        return False


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not valid JSON")
