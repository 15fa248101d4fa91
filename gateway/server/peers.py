"""Whether a client that sends nothing more still waits for an answer.

To end its side (`shutdown(SHUT_WR)`) and to close altogether look the same on the wire: both are
a FIN. For a client on this machine the system knows which, as a closed socket belongs to no file
any more. Linux is asked by netlink (sock_diag(7), `inet_diag_req_v2`), for exactly one socket and
without any privilege.
"""

import os
import socket
import struct
import sys
from typing import Final, TypeAlias

Address: TypeAlias = tuple[str, int | None]
"""As uvicorn has it: an IP address and a port; a path and None for a Unix socket."""

_NETLINK_SOCK_DIAG: Final = 4
_SOCK_DIAG_BY_FAMILY: Final = 20
_NLM_F_REQUEST: Final = 1
_NLMSG_ERROR: Final = 2
_ENOENT: Final = -2
_ALL_STATES: Final = 0xFFFFFFFF
_NO_COOKIE: Final = b"\xff" * 8

_HEADER: Final = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_REQUEST: Final = struct.Struct("=BBBxI")  # family, protocol, extensions, states
_PORTS: Final = struct.Struct("!HH")
_ANSWER: Final = struct.Struct("=4B48sIIIII")  # inet_diag_msg; the inode is its last field


def still_waits(own: Address | None, client: Address | None) -> bool | None:
    """Whether the client of a connection still has its socket open; None if nobody here knows.

    `own` is this side of the connection, `client` the other.
    """
    if sys.platform != "linux" or own is None or client is None or own[0] != client[0]:
        return None  # with another address it is on another machine, or may be
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
            kernel.settimeout(0.1)
            kernel.send(_question(client, own))
            return _is_open(kernel.recv(4096))
    except (OSError, struct.error):
        return None


def _question(source: Address, destination: Address) -> bytes:
    family = socket.AF_INET6 if ":" in source[0] else socket.AF_INET
    packed = [
        socket.inet_pton(family, address).ljust(16, b"\0") for address, _ in (source, destination)
    ]
    body = b"".join(
        (
            _REQUEST.pack(family, socket.IPPROTO_TCP, 0, _ALL_STATES),
            _PORTS.pack(source[1], destination[1]),
            *packed,
            struct.pack("=I", 0),
            _NO_COOKIE,
        )
    )
    length = _HEADER.size + len(body)
    return _HEADER.pack(length, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 1, os.getpid()) + body


def _is_open(answer: bytes) -> bool | None:
    _, kind, *_ = _HEADER.unpack_from(answer)
    if kind == _NLMSG_ERROR:
        (error,) = struct.unpack_from("=i", answer, _HEADER.size)
        return False if error == _ENOENT else None
    *_, inode = _ANSWER.unpack_from(answer, _HEADER.size)
    return bool(inode)
