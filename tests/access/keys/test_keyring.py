"""Keys: made, hashed, found; and from the environment."""

import hmac
import re

import pytest
from pydantic import ValidationError

from gateway.errors import ConfigurationError
from gateway_access.keys.environment import environment_keys
from gateway_access.keys.keyring import Keyring, hash_key, new_key
from tests.access.access_support import KEY, OTHER, entry


def test_a_new_key_is_256_random_bits_behind_a_prefix() -> None:
    keys = {new_key() for _ in range(100)}
    assert len(keys) == 100
    for key in keys:
        assert re.fullmatch(r"dgm-[\w-]{43}", key)


def test_a_key_is_stored_as_its_sha256() -> None:
    assert hash_key(b"abc") == (
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_a_key_is_found_whole_and_exact() -> None:
    ring = Keyring([entry("one", KEY), entry("two", OTHER)])
    found = ring.find(OTHER.encode())
    assert found is not None
    assert found.name == "two"
    for wrong in ("", KEY[:-1], KEY + "x", KEY.upper(), hash_key(KEY.encode())):
        assert ring.find(wrong.encode()) is None


@pytest.mark.parametrize("presented", [KEY, OTHER, "", "wrong", KEY[:-1], "x" * 10_000])
def test_every_key_is_compared_with_all_digests_in_constant_time(
    presented: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = Keyring([entry("one", KEY), entry("two", OTHER), entry("three", "another")])
    compared: list[tuple[int, int]] = []
    constant_time = hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return constant_time(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    ring.find(presented.encode())
    assert compared == [(32, 32)] * 3


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([entry("a", KEY), entry("a", OTHER)], "duplicate key name 'a'"),
        ([entry("a", KEY), entry("b", KEY)], "'a' and 'b' are identical"),
    ],
)
def test_names_and_keys_are_there_once(entries: list[object], why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        Keyring(entries)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "a b", "a\r\nx: y", "a\n", "-a", "ä", "a/b", "a" * 65])
def test_names_that_mean_something_in_headers_or_logs_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        entry(name)


# -- the environment ----------------------------------------------------------------------


def test_keys_of_the_environment() -> None:
    environ = {"DRAGOMAN_API_KEY": KEY, "DRAGOMAN_API_KEYS": f"{OTHER}, 0123456789abcdef"}
    assert environment_keys(environ) == [
        entry("DRAGOMAN_API_KEY", KEY),
        entry("DRAGOMAN_API_KEYS-1", OTHER),
        entry("DRAGOMAN_API_KEYS-2", "0123456789abcdef"),
    ]
    assert environment_keys({}) == []


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({"DRAGOMAN_API_KEY": "0123456789abcde"}, "has 15 characters; use at least 16"),
        ({"DRAGOMAN_API_KEY": ""}, "has 0 characters"),
        ({"DRAGOMAN_API_KEYS": f"{KEY},"}, "the key in DRAGOMAN_API_KEYS-2 has 0"),
        ({"DRAGOMAN_API_KEY": "0123456789 abcdef"}, "not allowed in a header"),
        ({"DRAGOMAN_API_KEY": "0123456789\nabcdef"}, "not allowed in a header"),
        ({"DRAGOMAN_API_KEY": "schlüssel-schlüssel"}, "not allowed in a header"),
    ],
)
def test_a_key_that_is_none_stops_the_start_and_is_not_shown(
    environ: dict[str, str], why: str
) -> None:
    with pytest.raises(ConfigurationError, match=why) as caught:
        environment_keys(environ)
    assert "0123456789" not in str(caught.value)
