"""Is a gateway there, and how is it? One client for the commands that ask `GET /health`."""

import http.client
import json
import socket
from collections.abc import Mapping
from contextlib import closing
from http import HTTPStatus
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from gateway.config.settings import ServerConfig
from gateway.machine.addresses import reached_at, url_of

MAX_BYTES: Final = 1_000_000
ASK_SECONDS: Final = 0.5
"""For the question whether a gateway has the port, while another one waits to start."""

Path: TypeAlias = Literal["/health", "/healthz"]


class NotUp(ConnectionError):
    """Nothing answers at an address, or something else than Dragoman; the reason for people."""


def url_for(server: ServerConfig) -> str:
    """The origin at which this machine reaches a gateway with this configuration."""
    return url_of(reached_at(server.host), server.port)


def ask_health(
    url: str, *, seconds: float, key: str | None = None, path: Path = "/health"
) -> dict[str, Any]:
    """The report of the gateway at an origin (`http://127.0.0.1:3456`). Raises `NotUp`.

    Its `status` is there in any case; the rest only with `path` "/health" and, once keys are
    required, with a key. `seconds` is for each step: to connect, and for each piece of the answer.
    """
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    try:
        with closing(connect(url, seconds)) as connection:
            connection.request("GET", path, headers=headers)
            with connection.getresponse() as response:
                health = json.loads(response.read(MAX_BYTES))
    except (OSError, http.client.HTTPException) as error:
        raise NotUp(why(error)) from error
    except ValueError as error:
        raise not_dragoman() from error
    if response.status != HTTPStatus.OK:
        raise not_dragoman(response.status)
    if not isinstance(health, dict) or not isinstance(health.get("status"), str):
        raise not_dragoman()
    return health


def version_in(health: Mapping[str, Any]) -> str | None:
    """The version in a whole report; None in one without details, and in another program's."""
    return str(health["version"])[:40] if {"version", "offline"} <= health.keys() else None


def dragoman_at(url: str) -> str | None:
    """The version of the gateway at an origin; None without a gateway, or if it requires a key."""
    try:
        return version_in(ask_health(url, seconds=ASK_SECONDS))
    except NotUp:
        return None


def connect(url: str, seconds: float) -> http.client.HTTPConnection:
    """A connection to an origin, which is made with the first request. Use it with `closing`."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=seconds)


def not_dragoman(status: int | None = None) -> NotUp:
    """The error about another program, which answered with this HTTP status."""
    how = f" ({status})" if status is not None else ""
    return NotUp(f"something answers there{how}, but it is not Dragoman")


def why(error: Exception) -> str:
    """A failed connection, in words."""
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return "unknown host"
    return str(error) or type(error).__name__
