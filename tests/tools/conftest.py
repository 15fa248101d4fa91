"""Gateways with tools."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.http.app import create_app
from gateway.pipeline.gateway import CoreGateway
from gateway.testing import build


@pytest.fixture
def tool_gateway(tmp_path: Path) -> Callable[..., CoreGateway]:
    """Builds a gateway with the plugins given, and its application: `tool_gateway(backend, …)`.

    `tools` is the section; without `offer` in it, every tool is offered to every model.
    """

    def make(*plugins: object, tools: Mapping[str, Any] | None = None) -> CoreGateway:
        section = {"offer": {"*": ["*"]}, **(tools or {})}
        gateway = build(tmp_path, *plugins, config={"plugins": {"tools": section}})
        create_app(gateway)
        return gateway

    return make
