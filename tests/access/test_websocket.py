"""WebSockets, which a plugin may serve, pass the same gates."""

from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from gateway.request_state import RequestState
from gateway.testing import build
from tests.access.access_support import KEY, stored

OPENED = {"type": "websocket.accept"}
REFUSED = {"type": "websocket.close", "code": 1008}


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        ({"host": "localhost:1", "x-api-key": KEY}, OPENED),
        ({"host": "localhost:1", "x-api-key": KEY, "origin": "http://localhost:1"}, OPENED),
        ({"host": "localhost:1", "x-api-key": KEY, "origin": "https://evil.example"}, REFUSED),
        ({"host": "evil.example", "x-api-key": KEY}, REFUSED),
        ({"host": "localhost:1"}, REFUSED),
    ],
)
async def test_a_websocket_is_opened_for_who_may(
    tmp_path: Any, headers: dict[str, str], sent: object
) -> None:
    config = {"plugins": {"access": {"keys": [stored()]}}}
    gateway = build(tmp_path, config=config, disabled=("claude_code",))
    gateway.plugins.hooks.ready(gateway)
    [wrap, *_] = gateway.plugins.hooks.asgi_wrappers(gateway)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert RequestState.of(scope).client_key == "laptop"
        await send(OPENED)

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "websocket", "scheme": "ws", "path": "/", "headers": raw}
    messages: list[object] = []

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    async def send(message: Any) -> None:
        messages.append(message)

    await wrap(app)(scope, receive, send)
    assert messages == [sent]
