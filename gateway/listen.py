"""Taking the address before anything else starts, so that a taken port is found out first."""

import errno
import ipaddress
import socket

from gateway.errors import ConfigurationError
from gateway.port_owner import taken_by

BACKLOG = 2048
PRIVILEGED = 1024


def listen(host: str, port: int, *, loopback_only: bool = False) -> list[socket.socket]:
    """Sockets that listen on every address of `host`; port 0 means any free one.

    Raises `ConfigurationError` if one of them can't be had, or may not be had.
    """
    sockets: list[socket.socket] = []
    try:
        addresses = _addresses(host, port)
        if loopback_only:
            _refuse_others(host, addresses)
        for family, address in addresses:
            taken = sockets[0].getsockname()[1] if sockets else port
            sockets.append(socket.create_server((address, taken), family=family, backlog=BACKLOG))
    except OSError as error:
        for listener in sockets:
            listener.close()
        raise ConfigurationError(
            f"can't listen on {host}, port {port}: {_reason(error, host, port)}"
        ) from None
    return sockets


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach an IP address. Names are none, nor is "any address"."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    # Only newer versions of Python see through ::ffff:127.0.0.1 themselves.
    return (getattr(parsed, "ipv4_mapped", None) or parsed).is_loopback


def _addresses(host: str, port: int) -> list[tuple[int, str]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((int(family), str(address[0])) for family, *_, address in found))


def _refuse_others(host: str, addresses: list[tuple[int, str]]) -> None:
    for _, address in addresses:
        if not is_loopback(address):
            named = host if host == address else f"{host} ({address})"
            raise ConfigurationError(
                f"{named} can be reached by others, and no key is asked for: make one with "
                "`dragoman keys new NAME`, or listen on 127.0.0.1, or set server.insecure: true "
                "to let everybody in"
            )


def _reason(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"{taken_by(host, port)}; choose another with --port or server.port"
    if error.errno == errno.EACCES and port < PRIVILEGED:
        return f"ports below {PRIVILEGED} are for root; choose another with --port or server.port"
    return error.strerror or str(error)
