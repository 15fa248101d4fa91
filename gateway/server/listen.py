"""Taking the address before anything else starts, so that a taken port is found out first."""

import errno
import logging
import socket
from typing import Final

from gateway.errors import ConfigurationError
from gateway.machine.addresses import LOCALHOST, LOOPBACK, is_localhost, is_loopback
from gateway.machine.command_name import command_line, serve_command
from gateway.server.port_owner import dragoman_running, taken_by

log = logging.getLogger("gateway")

BACKLOG = 2048
SECOND_PORT: Final = 4000
"""What is proposed for a second gateway."""
PRIVILEGED = 1024
PORT_TRIES: Final = 20
"""For one that is free on every address, where any port will do."""
_NO_SUCH_FAMILY: Final = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT}
"""What a machine without IPv6 says: no `::1` on its loopback interface, or no IPv6 in the kernel."""

Address = tuple[int, str]


class _NotHad(Exception):
    """An address could not be taken: which one, and why."""

    def __init__(self, address: str, error: OSError) -> None:
        super().__init__(address, error)
        self.address = address
        self.error = error


def listen(host: str, port: int, *, loopback_only: bool = False) -> list[socket.socket]:
    """Sockets that listen on every address of `host`, at one port; port 0 means any free one.

    `localhost` is 127.0.0.1 and ::1, whatever the machine's hosts file says of it: RFC 6761, 6.3
    reserves the name for loopback, and clients resolve it to either. Where the machine has no
    IPv6, it is 127.0.0.1 alone. Raises `ConfigurationError` if an address is not available, or if
    `loopback_only` forbids it.
    """
    try:
        addresses = _addresses(host, port)
    except OSError as error:
        raise _unavailable(host, host, port, error) from None
    if loopback_only:
        _refuse_others(host, addresses)
    for left in reversed(range(PORT_TRIES if port == 0 else 1)):
        try:
            return _take(addresses, port)
        except _NotHad as failed:
            if failed.error.errno != errno.EADDRINUSE or not left:
                raise _unavailable(host, failed.address, port, failed.error) from None
    raise AssertionError("the last try returns or raises")


def _addresses(host: str, port: int) -> list[Address]:
    if is_localhost(host):
        return [(int(family), address) for family, address in LOOPBACK]
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((int(family), str(address[0])) for family, *_, address in found))


def _take(addresses: list[Address], port: int) -> list[socket.socket]:
    """All of them or none. Raises `_NotHad`."""
    sockets: list[socket.socket] = []
    for family, address in addresses:
        taken = sockets[0].getsockname()[1] if sockets else port
        try:
            sockets.append(socket.create_server((address, taken), family=family, backlog=BACKLOG))
        except OSError as error:
            if sockets and _has_no_ipv6(addresses, address, error):
                log.debug("no IPv6, so not listening on %s: %s", address, error.strerror)
                continue
            for listener in sockets:
                listener.close()
            raise _NotHad(address, error) from None
    return sockets


def _has_no_ipv6(addresses: list[Address], address: str, error: OSError) -> bool:
    """Whether it is the second half of `localhost`, on a machine that has only the first."""
    both = [address for _, address in LOOPBACK]
    is_second = [each for _, each in addresses] == both and address == both[1]
    return is_second and error.errno in _NO_SUCH_FAMILY


def _refuse_others(host: str, addresses: list[Address]) -> None:
    for _, address in addresses:
        if not is_loopback(address):
            named = host if host == address else f"{host} ({address})"
            raise ConfigurationError(
                f"{named} is reachable from other machines, and there are no keys: create one with "
                f"`{command_line('keys', 'new', 'NAME')}`, or listen on {LOCALHOST}, or set "
                "server.insecure: true to allow everyone"
            )


def _unavailable(host: str, address: str, port: int, error: OSError) -> ConfigurationError:
    if error.errno == errno.EADDRINUSE and (running := dragoman_running(address, port)) is not None:
        another = serve_command("--port", str(SECOND_PORT + (port == SECOND_PORT)))
        return ConfigurationError(f"{running}. For a second one: {another}")
    where = address if address == host or is_localhost(host) else f"{host} ({address})"
    return ConfigurationError(f"can't listen on {where}, port {port}: {_reason(error, port)}")


def _reason(error: OSError, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{taken_by(port)}; choose another with --port or server.port"
    if error.errno == errno.EACCES and port < PRIVILEGED:
        return (
            f"only root may use ports below {PRIVILEGED}; choose another with --port or server.port"
        )
    return error.strerror or str(error)
