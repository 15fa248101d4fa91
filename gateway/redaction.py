"""Secrets in text, made unreadable."""

import re
from typing import Final

REDACTED: Final = "[redacted]"

_SECRETS = re.compile(
    r"""
    \bsk-[A-Za-z0-9_-]{16,}                       # keys of model APIs
    | \bgh[pousr]_[A-Za-z0-9]{20,}                # GitHub
    | \bAKIA[0-9A-Z]{16}\b                        # AWS
    | \bxox[abprs]-[A-Za-z0-9-]{10,}              # Slack
    | \beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}        # JSON web tokens
    | -----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY-----.*?-----END[ ][A-Z ]*PRIVATE[ ]KEY-----
    """,
    re.VERBOSE | re.DOTALL,
)


def redact(text: str) -> str:
    """The same text without API keys, tokens and private keys."""
    return _SECRETS.sub(REDACTED, text)
