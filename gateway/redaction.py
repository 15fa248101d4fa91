"""Secrets in texts that are kept or shown: what looks like one is replaced.

The forms are those that their makers document: prefixes of keys and tokens, HTTP's own
`Authorization`, and PEM blocks. What has no form of its own is found by the name before it.
"""

import re
from typing import Final

REDACTED: Final = "[redacted]"
"""What stands in a secret's place."""

PATTERNS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # PEM; one that was cut off counts as well
        r"-----BEGIN (?P<kind>[A-Z ]{0,40}PRIVATE KEY)-----"
        r"(?:(?!-----BEGIN )[\s\S])*?(?:-----END (?P=kind)-----|\Z)",
        r"(?i:(?<=\bbearer )|(?<=\bbasic ))[\w.~+/=-]{8,}",
        r"\b(?:sk|pk|rk)-[\w-]{8,}",  # OpenAI, Anthropic and others that took after them
        r"\b[sr]k_(?:live|test)_\w{8,}",  # Stripe
        r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",  # AWS: the id of a key
        r"(?i:(?<=aws_secret_access_key)|(?<=secretaccesskey))[\"']?\s{0,4}[=:]\s{0,4}"
        r"[\"']?[A-Za-z0-9/+=]{16,}",
        r"\b(?:gh[opsur]_\w{20,}|github_pat_\w{20,})",
        r"\bglpat-[\w-]{16,}",
        r"\bxox[abeoprs]-[\w-]{10,}",  # Slack
        r"\bAIza[\w-]{30,}",  # Google
        r"\bhf_[A-Za-z0-9]{20,}",
        r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*",  # JSON Web Tokens
    )
)


def redact(text: str) -> str:
    """The text with `[redacted]` for everything that has the form of a secret."""
    for pattern in PATTERNS:
        text = pattern.sub(REDACTED, text)
    return text
