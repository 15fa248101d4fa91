"""Headers of an answer that say how the request was met."""

import logging

from gateway.context import RequestContext
from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.request.prepare import Prepared
from gateway_claude_code.request.terms import Terms
from gateway_claude_code.request.tools.strict_tools import unmet_strict
from gateway_claude_code.response.events import EventReader

log = logging.getLogger("gateway_claude_code")


def note_transcript(conversation: Conversation, ctx: RequestContext) -> None:
    """Say in a header if the process did not get the earlier turns as turns."""
    if conversation.state.transcribed:
        ctx.headers["x-dragoman-history"] = "transcript"


def note_messages(reader: EventReader, ctx: RequestContext) -> None:
    """Say in a header if the CLI asked the model more than once; the usage counts it all."""
    if reader.messages > 1:
        ctx.headers["x-dragoman-upstream-requests"] = str(reader.messages)


def note_terms(prepared: Prepared, terms: Terms, ctx: RequestContext) -> None:
    """Say in headers what of the request is left out, and what is other than asked for."""
    ctx.ignore((*terms.ignored, *unmet_strict(prepared.request.tools)))
    ctx.adjust(terms.adjusted)


def note_left_out(conversation: Conversation, ctx: RequestContext) -> None:
    """Say in a header which of the gateway's own tools the model does not have."""
    if conversation.bridge is not None and (names := conversation.bridge.left_out):
        ctx.adjust({f"tools.{name}": "left_out" for name in names})
        said = ", ".join(names)
        log.warning("%s: the CLI does not accept the schemas of the tools %s", ctx.request_id, said)
