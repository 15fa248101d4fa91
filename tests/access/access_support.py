"""What the tests of access share: an application with a section `access`, keys, a clock."""

from collections.abc import Callable
from typing import Any, TypeAlias

import httpx
from fastapi import FastAPI

from gateway_access.config import KeyEntry
from gateway_access.keys.keyring import hash_key

BuildApp: TypeAlias = Callable[..., FastAPI]

KEY = "dgm-a-key-of-the-tests"
OTHER = "dgm-another-key-of-the-tests"
BODY: dict[str, Any] = {"model": "test-model", "messages": [{"role": "user", "content": "Hi"}]}


def entry(name: str = "laptop", key: str = KEY, **limits: Any) -> KeyEntry:
    return KeyEntry(name=name, hash=hash_key(key.encode()), **limits)


def stored(name: str = "laptop", key: str = KEY, **limits: Any) -> dict[str, Any]:
    """An entry as it stands in the YAML."""
    return entry(name, key, **limits).model_dump(mode="json", exclude_defaults=True)


def bearer(key: str = KEY) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def client(app: FastAPI, host: str = "localhost") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=f"http://{host}")


async def ask(
    app: FastAPI, headers: dict[str, str] | None = None, **fields: object
) -> httpx.Response:
    """Post one chat completion."""
    async with client(app) as http:
        return await http.post("/v1/chat/completions", json={**BODY, **fields}, headers=headers)
