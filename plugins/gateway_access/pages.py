"""Middleware against web pages: under which name, and from which page, a request may come."""

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import GatewayError
from gateway_access.hosts import HostRules
from gateway_access.origins import OriginRules
from gateway_access.refusal import Refuse


class PageGate:
    """Lets through what comes under a name of the gateway's, from a program or an allowed page."""

    def __init__(
        self, app: ASGIApp, hosts: HostRules, origins: OriginRules, refuse: Refuse
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._origins = origins
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            try:
                self._check(scope)
            except GatewayError as error:
                await self._refuse(error, scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        host: bytes | None = None
        origin = site = None
        for name, value in scope["headers"]:
            if name == b"host":
                # of two names, one would be checked and the other might be believed
                host = value if host is None else b""
            elif name == b"origin":
                origin = value.decode("latin-1")
            elif name == b"sec-fetch-site":
                site = value.decode("latin-1")
        self._hosts.check(host or b"")
        if origin is not None or site is not None:
            scheme = {"ws": "http", "wss": "https"}.get(scope["scheme"], scope["scheme"])
            self._origins.check(origin, site, f"{scheme}://{(host or b'').decode('latin-1')}")
