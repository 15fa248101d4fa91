"""Publishing where this gateway runs, for the commands that ask it; see `running`."""

import fcntl
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from gateway import __version__
from gateway.client import running_gateways
from gateway.client.running_gateways import RunningGateway, network
from gateway.pipeline.gateway import CoreGateway

log = logging.getLogger("gateway.running")


@contextmanager
def published(gateway: CoreGateway) -> Iterator[None]:
    """While this is open, the gateway can be found. Whatever goes wrong with it only gets logged."""
    try:
        held = _publish(_description_of(gateway))
    except OSError as error:
        log.warning("other commands won't find this gateway automatically: %s", error)
        held = None
    try:
        yield
    finally:
        if held is not None:
            _withdraw(*held)


def _description_of(gateway: CoreGateway) -> RunningGateway:
    config = gateway.config
    return RunningGateway(
        pid=os.getpid(),
        urls=gateway.urls,
        wants_key=gateway.requires_keys,
        config=config.path and config.path.absolute(),
        trusted=config.trusted,
        version=__version__,
        started_at=datetime.now(UTC),
        network=network(),
    )


def _publish(description: RunningGateway) -> tuple[Path, int] | None:
    """Write the file and lock it. It has its name only once it is whole, and locked."""
    place = running_gateways.folder()
    if place is None:
        log.debug("no home folder, so other commands won't find this gateway")
        return None
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.chmod(0o700)
    path = place / f"{description.pid}-{secrets.token_hex(4)}.json"
    unfinished = path.with_suffix(".new")
    handle = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(handle, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(handle, description.model_dump_json(indent=1).encode())
        unfinished.rename(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        os.close(handle)
        raise
    return path, handle


def _withdraw(path: Path, handle: int) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:  # such as a home that has become read-only
        log.debug("%s can't be removed: %s", path, error)
    os.close(handle)
