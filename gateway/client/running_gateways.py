"""Where gateways of this user run, for the commands that ask them.

A gateway publishes a small JSON file in `~/.local/state/dragoman/running` (or below
XDG_STATE_HOME) while it serves, and holds a lock on it (flock(2)), which the system gives back
however the process ends. So a file without a lock is left over, whoever has its process id now,
and is removed by the next reader. Keys are sent to the address in it: the folder and the file must
be this user's own and not writable by anybody else, or they do not count.
"""

import fcntl
import logging
import os
import stat
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.machine.addresses import is_loopback

log = logging.getLogger("gateway.running")

MAX_BYTES: Final = 64 * 1024
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


class RunningGateway(BaseModel):
    """A gateway that runs, as it published itself when it began to listen.

    `urls` are origins (`http://127.0.0.1:3456`), the first one preferred. `wants_key` says whether
    a key was required by then; whether one is now, the gateway itself has to be asked. `config` is the whole path
    of its YAML, and `trusted` is false if that was found in the folder in which it was started.
    `network` tells machines and containers that share a home from each other.
    """

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    pid: int
    urls: Annotated[tuple[str, ...], Field(min_length=1)]
    wants_key: bool
    config: Path | None
    trusted: bool = True
    version: str
    started_at: datetime
    network: str | None = None

    @property
    def url(self) -> str:
        """Where to ask it."""
        return self.urls[0]

    def serves(self, config: Path | None) -> bool:
        """Whether this is its configuration."""
        if config is None or self.config is None:
            return config is self.config
        return config.resolve() == self.config.resolve()


def same_place(gateway: RunningGateway, url: str) -> bool:
    """Whether a URL leads to this gateway. Any name of this machine does, with its port."""
    asked = urlsplit(url)
    if url in gateway.urls:
        return True
    here = _is_here(asked.hostname)
    return here and any(
        asked.port == each.port and _is_here(each.hostname) for each in map(urlsplit, gateway.urls)
    )


def _is_here(host: str | None) -> bool:
    return host is not None and (host == "localhost" or is_loopback(host))


def with_another_configuration(used: Path | None) -> RunningGateway | None:
    """The newest gateway, if all that run serve other files than the one that a command used."""
    found = running_gateways()
    return found[0] if found and not any(each.serves(used) for each in found) else None


def folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Where the files are, whether the folder exists or not; None without a home."""
    state, home = environ.get("XDG_STATE_HOME"), environ.get("HOME") or environ.get("USERPROFILE")
    if not (state and Path(state).is_absolute()):
        if not (home and Path(home).is_absolute()):
            return None
        state = str(Path(home) / ".local" / "state")
    return Path(state) / "dragoman" / "running"


def running_gateways() -> tuple[RunningGateway, ...]:
    """Those that run in this network, the newest first. Files that were left over are removed."""
    place = folder()
    if place is None or not _is_private(place):
        return ()
    try:
        found = [_read(path) for path in place.glob("*.json")]
    except OSError:
        return ()
    here = network()
    alive = (each for each in found if each is not None and each.network == here)
    return tuple(sorted(alive, key=lambda each: each.started_at, reverse=True))


def _is_private(place: Path) -> bool:
    try:
        found = place.lstat()
    except OSError:
        return False
    private = stat.S_ISDIR(found.st_mode) and _is_own(found)
    if not private:
        log.warning("%s is ignored: it belongs to another user, or others can write to it", place)
    return private


def _is_own(found: os.stat_result) -> bool:
    return found.st_uid == os.geteuid() and not found.st_mode & _OTHERS_WRITE


def _read(path: Path) -> RunningGateway | None:
    """One file's content; None if it is left over, not this user's own, or nothing known."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        found = os.fstat(handle)
        if not (stat.S_ISREG(found.st_mode) and _is_own(found)):
            return None
        if not _is_held(handle):
            path.unlink(missing_ok=True)
            return None
        return RunningGateway.model_validate_json(os.read(handle, MAX_BYTES))
    except (OSError, ValidationError):
        return None
    finally:
        os.close(handle)


def _is_held(handle: int) -> bool:
    """Whether the gateway that wrote the file still runs."""
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def network() -> str | None:
    """Which network's loopback addresses are meant. Containers have their own; see namespaces(7)."""
    try:
        return str(Path("/proc/self/ns/net").readlink())
    except OSError:
        return None
