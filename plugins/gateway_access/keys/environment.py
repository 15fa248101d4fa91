"""Keys from the environment: in plain there, and only as hashes from then on."""

from collections.abc import Iterator, Mapping
from typing import Final

from gateway.errors import ConfigurationError
from gateway_access.config import KeyEntry
from gateway_access.keys.keyring import hash_key

ONE: Final = "DRAGOMAN_API_KEY"
SEVERAL: Final = "DRAGOMAN_API_KEYS"
MIN_LENGTH: Final = 16
"""These keys may be thought up by people, and a short one can be guessed."""


def environment_keys(environ: Mapping[str, str]) -> list[KeyEntry]:
    """The keys of both variables, named after them; of several, with a number. No limits.

    Raises `ConfigurationError` for keys that are too short, or can't be sent in a header.
    """
    return [_entry(name, key) for name, key in _plain(environ)]


def _plain(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each key with its name. One that is set but empty still has to be rejected."""
    if (key := environ.get(ONE)) is not None:
        yield ONE, key.strip()
    if (keys := environ.get(SEVERAL)) is not None:
        for number, each in enumerate(keys.split(","), 1):
            yield f"{SEVERAL}-{number}", each.strip()


def _entry(name: str, key: str) -> KeyEntry:
    if len(key) < MIN_LENGTH:
        raise ConfigurationError(
            f"the key in {name} has {len(key)} characters; use at least {MIN_LENGTH}, for example "
            "from `openssl rand -hex 32`"
        )
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ConfigurationError(
            f"the key in {name} has characters that are not allowed in a header"
        )
    return KeyEntry(name=name, hash=hash_key(key.encode("ascii")))
