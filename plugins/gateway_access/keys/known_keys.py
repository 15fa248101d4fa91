"""The keys that hold at the moment, from wherever they come."""

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from gateway.errors import ConfigurationError
from gateway_access.config import KeyEntry
from gateway_access.keys.keyring import Keyring
from gateway_access.keys.keys_file import read_keys

log = logging.getLogger("gateway_access")

LOOK_SECONDS: Final = 0.5
"""How often the keys file is checked, at most."""

_Stamp: TypeAlias = tuple[int, int, int] | None


class KnownKeys:
    """Keys that stay, and those of a file that may change at any time.

    `required` says whether a key is needed at all. It only ever changes to True: without the last
    key, the gateway must be closed to all, and not open. Raises `ConfigurationError`.
    """

    def __init__(
        self,
        fixed: Sequence[KeyEntry],
        path: Path | None,
        *,
        required: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fixed = tuple(fixed)
        self._path = path
        self._clock = clock
        self._stamp = self._stamp_now()
        self._next_look = clock() + LOOK_SECONDS
        self.required = required or bool(fixed) or self._stamp is not None
        self._keyring = self._read()

    def current(self) -> Keyring:
        """The keys, with the file as it was half a second ago or later."""
        now = self._clock()
        if now >= self._next_look:
            self._next_look = now + LOOK_SECONDS
            self._look()
        return self._keyring

    def _look(self) -> None:
        try:
            if (stamp := self._stamp_now()) == self._stamp:
                return
            self._stamp = stamp
            self.required = self.required or stamp is not None
            self._keyring = self._read()
        except ConfigurationError as error:
            log.error("%s; keeping the previous keys", error)  # noqa: TRY400
        else:
            log.info("keys reloaded; there are %d now", len(self._keyring))

    def _read(self) -> Keyring:
        return Keyring((*self._fixed, *(read_keys(self._path) if self._path else ())))

    def _stamp_now(self) -> _Stamp:
        """Differs between two states of the file; None without a file."""
        if self._path is None:
            return None
        try:
            found = self._path.stat()
        except (FileNotFoundError, NotADirectoryError):  # such as below a home of /dev/null
            return None
        except OSError as error:
            raise ConfigurationError(f"{self._path} can't be read: {error}") from None
        return (found.st_mtime_ns, found.st_size, found.st_ino)
