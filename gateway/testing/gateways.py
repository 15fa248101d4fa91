"""Gateways to order: with chosen plugins, and running."""

import importlib.metadata
import tempfile
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from gateway.context import RequestContext
from gateway.hooks.checks import import_file
from gateway.hooks.registry import ENTRY_POINT_GROUP
from gateway.http.app import create_app
from gateway.pipeline.gateway import CoreGateway
from gateway.startup.build import build_gateway
from gateway.streams import collect
from gateway.testing.backends import SCRIPTED, ScriptedBackend
from gateway.testing.events import TEST_MODEL
from gateway.testing.events import request as request_for
from gateway.types import ChatRequest, ChatResponse, Text

if TYPE_CHECKING:
    import httpx
    from fastapi import FastAPI


def build(
    folder: Path,
    *plugins: object,
    config: Mapping[str, object] | None = None,
    disabled: Iterable[str] = (),
) -> CoreGateway:
    """A gateway with these plugins besides the installed ones; a path is a single-file plugin.

    `folder` takes its `models.yaml` (and may hold `plugins/`). Unless `config` names its own
    models, there is `test-model`, answered by the backend "scripted".
    """
    values = {"models": {TEST_MODEL: {"backend": SCRIPTED, "target": "s1"}}, **(config or {})}
    path = folder / "models.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    named = [
        (Path(plugin).stem, import_file(Path(plugin)))
        if isinstance(plugin, str | Path)
        else (f"test_plugin_{number}", plugin)
        for number, plugin in enumerate(plugins)
    ]
    return build_gateway(path, plugins=named, disabled=tuple(disabled))


@dataclass(frozen=True)
class Served:
    """A gateway that runs. `backend` is the scripted one, to see what it was asked."""

    gateway: CoreGateway
    app: "FastAPI"
    backend: ScriptedBackend

    async def ask(
        self, request: ChatRequest | str = "Hi", ctx: RequestContext | None = None
    ) -> ChatResponse:
        """The whole answer to a request, or to a text. Raises `GatewayError`."""
        if isinstance(request, str):
            request = request_for(request)
        context = ctx or RequestContext(request_id="req_test")
        return await collect(await self.gateway.open(request, context))

    async def say(self, text: str = "Hi") -> str:
        """The text that is answered to a text."""
        answer = await self.ask(text)
        return "".join(part.text for part in answer.parts if isinstance(part, Text))

    @cached_property
    def http(self) -> "httpx.AsyncClient":
        """An HTTP client of the application, without a network. Needs httpx."""
        try:
            import httpx  # noqa: PLC0415 - for tests only, and not needed by all of them
        except ImportError as error:
            what = "the HTTP client of gateway.testing needs httpx: pip install httpx"
            raise ModuleNotFoundError(what) from error
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://localhost")


@asynccontextmanager
async def serving(
    *plugins: object,
    backend: ScriptedBackend | None = None,
    installed: Collection[str] = (),
    config: Mapping[str, object] | None = None,
) -> AsyncGenerator[Served]:
    """Run a gateway with these plugins (objects, modules, paths of files) and a scripted backend.

    Of the installed plugins only those named take part: `installed=("echo",)`. `config` is the
    YAML as a mapping. Raises `ConfigurationError` where the gateway would not start.
    """
    points = importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)
    names: dict[str, Any] = {point.name: point for point in points}
    if missing := sorted(set(installed) - set(names)):
        raise LookupError(f"unknown plugin {missing[0]!r}; installed: {sorted(names)}")
    scripted = backend or ScriptedBackend()
    with tempfile.TemporaryDirectory() as folder:
        gateway = build(
            Path(folder), *plugins, scripted, config=config, disabled=set(names) - set(installed)
        )
    served = Served(gateway, create_app(gateway), scripted)
    async with served.app.router.lifespan_context(served.app):
        try:
            yield served
        finally:
            if "http" in vars(served):
                await served.http.aclose()
