"""`gateway.testing.serving`: what an author of a plugin has to go by."""

import builtins
import unittest
from pathlib import Path
from typing import Any

import pytest

from gateway import testing
from gateway.errors import ConfigurationError
from gateway.testing import ScriptedBackend, serving, text_answer
from tests.gateway.core_support import entry_point, install, module


class InUnittest(unittest.IsolatedAsyncioTestCase):
    """It works there as well."""

    async def test_ask(self) -> None:
        async with serving(backend=ScriptedBackend(text_answer("Good", " day"))) as served:
            self.assertEqual(await served.say("Hi"), "Good day")  # noqa: PT009
            health = await served.http.get("/healthz")
        self.assertEqual(health.json(), {"status": "ok"})  # noqa: PT009


async def test_only_the_chosen_installed_plugins_take_part(monkeypatch: pytest.MonkeyPatch) -> None:
    install(
        monkeypatch,
        entry_point("one", "another", module("one")),
        entry_point("broken", "another", KeyError("never loaded")),
    )
    async with serving(installed=("one",)) as served:
        assert served.gateway.plugins.names == ("health", "one", "test_plugin_0")


async def test_an_installed_plugin_that_is_not_there_is_named() -> None:
    with pytest.raises(LookupError, match="unknown plugin 'nowhere'"):
        async with serving(installed=("nowhere",)):
            pass


async def test_a_file_that_cannot_be_imported_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("raise KeyError('x')", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"bad\.py can't be imported"):
        async with serving(tmp_path / "bad.py"):
            pass


async def test_without_httpx_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *others: Any, **more: Any) -> Any:
        if name == "httpx":
            raise ImportError(name)
        return real(name, *others, **more)

    async with serving() as served:
        assert await served.say() == "Hello there"
        monkeypatch.setattr(builtins, "__import__", without)
        with pytest.raises(ModuleNotFoundError, match="pip install httpx"):
            _ = served.http


def test_what_is_exported_is_there() -> None:
    assert all(hasattr(testing, name) for name in testing.__all__)
