"""Which web pages a request may come from. Pure.

A page of any site can send requests to 127.0.0.1. It may not read the answers, but they would
have cost something. Browsers say where such a request comes from; programs say nothing.
"""

from collections.abc import Iterable
from typing import Final

from gateway.errors import NotAllowed
from gateway_access.config import ANY, NULL

_MAX_SHOWN: Final = 100


class OriginRules:
    """The origins that are listed; one's own is always allowed."""

    def __init__(self, listed: Iterable[str]) -> None:
        self._listed = frozenset(listed)

    def check(self, origin: str | None, site: str | None, own: str) -> None:
        """Raises `NotAllowed`, unless the request comes from a program or an allowed page.

        `origin` and `site` are the headers `Origin` and `Sec-Fetch-Site`; `own` is the origin
        that a page of the gateway itself would have.
        """
        if origin is None:
            if site == "cross-site" and ANY not in self._listed:
                raise NotAllowed(
                    "A page of another site asked for this, without saying which. Pages that may "
                    "are listed by their origin in plugins.access.origins."
                )
            return
        if origin == own or origin in self._listed or ANY in self._listed:
            return
        if origin == NULL:
            raise NotAllowed(
                "Pages from files and in sandboxed frames may not use this gateway, as they could "
                "be anybody's. With keys, 'null' in plugins.access.origins lets them in."
            )
        raise NotAllowed(
            f"Pages of {origin[:_MAX_SHOWN]!r} may not use this gateway. If they should, add "
            "exactly this to plugins.access.origins in its configuration."
        )
