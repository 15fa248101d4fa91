"""A key that is revoked while answers to it are on their way: they end at once, wherever they are."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import anyio
import pytest

from gateway import hookimpl
from gateway.http.app import create_app
from gateway.testing import build, text_answer
from gateway.types import Client, StreamEvent
from gateway_access.config import KeyEntry
from gateway_access.keys.keys_file import change_keys
from tests.access.access_support import BODY, KEY, OTHER, bearer, client, entry


class Stuck:
    """A backend that begins, says something, and then nothing more."""

    def __init__(self) -> None:
        self.asked = anyio.Event()
        self.closed = 0
        self.forgotten: list[str] = []

    @hookimpl
    def gateway_caller_left(self, caller: str) -> None:
        self.forgotten.append(caller)

    @hookimpl
    def gateway_open_stream(self) -> AsyncGenerator[StreamEvent]:
        return self._answer()

    async def _answer(self) -> AsyncGenerator[StreamEvent]:
        try:
            for event in text_answer("Hello")[:3]:
                yield event
            self.asked.set()
            await anyio.sleep_forever()
        finally:
            self.closed += 1


@pytest.mark.parametrize("fields", [{}, {"stream": True}, {"n": 3}], ids=str)
@pytest.mark.parametrize(
    "instead",
    [(), (entry(key=OTHER),), (entry("another", OTHER),)],
    ids=["no key", "the name for another key", "another key"],
)
async def test_its_answers_end_with_an_error(
    fields: dict[str, Any], instead: tuple[KeyEntry, ...], tmp_path: Path
) -> None:
    path = tmp_path / "keys.json"
    change_keys(path, lambda _: [entry(concurrent=1)])
    config = {"plugins": {"access": {"keys_file": str(path)}}}
    backend = Stuck()
    app = create_app(build(tmp_path, backend, config=config, disabled=("claude_code",)))
    said: list[Any] = []

    async def ask_for_one() -> None:
        async with client(app) as http:
            body = {**BODY, **fields}
            said.append(await http.post("/v1/chat/completions", json=body, headers=bearer(KEY)))

    with anyio.fail_after(30):
        async with app.router.lifespan_context(app), anyio.create_task_group() as tasks:
            tasks.start_soon(ask_for_one)
            await backend.asked.wait()
            change_keys(path, lambda _: instead)
    [response] = said
    text = response.text
    error = json.loads(text[text.index('{"error"') :].split("\n")[0])["error"]
    assert error["code"] == "invalid_api_key"
    assert "revoked" in error["message"]
    assert response.status_code == (200 if fields.get("stream") else 401)
    assert "[DONE]" not in text
    assert backend.closed == 1


async def test_what_is_kept_for_its_caller_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    change_keys(path, lambda _: [entry()])
    config = {"plugins": {"access": {"keys_file": str(path)}}}
    backend = Stuck()
    app = create_app(build(tmp_path, backend, config=config, disabled=("claude_code",)))
    with anyio.fail_after(30):
        async with app.router.lifespan_context(app):
            await anyio.wait_all_tasks_blocked()
            change_keys(path, lambda _: [entry(key=OTHER)])
            while not backend.forgotten:  # noqa: ASYNC110 - the watch of the keys tells nobody
                await anyio.sleep(0.05)
    assert backend.forgotten == [Client(key=entry().name).caller]
