"""Personal data in text, by its form and by its check digits. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["email", "phone", "iban", "credit_card"]

ALPHABET_OFFSET: Final = 55
"""The distance of an IBAN's letter, A = 10, from its code point."""


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of a card number (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled  # noqa: PLR2004
    return total % 10 == 0


def iban(text: str) -> bool:
    """Whether the check digits of an IBAN are right (ISO 13616, modulo 97)."""
    turned = text[4:] + text[:4]
    digits = "".join(c if c.isdigit() else str(ord(c) - ALPHABET_OFFSET) for c in turned)
    return int(digits) % 97 == 1


_SEPARATORS = re.compile(r"[ .()/-]")

_PATTERNS: Mapping[Kind, tuple[re.Pattern[str], Callable[[str], bool]]] = {
    "email": (
        re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}\b"),
        lambda _: True,
    ),
    "iban": (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b"), iban),
    "credit_card": (re.compile(r"(?<![\d-])\d(?:[ -]?\d){12,18}(?![\d-])"), luhn),
    "phone": (
        re.compile(r"(?<![\w+])(?:\+|00)[1-9](?:[ ./()-]{0,2}\d){6,14}(?!\d)"),
        lambda _: True,
    ),
}
"""Of what is found, the check decides, without separators. The longer ones come first."""


def redact_personal_data(text: str, kinds: Iterable[Kind]) -> str:
    """The text with `[email]`, `[iban]`, … in place of personal data."""
    wanted = set(kinds)
    for kind, (pattern, holds) in _PATTERNS.items():
        if kind in wanted:
            text = pattern.sub(_replacing(kind, holds), text)
    return text


def _replacing(kind: Kind, holds: Callable[[str], bool]) -> Callable[[re.Match[str]], str]:
    """What follows after a space may be found along with it, so less and less of it is tried."""

    def replacement(found: re.Match[str]) -> str:
        text = found[0]
        while not holds(_SEPARATORS.sub("", text)):
            text, space, _ = text.rpartition(" ")
            if not space:
                return found[0]
        return f"[{kind}]{found[0][len(text) :]}"

    return replacement
