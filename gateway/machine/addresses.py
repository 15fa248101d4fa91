"""Addresses as a client writes them, and what is loopback by name."""

import ipaddress
import socket
from typing import Final

LOCALHOST: Final = "localhost"
LOOPBACK: Final = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
"""The addresses of that name, in the order in which they are shown."""

_ANY: Final = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104 - to ask there


def is_localhost(host: str) -> bool:
    """Whether it is the name for loopback that no hosts file or resolver decides on."""
    return host.lower().removesuffix(".") == LOCALHOST


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach an IP address. Names are none, nor is "any address"."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    # Only newer versions of Python see through ::ffff:127.0.0.1 themselves.
    return (getattr(parsed, "ipv4_mapped", None) or parsed).is_loopback


def is_any_address(host: str) -> bool:
    """Whether it stands for all of this machine's addresses."""
    return host in _ANY


def reached_at(host: str) -> str:
    """The address at which this machine reaches what listens on `host`.

    That of `localhost` is an IP address, which leads to the gateway and no other program however
    a client resolves the name.
    """
    return LOOPBACK[0][1] if is_localhost(host) else _ANY.get(host, host)


def url_of(host: str, port: int) -> str:
    """The origin, as in `http://127.0.0.1:3456`."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
