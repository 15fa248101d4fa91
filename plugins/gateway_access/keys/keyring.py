"""Keys: making one, hashing it, and finding out whose it is. Pure but for the randomness."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator
from typing import Final

from gateway.errors import ConfigurationError
from gateway_access.config import KeyEntry

PREFIX: Final = "dgm-"
"""For people, and for programs that search for leaked keys."""
KEY_BYTES: Final = 32
_HASH_NAME: Final = "sha256:"


def new_key() -> str:
    """A key of 256 random bits."""
    return PREFIX + secrets.token_urlsafe(KEY_BYTES)


def hash_key(key: bytes) -> str:
    """The hash of a key, as it is stored."""
    return _HASH_NAME + _digest(key).hex()


def _digest(key: bytes) -> bytes:
    # One round of SHA-256 and no salt: slow hashes protect what people think up, which can be
    # guessed. Nobody guesses 256 random bits, and a request should not wait for a slow hash.
    return hashlib.sha256(key).digest()


class Keyring:
    """The valid keys.

    Raises `ConfigurationError` for two of the same name, or with the same hash.
    """

    def __init__(self, entries: Iterable[KeyEntry]) -> None:
        self._by_name: dict[str, KeyEntry] = {}
        self._by_digest: dict[bytes, KeyEntry] = {}
        for entry in entries:
            if entry.name in self._by_name:
                raise ConfigurationError(f"duplicate key name {entry.name!r}")
            self._by_name[entry.name] = entry
            digest = bytes.fromhex(entry.hash.removeprefix(_HASH_NAME))
            if (other := self._by_digest.setdefault(digest, entry)) is not entry:
                raise ConfigurationError(
                    f"the keys {other.name!r} and {entry.name!r} are identical"
                )

    def __iter__(self) -> Iterator[KeyEntry]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def revoked_since(self, earlier: "Keyring") -> list[str]:
        """The names of the keys of an earlier ring that are no longer in this one.

        Another key of the same name is not the same key.
        """
        hashes = {entry.hash for entry in self}
        return [entry.name for entry in earlier if entry.hash not in hashes]

    def named(self, name: str) -> KeyEntry | None:
        """The entry of this name."""
        return self._by_name.get(name)

    def find(self, presented: bytes) -> KeyEntry | None:
        """Whose key this is.

        How long it takes says nothing: the digest is compared with all entries to the end, each
        in constant time. It compares digests, which a client can't steer.
        """
        digest = _digest(presented)
        found: KeyEntry | None = None
        for known, entry in self._by_digest.items():
            if hmac.compare_digest(known, digest):
                found = entry
        return found
