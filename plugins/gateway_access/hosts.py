"""Which `Host` a request may name. Pure.

A web page can have its own name point to 127.0.0.1 after it was loaded (DNS rebinding); then the
browser takes the gateway for the page's own server. Such a request can't hide the name.

The names that containers use for their host (`CONTAINER_HOSTS`) open nothing to that attack. It
needs a page that was loaded from the very name which is rebound, so the attacker has to answer for
it in DNS, and nobody can register a name below `.internal`: ICANN's board reserved it for private
use, never to be delegated (resolution of 29 July 2024). What remains is whoever already controls
the resolver of this machine or its local network, and only such a name over plain HTTP; a page
that is loaded from one has it as its origin, and is then treated as the gateway's own. Such an
attacker could as well answer for the names in `plugins.access.hosts`. Keys keep them out.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from gateway.errors import Misdirected
from gateway.machine.addresses import is_loopback
from gateway_access.rejected_pages import MAX_NAME, shown, yaml_line

LOCALHOST: Final = "localhost"
CONTAINER_HOSTS: Final = (
    "host.docker.internal",  # docs.docker.com/desktop/features/networking; on Linux by --add-host
    "gateway.docker.internal",  # the same page of Docker Desktop
    "host.containers.internal",  # podman-run(1), --add-host: in each container's /etc/hosts
)
"""The names by which programs in containers reach the machine that runs them."""
_LOOPBACK_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    LOCALHOST: (LOCALHOST, "127.0.0.1", "::1"),
    "127.0.0.1": (LOCALHOST, "127.0.0.1"),
    "::1": (LOCALHOST, "::1"),
    "0.0.0.0": (LOCALHOST, "127.0.0.1"),  # noqa: S104 - nothing is bound here
    "::": (LOCALHOST, "127.0.0.1", "::1"),
}
"""The names by which a gateway is reached from its own machine, by what it listens on."""
_AUTHORITY: Final = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[0-9A-Za-z._-]+))(?::[0-9]{0,5})?"
)
"""RFC 3986, 3.2: `host [ ":" port ]`, and 3.2.3: the port may be empty after its colon."""


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


def listable_host(authority: str) -> str | None:
    """The host of a rejected header, as the YAML can name it; None if it can't."""
    host = host_of(authority)
    return host if host is not None and len(host) <= MAX_NAME else None


def _address(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None


def port_of(authority: str) -> str:
    """Its port with the colon before it; empty for none."""
    _, colon, port = authority.rpartition(":")
    return f":{port}" if colon and port.isdecimal() else ""


class HostRules:
    """The host names of a gateway: loopback, containers' names for this machine, the one it
    listens on, and those listed.

    Where it listens on more than loopback, that is any address as well: to be reached by an
    address, a page has to come from there itself.
    """

    def __init__(self, listened: str, listed: Iterable[str]) -> None:
        own = usual(listened)
        names = tuple(listed)
        self._any = "*" in names
        self._loopback = _LOOPBACK_NAMES.get(own, ())
        self._names = {own, LOCALHOST, *CONTAINER_HOSTS, *(host_of(name) for name in names)}
        self._any_address = not (own == LOCALHOST or is_loopback(own))
        self._allows = lru_cache(maxsize=256)(self._look)

    def names_of(self, authority: str) -> tuple[str, ...]:
        """An authority, and the same with each other name by which this machine reaches it.

        Only for loopback addresses that are listened on; at another, another program may answer.
        """
        host = host_of(authority)
        if host not in self._loopback:
            return (authority,)
        port = port_of(authority)
        others = (f"[{name}]{port}" if ":" in name else f"{name}{port}" for name in self._loopback)
        return (authority, *others)

    def check(self, header: bytes) -> None:
        """Raises `Misdirected`, unless the header names one of them. The port is ignored."""
        if not self._allows(header):
            if not header:
                raise Misdirected("The request must have exactly one Host header.")
            named = header.decode("latin-1")
            says = f"{shown(named)!r} is not a known host name of this gateway"
            if (host := listable_host(named)) is None:
                raise Misdirected(f"{says}; see plugins.access.hosts.")
            raise Misdirected(
                f"{says}. To allow it, add to the configuration file: {yaml_line('host', (), host)}"
            )

    def _look(self, header: bytes) -> bool:
        if (host := host_of(header.decode("latin-1"))) is None:
            return False
        if self._any or host in self._names or is_loopback(host):
            return True
        return self._any_address and _address(host) is not None
