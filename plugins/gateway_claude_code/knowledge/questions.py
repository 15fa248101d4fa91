"""Asking a CLI about itself, in a process that answers no request."""

from collections.abc import Mapping
from typing import Any, Final

import anyio

from gateway.errors import BackendFailed
from gateway_claude_code import protocol
from gateway_claude_code.process.process import CliProcess
from gateway_claude_code.protocol import Line

ANSWER_SECONDS: Final = 20.0
_ID: Final = "question"


async def asked(process: CliProcess, question: Mapping[str, Any], *before: Line) -> object:
    """The CLI's answer to a control request, after the lines `before` it.

    None if it says nothing in time, or has ended. Raises `BackendFailed` if it knows no answer.
    """
    await process.send(*before, protocol.control_request(_ID, question))
    with anyio.move_on_after(ANSWER_SECONDS):
        while (line := await process.receive()) is not None:
            response = line.get("response")
            if not isinstance(response, Mapping) or response.get("request_id") != _ID:
                continue
            if response.get("subtype") == "error":
                raise BackendFailed(f"The Claude Code CLI gave no answer: {response.get('error')}")
            return response.get("response")
    return None
