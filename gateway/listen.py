"""Taking the address before anything else starts, so that a taken port is found out first."""

import errno
import socket

from gateway.errors import ConfigurationError

BACKLOG = 2048


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen on every address of `host`; port 0 means any free one.

    Raises `ConfigurationError` if one of them can't be had.
    """
    sockets: list[socket.socket] = []
    try:
        for family, address in _addresses(host, port):
            taken = sockets[0].getsockname()[1] if sockets else port
            sockets.append(socket.create_server((address, taken), family=family, backlog=BACKLOG))
    except OSError as error:
        for listener in sockets:
            listener.close()
        raise ConfigurationError(f"can't listen on {host}, port {port}: {_reason(error)}") from None
    return sockets


def url_of(listener: socket.socket) -> str:
    """Where a browser on this machine finds what listens there."""
    host, port, *_ = listener.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _addresses(host: str, port: int) -> list[tuple[int, str]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((int(family), str(address[0])) for family, *_, address in found))


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another program has it; choose another with --port or server.port"
    return error.strerror or str(error)
