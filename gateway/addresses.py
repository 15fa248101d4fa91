"""Addresses as a client writes them."""

from typing import Final

_ANY: Final = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104 - to ask there


def reached_at(host: str) -> str:
    """The host at which this machine reaches what listens on `host`, "any address" included."""
    return _ANY.get(host, host)


def url_of(host: str, port: int) -> str:
    """The origin, as in `http://127.0.0.1:3456`."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
