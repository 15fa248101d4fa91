"""Middleware that asks for a key, and holds its owner to the key's limits."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import NotAuthenticated, RateLimited
from gateway.load.traffic import MONITORS
from gateway.machine.command_name import command_line
from gateway.request_state import RequestState
from gateway_access.config import KeyEntry
from gateway_access.keys.keyring import Keyring
from gateway_access.keys.known_keys import KnownKeys
from gateway_access.limits.allowed_models import may_use
from gateway_access.limits.key_limits import KeyLimits, Limits
from gateway_access.rejection import Reject

HEALTH: Final = "/health"
HEALTHZ: Final = "/healthz"
"""Monitors rarely have a key. They get the overall state, and no details."""

CHALLENGE: Final = {"www-authenticate": "Bearer"}
_BEARER: Final = b"bearer"


class KeyMiddleware:
    """Lets in requests with a valid key, once there are keys; fills `RequestState` for them."""

    def __init__(self, app: ASGIApp, keys: KnownKeys, limits: Limits, reject: Reject) -> None:
        self._app = app
        self._keys = keys
        self._limits = limits
        self._reject = reject

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        keyring = self._keys.current()
        if not self._keys.required:
            await self._app(scope, receive, send)
            return
        try:
            entry = authenticate(keyring, scope)
        except NotAuthenticated as error:
            if scope["path"] in MONITORS:
                await self._app(scope, receive, send)
            elif scope["path"] == HEALTH:
                await self._app({**scope, "path": HEALTHZ}, receive, send)
            else:
                await self._reject(error, scope, receive, send, CHALLENGE)
            return
        state = RequestState.of(scope)
        state.client_key = entry.name
        if entry.models:
            state.may_use_model = partial(may_use, entry.models)
        limits = self._limits.of(entry)
        # Every wire format generates by POST; lists of models cost nothing.
        if limits is None or scope.get("method") != "POST":
            await self._app(scope, receive, send)
        else:
            state.admit_answers = limits.admit
            await self._limited(limits, scope, receive, send)

    async def _limited(self, limits: KeyLimits, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_limits(message: Message) -> None:
            if message["type"] == "http.response.start":
                # appended as they are: nothing else sets these, and a search costs more
                message["headers"] = [*message["headers"], *_raw(limits.headers())]
            await send(message)

        try:
            limits.enter()
        except RateLimited as error:
            await self._reject(error, scope, receive, send, limits.headers())
            return
        try:
            await self._app(scope, receive, send_with_limits)
        finally:
            limits.leave()


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]


def authenticate(keyring: Keyring, scope: Scope) -> KeyEntry:
    """The key of a request, in `Authorization: Bearer` or `x-api-key`.

    A key in the URL does not count: URLs are logged. Raises `NotAuthenticated`.
    """
    presented = False
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, key = value.partition(b" ")
            if scheme.lower() != _BEARER:
                continue
        elif name == b"x-api-key":
            key = value
        else:
            continue
        presented = True
        if (entry := keyring.find(key.strip())) is not None:
            return entry
    what = "Unknown API key." if presented else "This gateway requires an API key."
    raise NotAuthenticated(
        f"{what} Send one as 'Authorization: Bearer KEY' or 'x-api-key: KEY'; "
        f"create one with `{command_line('keys', 'new', 'NAME', anywhere=True)}`.",
        code="invalid_api_key",
    )
