"""Offers the model a tool `ask_user` in every request that has tools already."""

from dataclasses import replace

from gateway import hookimpl
from gateway.context import RequestContext
from gateway.types import ChatRequest, Tool

ASK_USER = Tool(
    name="ask_user",
    description="Ask the user when something is unclear.",
    schema={"type": "object", "properties": {"question": {"type": "string"}}},
)


@hookimpl
def gateway_transform_request(request: ChatRequest, ctx: RequestContext) -> ChatRequest | None:
    if not request.tools or ASK_USER.name in [tool.name for tool in request.tools]:
        return None
    return replace(request, tools=(*request.tools, ASK_USER))
