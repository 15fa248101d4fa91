"""Which `Host` a request may name. Pure.

A web page can have its own name point to 127.0.0.1 after it was loaded (DNS rebinding); then the
browser takes the gateway for the page's own server. What such a request can't hide is the name.
"""

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from gateway.errors import Misdirected
from gateway.listen import is_loopback

LOCALHOST: Final = "localhost"
_MAX_SHOWN: Final = 100
_AUTHORITY: Final = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[0-9A-Za-z._-]+))(?::[0-9]{1,5})?"
)


def host_of(authority: str) -> str | None:
    """The host of `host`, `host:port` or `[address]:port`, in its usual spelling.

    None for anything else, such as with a user's name before an `@`.
    """
    if (found := _AUTHORITY.fullmatch(authority)) is None:
        return None
    if found["v6"] is not None:
        return _address(found["v6"])
    return usual(found["name"])


def usual(host: str) -> str:
    """A name or an address as it is usually spelt."""
    return _address(host) or host.lower().removesuffix(".")


def _address(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


class HostRules:
    """The hosts that a gateway goes by: loopback, the one it listens on, and those listed.

    Where it listens on more than loopback, that is any address as well: to be reached by an
    address, a page has to come from there itself.
    """

    def __init__(self, listened: str, listed: Iterable[str]) -> None:
        own = usual(listened)
        names = [*listed]
        self._any = "*" in names
        self._names = {own, LOCALHOST, *(host_of(name) for name in names)}
        self._any_address = not (own == LOCALHOST or is_loopback(own))
        self._allows = lru_cache(maxsize=256)(self._look)

    def check(self, header: bytes) -> None:
        """Raises `Misdirected`, unless the header names one of them. The port is not looked at."""
        if not self._allows(header):
            if not header:
                raise Misdirected("The request has to say which host it is for, and only once.")
            named = header.decode("latin-1")[:_MAX_SHOWN]
            raise Misdirected(
                f"This gateway does not go by the name {named!r}. If it should, add the name to "
                "plugins.access.hosts in its configuration."
            )

    def _look(self, header: bytes) -> bool:
        if (host := host_of(header.decode("latin-1"))) is None:
            return False
        if self._any or host in self._names or is_loopback(host):
            return True
        return self._any_address and _address(host) is not None
