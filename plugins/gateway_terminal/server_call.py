"""Asking a gateway that runs, over HTTP, as any client would."""

import http.client
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any, Final
from urllib.parse import quote

from gateway.client.health import NotUp, ask_health, connect, not_dragoman, why

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 600.0
_DATA: Final = b"data:"


class Rejected(Exception):
    """The gateway said no: `status`, its own words, and the error's `code` if it has one."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class ServerCall:
    """A gateway's address and the key for it."""

    def __init__(self, url: str, key: str | None) -> None:
        self.url = url
        self._key = key

    def health(self) -> dict[str, Any]:
        """`GET /health`. Raises `NotUp`, also for another server."""
        return ask_health(self.url, key=self._key, seconds=CONNECT_SECONDS)

    def model(self, name: str) -> dict[str, Any]:
        """`GET /v1/models/NAME`. Raises `NotUp`, also for another server, and `Rejected`."""
        try:
            with closing(connect(self.url, CONNECT_SECONDS)) as connection:
                connection.request("GET", f"/v1/models/{quote(name)}", headers=self._headers())
                with connection.getresponse() as response:
                    content = response.read()
            if response.status != http.HTTPStatus.OK:
                raise _rejected(response.status, content)
            body = json.loads(content)
        except (OSError, http.client.HTTPException) as error:
            raise NotUp(why(error)) from error
        except ValueError as error:
            raise not_dragoman() from error
        if not isinstance(body, dict):
            raise not_dragoman()
        return body

    def chat(self, body: Mapping[str, object]) -> Iterator[str]:
        """The pieces of an answer's text. Raises `NotUp`, `Rejected`, `ConnectionError`."""
        with closing(connect(self.url, CONNECT_SECONDS)) as connection:
            try:
                connection.connect()
            except OSError as error:
                raise NotUp(why(error)) from error
            connection.sock.settimeout(ANSWER_SECONDS)
            try:
                connection.request(
                    "POST", "/v1/chat/completions", json.dumps(body).encode(), self._headers()
                )
                with connection.getresponse() as response:
                    if response.status != http.HTTPStatus.OK:
                        raise _rejected(response.status, response.read())
                    yield from _pieces(response, streamed=bool(body.get("stream")))
            except (http.client.HTTPException, OSError) as error:
                raise ConnectionError(f"the answer was interrupted: {why(error)}") from error
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                raise ConnectionError("the response is not from a Dragoman gateway") from error

    def _headers(self) -> dict[str, str]:
        key = {} if self._key is None else {"Authorization": f"Bearer {self._key}"}
        return {"Content-Type": "application/json", **key}


def _pieces(response: http.client.HTTPResponse, *, streamed: bool) -> Iterator[str]:
    if not streamed:
        answer = json.loads(response.read())
        yield answer["choices"][0]["message"]["content"] or ""
        return
    done = False
    for line in response:
        if not line.startswith(_DATA):
            continue
        data = line.removeprefix(_DATA).strip()
        if data == b"[DONE]":
            done = True
            continue
        event = json.loads(data)
        if "error" in event:
            raise Rejected(response.status, str(event["error"].get("message")))
        for choice in event.get("choices", ()):
            if text := choice.get("delta", {}).get("content"):
                yield text
    if not done:
        raise http.client.HTTPException("the gateway disconnected")


def _rejected(status: int, body: bytes) -> Rejected:
    try:
        error = json.loads(body)["error"]
        return Rejected(status, str(error["message"]), error.get("code"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Rejected(status, body[:200].decode(errors="replace") or "no reason was given")
