"""Middleware that checks the host name of a request, and the web page that sends it."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import Misdirected, NotAllowed
from gateway_access.config import ANY, AccessConfig
from gateway_access.hosts import HostRules, listable_host
from gateway_access.pages.cors import (
    answer_to_rejected_preflight,
    headers_to_read_rejection,
    is_preflight,
    opened_to,
)
from gateway_access.pages.origins import OriginRules, can_be_listed
from gateway_access.rejected_pages import Kind, RejectedPage, RejectedPages
from gateway_access.rejection import Reject


class PageRules:
    """The names and origins that are allowed now, and those that were rejected."""

    def __init__(self, listened: str, config: AccessConfig) -> None:
        self._listened = listened
        self.rejected = RejectedPages()
        self.use(config)

    def use(self, config: AccessConfig) -> None:
        """From the next request on, these hold."""
        self.config = config
        self.hosts = HostRules(self._listened, config.hosts)
        self.origins = OriginRules(config.origins)
        self.rejected.forget(self._lets_in)

    def listed(self, kind: Kind) -> tuple[str, ...]:
        """Those of this kind in the YAML."""
        return self.config.hosts if kind == "host" else self.config.origins

    def _lets_in(self, page: RejectedPage) -> bool:
        return bool({page.name, ANY} & set(self.listed(page.kind)))


class PageMiddleware:
    """Lets requests in that name the gateway correctly and are from a program or an allowed page.

    A rejected page can read the rejection and nothing else; if the name is rejected, nothing.
    """

    def __init__(self, app: ASGIApp, rules: PageRules, reject: Reject) -> None:
        self._inner = app
        self._rules = rules
        self._reject = reject
        self._opened: tuple[tuple[str, ...], ASGIApp] = ((), app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._inner(scope, receive, send)
            return
        try:
            origin = self._check(scope)
        except Misdirected as error:
            await self._reject(error, scope, receive, send)
        except NotAllowed as error:
            await self._reject_page(error, scope, receive, send)
        else:
            await self._app(origin)(scope, receive, send)

    def _app(self, origin: str | None) -> ASGIApp:
        """The application with the headers for listed pages, and for `origin`."""
        if origin is not None:
            return opened_to(self._inner, (*self._rules.config.origins, origin))
        origins, app = self._opened
        if origins != self._rules.config.origins:
            origins = self._rules.config.origins
            app = opened_to(self._inner, origins)
            self._opened = (origins, app)
        return app

    async def _reject_page(
        self, error: NotAllowed, scope: Scope, receive: Receive, send: Send
    ) -> None:
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if (
            is_preflight(scope, headers)
            and (answer := answer_to_rejected_preflight(origin, headers)) is not None
        ):
            await answer(scope, receive, send)
            return
        if origin is not None:
            self._rules.rejected.add("origin", origin, listable=can_be_listed(origin))
        await self._reject(error, scope, receive, send, headers_to_read_rejection(origin))

    def _check(self, scope: Scope) -> str | None:
        """Returns the origin of a page of the gateway's own that was loaded by another name.

        To its browser that is a page of somewhere else, which needs headers to read the answer.
        Raises `Misdirected` or `NotAllowed`.
        """
        host: bytes | None = None
        origin: str | None = None
        site: str | None = None
        for name, value in scope["headers"]:
            if name == b"host":
                # of two names, one would be checked and the other might be believed
                host = value if host is None else b""
            elif name == b"origin":
                if origin is not None:  # browsers send one (RFC 6454, 7.3)
                    raise NotAllowed("The request must have at most one Origin header.")
                origin = value.decode("latin-1")
            elif name == b"sec-fetch-site":
                site = value.decode("latin-1")
        self._check_host(host or b"")
        if origin is None and site is None:
            return None
        own, *others = self._own_origins(scope, host or b"")
        self._rules.origins.check(origin, site, (own, *others))
        return origin if origin != own and origin in others else None

    def _own_origins(self, scope: Scope, host: bytes) -> tuple[str, ...]:
        """The origins that a page of the gateway itself may have, under each of its names."""
        scheme = {"ws": "http", "wss": "https"}.get(scope["scheme"], scope["scheme"])
        return tuple(
            f"{scheme}://{name}" for name in self._rules.hosts.names_of(host.decode("latin-1"))
        )

    def _check_host(self, header: bytes) -> None:
        try:
            self._rules.hosts.check(header)
        except Misdirected:
            named = header.decode("latin-1")
            host = listable_host(named)
            if named:
                self._rules.rejected.add("host", host or named, listable=host is not None)
            raise
