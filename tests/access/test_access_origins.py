"""Which pages requests may come from."""

from contextlib import nullcontext

import pytest

from gateway.errors import NotAllowed
from gateway_access.origins import OriginRules

OWN = "http://localhost:3456"
EVIL = "https://evil.example"


@pytest.mark.parametrize(
    ("listed", "origin", "site", "is_it"),
    [
        ((), None, None, True),  # a program
        ((), None, "none", True),  # typed by the user
        ((), None, "same-origin", True),
        ((), OWN, "same-origin", True),
        ((), None, "cross-site", False),
        ((), EVIL, None, False),
        ((), EVIL, "cross-site", False),
        ((), EVIL, "same-origin", False),
        ((), "null", None, False),
        ((), "", None, False),
        ((), "http://localhost:8080", "same-site", False),
        ((), "https://localhost:3456", None, False),
        ((), OWN + ".evil.example", None, False),
        ((), OWN + "@evil.example", None, False),
        (("app://obsidian.md",), "app://obsidian.md", "cross-site", True),
        (("app://obsidian.md",), "app://obsidian.md.evil", None, False),
        (("app://obsidian.md",), None, "cross-site", False),
        (("null",), "null", None, True),
        (("*",), EVIL, "cross-site", True),
        (("*",), "null", "cross-site", True),
        (("*",), None, "cross-site", True),
    ],
)
def test_what_is_let_through(
    listed: tuple[str, ...], origin: str | None, site: str | None, is_it: bool
) -> None:
    refused = pytest.raises(NotAllowed, match=r"plugins\.access\.origins")
    with nullcontext() if is_it else refused:
        OriginRules(listed).check(origin, site, OWN)
