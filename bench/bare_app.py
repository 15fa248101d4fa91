"""A bare ASGI application under uvicorn, for comparison: it reads a request and sends fixed bytes.

Run by `bench.own_cost` as a program. Nothing is checked, looked up, made or encoded. The server has
the gateway's settings; the answers have about the size, and as many pieces, as the gateway's.
"""

import socket
import sys
from typing import Any, Final

import uvicorn
from starlette.types import Message, Receive, Scope, Send

PIECES: Final = 10
_CHUNK: Final = b'data: {"choices":[{"delta":{"content":"' + b"x" * 200 + b'"}}]}\n\n'
_WHOLE: Final = b'{"choices":[{"message":{"content":"' + b"x" * 600 + b'"}}]}'


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer whole or in pieces, as the request says."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if b'"stream"' in body:
        await send(_start(b"text/event-stream"))
        for _ in range(PIECES):
            await send({"type": "http.response.body", "body": _CHUNK, "more_body": True})
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})
    else:
        await send(_start(b"application/json", (b"content-length", b"%d" % len(_WHOLE))))
        await send({"type": "http.response.body", "body": _WHOLE})


def _start(media_type: bytes, *headers: tuple[bytes, bytes]) -> Message:
    every = [(b"content-type", media_type), *headers]
    return {"type": "http.response.start", "status": 200, "headers": every}


async def _lifespan(receive: Receive, send: Send) -> None:
    kind: Any = None
    while kind != "lifespan.shutdown":
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})


def main() -> None:
    """Serve on a free port until a signal."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"serving at http://127.0.0.1:{listener.getsockname()[1]}", file=sys.stderr, flush=True)
    config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False, ws="none")
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
