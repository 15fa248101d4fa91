"""Which hosts a request may name."""

import pytest

from gateway.errors import Misdirected
from gateway_access.hosts import HostRules, host_of


@pytest.mark.parametrize(
    ("authority", "host"),
    [
        ("localhost", "localhost"),
        ("LocalHost:3456", "localhost"),
        ("localhost.", "localhost"),
        ("127.0.0.1:1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("[0:0:0:0:0:0:0:1]:3456", "::1"),
        ("[::FFFF:127.0.0.1]", "::ffff:7f00:1"),
        ("my-host_2.example.org:80", "my-host_2.example.org"),
        ("", None),
        (":3456", None),
        ("localhost:", "localhost"),  # RFC 3986, 3.2.3
        ("[::1]:", "::1"),
        ("localhost:port", None),
        ("localhost:123456", None),
        ("localhost:80:80", None),
        ("localhost@evil.example", None),
        ("localhost/", None),
        ("localhost evil.example", None),
        ("localhost,evil.example", None),
        ("::1", None),
        ("[::1", None),
        ("[localhost]", None),
        ("[::1%25lo]", None),
        ("localhost\n", None),
        ("löcalhost", None),
    ],
)
def test_the_host_of_an_authority(authority: str, host: str | None) -> None:
    found = host_of(authority)
    assert found == host or (found, host) == ("::ffff:127.0.0.1", "::ffff:7f00:1")


def allowed(listened: str, header: str, *listed: str) -> bool:
    try:
        HostRules(listened, listed).check(header.encode("latin-1"))
    except Misdirected:
        return False
    return True


@pytest.mark.parametrize("listened", ["127.0.0.1", "localhost", "::1", "127.1.2.3"])
@pytest.mark.parametrize(
    ("header", "is_it"),
    [
        ("127.0.0.1:3456", True),
        ("127.8.8.8", True),
        ("localhost", True),
        ("[::1]:3456", True),
        ("[::ffff:127.0.0.1]", True),
        ("10.0.0.1", False),
        ("host.docker.internal:3456", True),
        ("gateway.docker.internal", True),
        ("Host.Containers.Internal:3456", True),
        ("host.docker.internal.", True),
        ("0.0.0.0", False),
        ("example.org", False),
        ("sub.localhost", False),
        ("docker.internal", False),
        ("evil.host.docker.internal", False),
        ("host.docker.internal.evil.example", False),
    ],
)
def test_on_loopback_only_its_own_names_are_taken(listened: str, header: str, is_it: bool) -> None:
    assert allowed(listened, header) is is_it


@pytest.mark.parametrize(
    ("listened", "header", "is_it"),
    [
        ("0.0.0.0", "192.168.1.7:3456", True),
        ("::", "[2001:db8::1]:3456", True),
        ("192.168.1.7", "192.168.1.7", True),
        ("Nas.home", "nas.HOME:3456", True),
        ("0.0.0.0", "nas.home", False),
        ("nas.home", "evil.example", False),
    ],
)
def test_elsewhere_any_address_and_its_own_name_are_taken(
    listened: str, header: str, is_it: bool
) -> None:
    assert allowed(listened, header) is is_it


def test_further_names_are_listed() -> None:
    assert allowed("127.0.0.1", "dragoman:3456", "Dragoman")
    assert allowed("127.0.0.1", "dragoman", "dragoman:3456")
    assert not allowed("127.0.0.1", "evil.dragoman", "dragoman")


def test_a_star_takes_every_name_but_nothing_that_is_none() -> None:
    assert allowed("127.0.0.1", "any.example", "*")
    assert not allowed("127.0.0.1", "user@any.example", "*")


def test_the_error_says_how_to_add_a_name() -> None:
    with pytest.raises(Misdirected, match="'nas:3456'") as caught:
        HostRules("127.0.0.1", ("a.example",)).check(b"nas:3456")
    assert (caught.value.status, caught.value.code) == (421, "host_not_allowed")
    assert caught.value.message.endswith('plugins: {access: {hosts: ["nas"]}}')
    assert "a.example" not in caught.value.message  # the page may be anybody's


@pytest.mark.parametrize("header", [b"a@b", b"nas\x1b[2J", b"n" * 5000])
def test_a_name_that_the_yaml_can_not_have_is_not_proposed(header: bytes) -> None:
    with pytest.raises(Misdirected, match=r"see plugins\.access\.hosts") as caught:
        HostRules("127.0.0.1", ()).check(header)
    assert len(caught.value.message) < 300
    assert caught.value.message.isprintable()
