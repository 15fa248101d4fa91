"""Which pages requests may come from."""

from contextlib import nullcontext

import pytest
import yaml

from gateway.errors import NotAllowed
from gateway_access.config import AccessConfig
from gateway_access.pages.origins import OriginRules

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
    refused = pytest.raises(NotAllowed, match=r"access.+origins")
    with nullcontext() if is_it else refused:
        OriginRules(listed).check(origin, site, (OWN,))


def test_the_error_has_the_line_of_yaml() -> None:
    with pytest.raises(NotAllowed) as refused:
        OriginRules(()).check("app://obsidian.md", None, (OWN,))
    line = 'plugins: {access: {origins: ["app://obsidian.md"]}}'
    assert refused.value.message.endswith(line)
    section = yaml.safe_load(line)["plugins"]["access"]
    OriginRules(AccessConfig.model_validate(section).origins).check(
        "app://obsidian.md", None, (OWN,)
    )


def test_the_error_names_no_other_page() -> None:
    said = []
    for listed in ((), ("https://secret.example",)):
        with pytest.raises(NotAllowed) as refused:
            OriginRules(listed).check(EVIL, None, (OWN,))
        said.append(refused.value.message)
    assert said[0] == said[1]


@pytest.mark.parametrize(
    "origin", ["evil", "http://a/", "https://" + "a" * 5000, "http://a\x1b[2J"]
)
def test_an_origin_that_the_yaml_can_not_have_is_not_proposed(origin: str) -> None:
    with pytest.raises(
        NotAllowed, match=r"the allowed origins are in plugins\.access\.origins"
    ) as refused:
        OriginRules(()).check(origin, None, (OWN,))
    assert len(refused.value.message) < 300
    assert refused.value.message.isprintable()
