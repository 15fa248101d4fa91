"""The API's and the CLI's words without the identity of the account behind the login. Pure.

Refusals may name it: "Your organization Jane Doe (jane@example.com) has been disabled." A rate limit
may contain the organization's id. The clients of a gateway need not know either.

E-mail addresses and the API's own ids (`org_01…`, `user_01…`) are removed everywhere. UUIDs and names
are removed only from texts about an organization, an account or a workspace: requests have ids and
names of their own, and a client needs to read those.
"""

import re
from typing import Final

LEFT_OUT: Final = "[…]"

EMAIL: Final = r"[\w.+-]+@[\w-]+\.[\w.-]*\w"
UUID: Final = r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"
_API_ID: Final = r"\b(?:org|user|acct|account|wrkspc|workspace|apikey)_\w{8,}"

# "This organization has been disabled" and others are on code.claude.com/docs/en/errors
_HOLDER: Final = r"\b(?:[Oo]rgani[sz]ation|[Aa]ccount|[Ww]orkspace)"
_WORD: Final = r"[A-Z][\w&'\u2019-]*(?:\.\w+)*"
_TITLE: Final = rf"{_WORD}(?:,?\s+(?:{_WORD}|of|and|&))*"
_QUOTED: Final = r"\"[^\"]+\"|\u201c[^\u201d]+\u201d|`[^`]+`|'[^']+'"
_VERB: Final = r"(?:has|is|was|does|must|can|cannot|isn['\u2019]t|hasn['\u2019]t|doesn['\u2019]t|can['\u2019]t)\b"
_NO_NAME: Final = (
    rf"{_VERB}|(?:that|which|named|called|you|owner|admin|administrator|type|level|plan|policy|access|setting"
    r"|limit|usage|balance|tier|and|or)\b"
)

_EVERYWHERE: Final = re.compile(f"{EMAIL}|{_API_ID}")
_ABOUT_AN_ACCOUNT: Final = re.compile(rf"{_HOLDER}|\bOrg\b|\bClaude Code tried\b")
_NAMES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # the id of an organization, as in the API's message about a rate limit
        f"(){UUID}",
        # an organization without a name of its own is called "jane@example.com's Organization"
        rf"(){_WORD}(?:\s+{_WORD})*['\u2019]s\s+(?:Individual\s+)?"
        r"(?:Org(?:anization)?|Team|Workspace)\b",
        rf"({_HOLDER}(?:['\u2019]s)?\s+)\([^)]*\)",
        rf"({_HOLDER}(?::|\s+(?:named|called|name|id|ID)\b:?)?\s+)(?:{_QUOTED}|{_TITLE})",
        rf"({_HOLDER}:\s+)[\w.-]*\w",
        rf"({_HOLDER}\s+)(?!{_NO_NAME})[\w.&-]+(?=\s+(?:\(|{_VERB}|{re.escape(LEFT_OUT)}))",
        # CLI 2.1.330 about an expired login, with the organization of another one
        r"(\bClaude Code tried )(?!your\b)[^.,]+?(?=\s+instead\b|[.,]|$)",
    )
)


def public_words(text: str) -> str:
    """The text with `LEFT_OUT` in place of all that identifies the account."""
    text = _EVERYWHERE.sub(LEFT_OUT, text)
    if _ABOUT_AN_ACCOUNT.search(text):
        for pattern in _NAMES:
            text = pattern.sub(rf"\1{LEFT_OUT}", text)
    return re.sub(
        rf"\(?{re.escape(LEFT_OUT)}\)?(?:\s+\(?{re.escape(LEFT_OUT)}\)?)+", LEFT_OUT, text
    )
