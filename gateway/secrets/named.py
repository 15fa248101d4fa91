"""Secrets that only the name in front of them gives away: `password: …`, `"token": "…"`.

The names are those of gitleaks' rule `generic-api-key` and detect-secrets' `KeywordDetector`. Both
search files and leave it to a person to judge what they find; here, a value has to look like a
secret: code (`api_key=settings.api_key`), types, placeholders and prose stay.
"""

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import Final

_CHUNK: Final = 64
"""Characters of a value that are judged. A bound, so that no text takes more than linear time."""

_NAME: Final = re.compile(
    r"(?:pass(?:word|wd|phrase)?|pwd|authorization|auth|credentials?|secret|token|jwt|cookie|key)"
    r"(?=[\\\"'`\s:=%])"
)
_VALUE: Final = re.compile(
    rf"""
    (?:
        (?: \\{{0,3}}["'`] )? \s{{0,4}}
        (?: :\s?(?:str|string|bytes)\s?=(?!=) | := | => | ={{1,3}} | : | %3[Aa] | %3[Dd] ) \s{{0,4}}
        | (?P<pair> ["'] \s{{0,4}} , \s{{0,4}} ) (?= b?["'] )    # ("password", "…")
        | (?P<prose> \x20 (?:is|was):? \x20 )                   # the password is …
        | (?P<option> \x20 )                                   # --password …
    )
    (?: b? (?P<quote> \\{{0,3}}["'`] ) )?
    (?P<scheme> (?i:bearer|basic|token|digest|bot) \s{{1,4}} )?+
    (?P<value> (?(quote)
        (?: (?!(?P=quote)) [^\r\n] ){{6,{_CHUNK}}} | [^\s"'`,;&\\)\]}}<>]{{6,{_CHUNK}}}
    ) )
    """,
    re.VERBOSE | re.ASCII,
)
"""From the end of a name on."""
_REST: Final = re.compile(r"[^\s\"'`,;&\\)\]}<>]*")
"""The end of a value without quotes that is longer than a chunk."""

_OPTION: Final = re.compile(r"--(?:[a-z0-9]+-)*$")
_BEFORE_NAME: Final = 24
"""Characters before a name that say more about it."""

_PLACEHOLDER: Final = re.compile(
    r"\[redacted|\$[A-Z_{(]|[{<*%\[(]|x{4}|your\b|your[_-]|.*\.\.\.|.*…", re.IGNORECASE | re.DOTALL
)
_CODE: Final = re.compile(
    r".*[(\[{]|[A-Za-z_]+[0-9]{0,2}(?:(?:\.|->|::)[A-Za-z_]+[0-9]{0,2})+\W?$", re.DOTALL
)
"""A call, a subscript, an attribute."""
_IDENTIFIER: Final = re.compile(r"[A-Za-z_]+[0-9]{0,2}")
_DIGIT: Final = re.compile(r"[0-9]")
_LETTER: Final = re.compile(r"[A-Za-z]")
_WORD: Final = re.compile(
    r"(?:bearer|boolean|config|configuration|default|disabled|dummy|empty|enabled|expired|field"
    r"|headers?|incorrect|integer|invalid|kwargs|missing|number|object|optional|options|params|prompt"
    r"|provided|request|required|response|result|settings|string|undefined|unknown|unset|unused"
    r"|values?|wrong)[.:!?]*",
    re.IGNORECASE,
)
"""Values and words that follow such a name and are no secrets."""
_PROSE: Final = re.compile(
    r"\b(?:an?|and|are|at|be|for|from|in|is|it|must|not|of|or|the|to|with)\b|pass", re.IGNORECASE
)
_PARTS: Final = ("pass", "pwd", "secret", "token", "key", "credential", "auth")

_BEFORE: Final = {
    "key": re.compile(
        r"(?:api|access|account|auth|private|signing|encryption|subscription|master|secret)[_ -]?$"
    ),
    "token": re.compile(r"(?:access|refresh|auth|session|bearer|bot|private)[_ -]?$"),
    "secret": re.compile(r"(?:client|app|consumer|shared|webhook|api)[_ -]?$"),
}
"""The words before a name with which it is surely that of a secret."""


class Kind(Enum):
    """How much a name says about the value after it."""

    HEADER = auto()  # any value that is not code
    PASSWORD = auto()  # people make it up: any value that is not code or prose
    KEY = auto()  # as a password, but not what names something in code
    PERHAPS = auto()  # only what looks random: a token may be the model's, and a secret a story's


def named_secrets(text: str) -> Iterator[tuple[int, int]]:
    """Where they are: start and end of each value, in order."""
    lowered = text.lower()
    if len(lowered) != len(text):  # the one letter that is two in lower case
        lowered = text.replace("\u0130", "I").lower()
    at = 0
    while name := _NAME.search(lowered, at):
        at = name.end()
        before = lowered[max(0, name.start() - _BEFORE_NAME) : name.start()]
        kind = _kind(name[0], before)
        if kind is None or (found := _VALUE.match(text, at)) is None:
            continue
        if found["option"] and not _OPTION.search(before):
            continue
        start, end = found.span("value")
        if found["pair"] or (found["prose"] and not _DIGIT.search(found["value"])):
            kind = Kind.PERHAPS
        literal = found["quote"] is not None or found["scheme"] is not None
        if _is_secret(kind, found["value"], literal=literal):
            at = _end(text, end, found["quote"])
            yield start, at


def _end(text: str, at: int, quote: str | None) -> int:
    """The end of a value of which the characters before `at` are known."""
    if quote is None:
        rest = _REST.match(text, at)
        return rest.end() if rest else at
    closing = text.find(quote, at)
    closing = len(text) if closing < 0 else closing
    line = text.find("\n", at, closing)
    return closing if line < 0 else line


def _kind(name: str, before: str) -> Kind | None:
    """What to expect of the value after a name, of which `before` are the characters before it."""
    if name in {"auth", "pass"} and before[-1:].isalpha():  # the end of another word
        return None
    if name == "authorization":
        return Kind.HEADER
    if name[0] == "p" and (name != "pass" or before.endswith("_")):
        return Kind.PASSWORD
    if name in _BEFORE and _BEFORE[name].search(before):
        return Kind.HEADER if before.endswith("-") else Kind.KEY
    return None if name == "key" else Kind.PERHAPS


def _is_secret(kind: Kind, value: str, *, literal: bool) -> bool:
    """Whether the value is one. A `literal` is quoted, or follows Bearer and the like: no code."""
    if _PLACEHOLDER.match(value) or _WORD.fullmatch(value):
        return False
    if not literal and _CODE.match(value):
        return False
    # "must have 8 characters" is no password, but "correct horse battery staple" is
    if " " in value and (kind is not Kind.PASSWORD or _PROSE.search(value)):
        return False
    if kind is Kind.PERHAPS:
        return _is_random(value)
    if literal:
        return True
    if _DIGIT.search(value):
        return kind is not Kind.KEY or _IDENTIFIER.fullmatch(value) is None
    return not ("_" in value or any(each in value.lower() for each in _PARTS))


def _is_random(value: str) -> bool:
    """Digits among letters, and too long for a word with a number."""
    if len(value) < 10 or _IDENTIFIER.fullmatch(value):  # noqa: PLR2004 - as gitleaks has it
        return False
    return _DIGIT.search(value) is not None and _LETTER.search(value) is not None
