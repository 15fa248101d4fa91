"""Keys, tokens and the like in text, and taking them out."""

import re
from typing import Final

REDACTED: Final = "[redacted]"

_SECRETS: Final = re.compile(
    r"""
    -----BEGIN\ (?:[A-Z0-9]+\ )*PRIVATE\ KEY-----
        .*? (?: -----END\ (?:[A-Z0-9]+\ )*PRIVATE\ KEY----- | \Z )
    | \b (?: sk | pk | rk | dgm ) - [A-Za-z0-9_-]{8,}   # model APIs
    | \b [sr]k_ (?: live | test ) _ \w{8,}                # Stripe
    | \b (?: gh[opsur]_ \w{20,} | github_pat_ \w{20,} | glpat- [\w-]{16,} )
    | \b xox[abeoprs]- [\w-]{10,}                        # Slack
    | \b (?: AIza [\w-]{30,} | hf_ [A-Za-z0-9]{20,} )     # Google; Hugging Face
    | \b (?: AKIA | ASIA ) [A-Z0-9]{16} \b
    | \b eyJ [A-Za-z0-9_-]{8,} \. [A-Za-z0-9_-]{8,} (?: \. [A-Za-z0-9_-]* )?
    | (?<= \bbearer\  ) [A-Za-z0-9._~+/=-]{6,}
    | (?<= \bbasic\  ) [A-Za-z0-9+/=]{12,}
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)

_NAMED: Final = re.compile(
    r"""
    (?P<name> (?: x-api-key | api[_-]?key | authorization | secret[_-]?access[_-]?key
        | session[_-]?token | auth[_-]?token | password )
        ["']? \s{0,4} [:=,] \s{0,4} b?["']? (?: (?:bearer|basic) \s )?+ )
    (?! \[redacted\] ) [^\s"',;\\)\]}]{6,}
    """,
    re.VERBOSE | re.IGNORECASE,
)


def redact(text: str) -> str:
    """The text without secrets: each is replaced by `[redacted]`."""
    return _NAMED.sub(rf"\g<name>{REDACTED}", _SECRETS.sub(REDACTED, text))
