"""An answer without a server: by a gateway inside this process, for as long as it takes."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Final

import anyio

from gateway.context import RequestContext
from gateway.http.app import create_app
from gateway.pipeline.gateway import CoreGateway
from gateway.startup.build import build_gateway
from gateway.task_groups import raising_plainly
from gateway.types import ChatRequest, Message, PartDelta, PartStart, Text

NOT_TO_SERVE: Final[dict[str, dict[str, object]]] = {
    "claude_code": {"check_cli": False, "max_spares": 0, "min_spares": 0}
}
"""One answer needs no process started ahead, and no check of the CLI."""


def answer_here(
    question: str,
    *,
    model: str,
    system: str | None,
    config_file: Path | None,
    offline: bool,
    write: Callable[[str], None],
) -> None:
    """Pass the pieces of the answer to `write`. Raises `GatewayError`, `ConfigurationError`."""
    gateway = build_gateway(config_file, offline=offline, overrides=NOT_TO_SERVE)
    request = ChatRequest(
        model=model,
        system=system or "",
        messages=(Message(role="user", parts=(Text(text=question),)),),
    )
    with raising_plainly():
        anyio.run(_answer, gateway, request, write)


async def _answer(gateway: CoreGateway, request: ChatRequest, write: Callable[[str], None]) -> None:
    async with _running(gateway):
        stream = await gateway.open(request, RequestContext(request_id="chat"))
        kinds: dict[int, type] = {}
        async with aclosing(stream):
            async for event in stream:
                if isinstance(event, PartStart):
                    kinds[event.index] = type(event.part)
                elif isinstance(event, PartDelta) and kinds.get(event.index) is Text:
                    write(event.text)


@asynccontextmanager
async def _running(gateway: CoreGateway) -> AsyncGenerator[None]:
    app = create_app(gateway)
    async with app.router.lifespan_context(app):
        yield
