"""The gateway's tools as a plugin. Without `plugins.tools.offer` in the YAML it does nothing."""

from collections.abc import Callable
from fnmatch import fnmatchcase

from fastapi import APIRouter
from pydantic import BaseModel

from gateway import hookimpl
from gateway.context import RequestContext
from gateway.errors import ModelNotFound
from gateway.pipeline import Gateway
from gateway.streams import EventSource
from gateway.tools import ServedTool
from gateway.types import ChatRequest
from gateway.wording import nearest
from gateway_tools.config import SECTION, ToolsConfig
from gateway_tools.memory import Memory
from gateway_tools.offer import EXTENSION, offered, with_tools
from gateway_tools.run import Runner
from gateway_tools.serve import Service


class ToolsPlugin:
    """Offers tools, and runs the model's calls of them. One object for each gateway."""

    def __init__(self) -> None:
        self._config = ToolsConfig()
        self._service: Service | None = None
        self._tools: list[ServedTool] = []

    @hookimpl
    def gateway_register_config(self, register: Callable[[str, type[BaseModel]], None]) -> None:
        """The section `tools`."""
        register(SECTION, ToolsConfig)

    @hookimpl
    def gateway_register_routes(self, router: APIRouter, gateway: Gateway) -> None:
        """No routes; but here tools and models are known, and what is offered can be checked."""
        config = gateway.config.section(SECTION, ToolsConfig)
        self._config, self._tools = config, list(gateway.tools)
        check_offer(config, gateway)
        self._service = Service(
            config=config, runner=Runner(config), memory=Memory(config.remember)
        )

    @hookimpl(trylast=True)
    def gateway_transform_request(
        self, request: ChatRequest, ctx: RequestContext
    ) -> ChatRequest | None:
        """After all other changes: the tools, and the earlier calls that the client never saw."""
        if self._service is None or ctx.target is None:
            return None
        tools = offered(self._config.offer, self._tools, request, ctx.target)
        return with_tools(self._service.memory.restored(request), tools) if tools else None

    @hookimpl(tryfirst=True)
    def gateway_wrap_stream(
        self, stream: EventSource, request: ChatRequest, ctx: RequestContext
    ) -> EventSource | None:
        """Innermost, so that others see the answer as the client does."""
        tools = request.extensions.get(EXTENSION)
        if self._service is None or not tools:
            return None
        return self._service.serve(stream, request, ctx, tools)


def check_offer(config: ToolsConfig, gateway: Gateway) -> None:
    """Refuse to offer what there is not, or to models that there are not: `ConfigurationError`."""
    names = [tool.name for tool in gateway.tools]
    for model, patterns in config.offer.items():
        where = ("plugins", SECTION, "offer", model)
        if "*" not in model:
            try:
                gateway.resolve(model)
            except ModelNotFound as error:
                raise gateway.config.error(where, error.message) from None
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in names):
                what = f"no tool is named {pattern!r}{nearest(pattern, names)}"
                raise gateway.config.error(where, what)
