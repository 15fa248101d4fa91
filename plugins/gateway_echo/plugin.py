"""A backend without a model: it repeats the request. To try clients, and to measure the gateway."""

from typing import Final

from pydantic import ValidationError

from gateway import hookimpl
from gateway.config.settings import Config
from gateway.context import RequestContext
from gateway.models.model_map import ModelMap
from gateway.streams import EventSource
from gateway.types import ChatRequest, Target
from gateway_echo.answer import EchoOptions, echo, last_text

BACKEND: Final = "echo"


@hookimpl
def gateway_check_models(models: ModelMap, config: Config) -> None:
    """The options of the models that are answered here."""
    for name, entry in models.entries.items():
        if entry.backend != BACKEND:
            continue
        try:
            EchoOptions.model_validate(entry.options)
        except ValidationError as error:
            raise config.explain(error, ("models", name, "options"), EchoOptions) from None


@hookimpl
def gateway_open_stream(
    request: ChatRequest, target: Target, ctx: RequestContext
) -> EventSource | None:
    """The user's last text."""
    if target.backend != BACKEND:
        return None
    if request.web_search is not None and request.web_search.place is not None:
        ctx.ignore((request.web_search.place,))
    options = EchoOptions.model_validate(target.options)
    return echo(target.name, last_text(request.messages), options)
