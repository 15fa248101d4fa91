"""Answering a request with the CLI: a process, the conversation as turns, the answer as events."""

import logging
import os
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gateway.context import RequestContext
from gateway.errors import ModelNotFound
from gateway.types import ChatRequest, StreamEvent, Target, Tool, ToolCall, ToolChoice
from gateway_claude_code import command
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.conversation import Conversation
from gateway_claude_code.events import EventReader
from gateway_claude_code.history import turns
from gateway_claude_code.mcp_bridge import McpBridge
from gateway_claude_code.parameters import flag_settings
from gateway_claude_code.process import CliProcess
from gateway_claude_code.tool_names import ToolNames

log = logging.getLogger("gateway_claude_code")

JSON_ONLY: Final = (
    "Answer with one JSON object and nothing else: no prose before or after it, no code fence."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the CLI runs in: the environment that it is built from, and what overrides it."""

    environ: Mapping[str, str]
    overrides: Mapping[str, str]

    @classmethod
    def of_user(cls) -> "Surroundings":
        """The gateway's own environment, with the user's login and settings."""
        return cls(environ=dict(os.environ), overrides={})

    @classmethod
    def offline(cls, url: str, home: Path) -> "Surroundings":
        """Nothing of the user's: an empty home, a made-up key and the stand-in's address."""
        environ = {"HOME": str(home), "PATH": os.environ.get("PATH", os.defpath)}
        if named := os.environ.get(command.COMMAND_VARIABLE):
            environ[command.COMMAND_VARIABLE] = named
        overrides = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "offline"}
        return cls(environ=environ, overrides=overrides)


class ClaudeCodeBackend:
    """Starts a process for each request, and closes it after the answer."""

    def __init__(self, config: ClaudeCodeConfig, surroundings: Surroundings) -> None:
        self._config = config
        self._surroundings = surroundings

    async def answer(
        self, request: ChatRequest, target: Target, ctx: RequestContext
    ) -> AsyncGenerator[StreamEvent]:
        """The events of one answer. Raises `GatewayError`s only."""
        if not target.sampling:
            request = without_sampling(request, ctx)
        request = with_offered_tools(request)
        names = ToolNames(tool.name for tool in request.tools)
        history = turns(request.messages, names)
        if request.response_format.kind == "json_object":
            request = replace(request, system=f"{request.system}\n\n{JSON_ONLY}".strip())
        plain = not request.tools and request.response_format.schema is None
        process = await self._start(model_name(target), one_request=plain)
        conversation = Conversation(
            process, McpBridge(request.tools, names), self._config.start_seconds
        )
        try:
            await conversation.set_up(
                request.system,
                flag_settings(request, names),
                tools=bool(request.tools),
                json_schema=request.response_format.schema,
            )
            await conversation.add_history(history[:-1])
            events = conversation.ask(history[-1], EventReader(names))
            async for event in events:
                yield event
        finally:
            await conversation.close()
            if process.last_stderr:
                log.debug("%s: the CLI said: %s", ctx.request_id, process.last_stderr)

    async def _start(self, model: str, *, one_request: bool) -> CliProcess:
        config, environ = self._config, self._surroundings.environ
        program = command.find_cli(config, environ)
        settings = command.auth_settings(config, environ)
        return await CliProcess.start(
            [str(program), *command.arguments(model, settings, one_request=one_request)],
            command.environment(environ, config, self._surroundings.overrides),
            command.working_directory(config, environ),
            config.close_seconds,
        )


def model_name(target: Target) -> str:
    """The model's name, if it can be one on a command line. Raises `ModelNotFound`."""
    if not re.fullmatch(r"[\w.:/@\[\]-]{1,256}", target.name, re.ASCII) or target.name[0] == "-":
        raise ModelNotFound("The model does not exist: no model has such a name.", param="model")
    return target.name


def without_sampling(request: ChatRequest, ctx: RequestContext) -> ChatRequest:
    """The request for a model that refuses these parameters; `ctx` notes that they have no effect."""
    fields = ("temperature", "top_p", "top_k")
    ctx.ignore(name for name in fields if getattr(request.sampling, name) is not None)
    sampling = replace(request.sampling, temperature=None, top_p=None, top_k=None)
    return replace(request, sampling=sampling)


def with_offered_tools(request: ChatRequest) -> ChatRequest:
    """The request with just the tools that the model is to see.

    A choice of several names leaves only those. A history with calls of tools that are no longer
    offered keeps their names known to the API, but lets the model call none of them.
    """
    choice = request.tool_choice
    if request.tools and choice.names and (choice.mode == "auto" or len(choice.names) > 1):
        kept = tuple(tool for tool in request.tools if tool.name in choice.names)
        return replace(request, tools=kept)
    if not request.tools and (called := _called_names(request)):
        return replace(
            request,
            tools=tuple(Tool(name=name, description="(no longer offered)") for name in called),
            tool_choice=ToolChoice(mode="none"),
        )
    return request


def _called_names(request: ChatRequest) -> Sequence[str]:
    return sorted(
        {
            part.name
            for message in request.messages
            for part in message.parts
            if isinstance(part, ToolCall)
        }
    )
