"""Keys, tokens and the like in text, and taking them out.

`secret_rules` tells a secret by its look, `named_secrets` by the name in front of it.
"""

from collections.abc import Iterable
from typing import Final

from gateway.secrets.named import named_secrets
from gateway.secrets.rules import RULES, Rule, compiled

REDACTED: Final = "[redacted]"

_MARKS: Final = tuple((mark, rule) for rule in RULES for mark in rule.marks)


def redact(text: str) -> str:
    """The text without secrets: each is replaced by `[redacted]`. Takes time linear in its length.

    Ordinary text, such as ids, hashes and code, stays as it is.
    """
    lowered = text.lower()
    for mark, rule in _MARKS:
        if mark in lowered:
            text = _without(rule, text)
    return _replaced(text, named_secrets(text))


def _without(rule: Rule, text: str) -> str:
    pattern = compiled(rule.pattern)
    group = "secret" if "secret" in pattern.groupindex else 0
    return _replaced(
        text,
        (
            found.span(group)
            for found in pattern.finditer(text)
            if rule.check is None or rule.check(found[group])
        ),
    )


def _replaced(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with the spans (start, end; in order) replaced."""
    parts: list[str] = []
    at = 0
    for start, end in spans:
        parts += (text[at:start], REDACTED)
        at = end
    return "".join((*parts, text[at:])) if parts else text
