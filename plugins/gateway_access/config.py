"""The plugin's section of the YAML, `plugins: {access: {…}}`, and the form of the keys file."""

import re
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, field_validator

from gateway.yaml_file.trust import NeedsTrust
from gateway_access.hosts import host_of

SECTION: Final = "access"
ANY: Final = "*"
NULL: Final = "null"
"""The origin of pages from files and in sandboxed frames, and so of anybody's: as good as `*`."""

_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@\s]*")


def is_origin(text: str) -> bool:
    """Whether it has the form of a page's origin: a scheme, a host and perhaps a port, in ASCII.

    Browsers write hosts in ASCII (WHATWG URL, "origin", its serialization).
    """
    return text.isascii() and text.isprintable() and _ORIGIN.fullmatch(text) is not None


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class KeyEntry(_Strict):
    """A key as it is stored: its name, the hash of it, and what it may do.

    `models` are names or patterns with `*`; empty means all. None means no limit.
    """

    # Names get into logs and headers, so they are of characters that mean nothing there.
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    hash: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    models: tuple[str, ...] = ()
    requests_per_minute: int | None = Field(default=None, gt=0)
    tokens_per_minute: int | None = Field(default=None, gt=0)
    concurrent: int | None = Field(default=None, gt=0)


class KeysFile(_Strict):
    """The file that `dragoman keys` writes."""

    keys: tuple[KeyEntry, ...] = ()


class AccessConfig(_Strict):
    """The section `access`.

    `keys_file` is the file that `dragoman keys` works on; naming it makes keys required.
    `hosts` are names that the gateway is reached by, besides loopback and `server.host`.
    `origins` are those of web pages that may use it. `*` in either needs keys.
    """

    keys: Annotated[tuple[KeyEntry, ...], NeedsTrust("gives the owners of these keys access")] = ()
    keys_file: Annotated[Path | None, NeedsTrust("gives the owners of its keys access")] = None
    hosts: Annotated[tuple[str, ...], NeedsTrust("gives access by other host names")] = ()
    origins: Annotated[tuple[str, ...], NeedsTrust("gives web pages access")] = ()

    @field_validator("hosts")
    @classmethod
    def _are_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if host != ANY and host_of(host) is None:
                raise ValueError(f"{host!r} is not a host name; expected the form 'example.org'")
        return hosts

    @field_validator("origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if origin not in {ANY, NULL} and not is_origin(origin):
                raise ValueError(
                    f"{origin!r} is not an origin; expected the form 'https://example.org': lower "
                    "case, no path, no trailing slash"
                )
        return origins

    @property
    def open_to_all(self) -> tuple[str, ...]:
        """The settings that let every page in, which only keys make safe."""
        found = {
            "hosts": ANY in self.hosts,
            "origins": bool({ANY, NULL} & set(self.origins)),
        }
        return tuple(name for name, wide in found.items() if wide)
