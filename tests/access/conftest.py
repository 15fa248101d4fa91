"""A gateway with the OpenAI frontend, a scripted backend, and rules about who gets in."""

from pathlib import Path

import pytest
from fastapi import FastAPI

from gateway.http.app import create_app
from gateway.testing import ScriptedBackend, build
from tests.access.access_support import BuildApp


@pytest.fixture
def build_app(tmp_path: Path) -> BuildApp:
    """An application; keywords are keys of the section `access`."""

    def build_it(*plugins: object, host: str = "127.0.0.1", **section: object) -> FastAPI:
        config = {"server": {"host": host}, "plugins": {"access": section}}
        plugins = plugins or (ScriptedBackend(),)
        return create_app(build(tmp_path, *plugins, config=config, disabled=("claude_code",)))

    return build_it
