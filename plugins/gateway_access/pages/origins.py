"""Which web pages a request may come from. Pure.

A page of any site can send requests to 127.0.0.1. It may not read the answers, but they would
have cost something. Browsers say where such a request comes from; programs say nothing.
"""

from collections.abc import Collection, Iterable
from typing import Final

from gateway.errors import NotAllowed
from gateway_access.config import ANY, NULL, is_origin
from gateway_access.rejected_pages import MAX_NAME, shown, yaml_line

_WITHOUT_KEYS: Final = (
    "Pages from files and in sandboxed frames may not use this gateway, as anyone can write them. "
    "If keys are required, 'null' in plugins.access.origins allows them."
)


class OriginRules:
    """The origins that are listed; one's own is always allowed."""

    def __init__(self, listed: Iterable[str]) -> None:
        self._listed = frozenset(listed)

    def check(self, origin: str | None, site: str | None, own: Collection[str]) -> None:
        """Raises `NotAllowed`, unless the request comes from a program or an allowed page.

        The rejected page reads the message, so it does not mention the origins that are listed.
        `origin` and `site` are the headers `Origin` and `Sec-Fetch-Site`; `own` are the
        origins that a page of the gateway itself may have.
        """
        if origin is None:
            if site == "cross-site" and ANY not in self._listed:
                raise NotAllowed(
                    "Cross-site request without an Origin header. The allowed origins are in "
                    "plugins.access.origins."
                )
            return
        if origin in own or origin in self._listed or ANY in self._listed:
            return
        if origin == NULL:
            raise NotAllowed(_WITHOUT_KEYS)
        if not can_be_listed(origin):
            raise NotAllowed(
                f"Pages of {shown(origin)!r} may not use this gateway; the allowed origins are in "
                "plugins.access.origins."
            )
        raise NotAllowed(
            f"Pages of {origin!r} may not use this gateway. To allow them, add the origin to the "
            f"configuration file: {yaml_line('origin', (), origin)}"
        )


def can_be_listed(origin: str) -> bool:
    """Whether the YAML can name it without keys: an origin of reasonable length."""
    return len(origin) <= MAX_NAME and is_origin(origin)
