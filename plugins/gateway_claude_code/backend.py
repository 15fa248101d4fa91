"""Answering a request with the CLI: a process, the conversation as turns, the answer as events."""

import logging
import os
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gateway.context import RequestContext
from gateway.errors import InvalidRequest, ModelNotFound
from gateway.json_schema import InvalidSchema
from gateway.types import (
    ChatRequest,
    ResponseStart,
    StreamEvent,
    Target,
    Tool,
    ToolCall,
    ToolChoice,
)
from gateway_claude_code import command
from gateway_claude_code.answer_schema import AnswerSchema
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.conversation import Conversation
from gateway_claude_code.events import EventReader
from gateway_claude_code.history import turns
from gateway_claude_code.json_answer import json_answer
from gateway_claude_code.limits import adjustments
from gateway_claude_code.mcp_bridge import McpBridge
from gateway_claude_code.parameters import flag_settings, may_answer_by_schema
from gateway_claude_code.process import CliProcess
from gateway_claude_code.sampling import SamplingSupport
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
        self._sampling = SamplingSupport()

    async def answer(
        self, request: ChatRequest, target: Target, ctx: RequestContext
    ) -> AsyncGenerator[StreamEvent]:
        """The events of one answer. Raises `GatewayError`s only.

        A model that turns out to refuse a sampling parameter is asked once more without it.
        """
        asked = with_offered_tools(request)
        while True:
            request = self._sampling.supported(asked, target, ctx)
            started = False
            try:
                async with aclosing(self._answer_once(request, target, ctx)) as events:
                    async for event in events:
                        if isinstance(event, ResponseStart):
                            started = True
                            note_adjustments(request, event.model, ctx)
                        yield event
                return
            except InvalidRequest as error:
                if started or not self._sampling.learn(request, target, error):
                    raise

    async def _answer_once(
        self, request: ChatRequest, target: Target, ctx: RequestContext
    ) -> AsyncGenerator[StreamEvent]:
        names = ToolNames(tool.name for tool in request.tools)
        history = turns(request.messages, names)
        schema = answer_schema(request)
        if request.response_format.kind == "json_object":
            request = replace(request, system=f"{request.system}\n\n{JSON_ONLY}".strip())
        plain = not request.tools and schema is None
        process = await self._start(model_name(target), one_request=plain)
        conversation = Conversation(
            process, McpBridge(request.tools, names), self._config.start_seconds
        )
        reader = EventReader(names, json_answer(request.response_format, schema))
        try:
            await conversation.set_up(
                request.system,
                flag_settings(request, names),
                tools=bool(request.tools),
                json_schema=schema.for_cli if schema is not None else None,
            )
            await conversation.add_history(history[:-1])
            events = conversation.ask(history[-1], reader)
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


def answer_schema(request: ChatRequest) -> AnswerSchema | None:
    """The schema of the answer, if it may have to be of one. Raises `InvalidRequest`."""
    schema = request.response_format.schema
    if schema is None or not may_answer_by_schema(request):
        return None
    try:
        return AnswerSchema.of(schema)
    except InvalidSchema as error:
        raise InvalidRequest(
            f"The schema of the answer is not valid: {error}.", param="response_format"
        ) from None


def note_adjustments(request: ChatRequest, model: str | None, ctx: RequestContext) -> None:
    """Say in a header which parameters were lowered to what the model takes."""
    if lowered := adjustments(request.sampling, model):
        said = ",".join(f"{name}={value:g}" for name, value in lowered.items())
        ctx.headers["x-dragoman-adjusted"] = said


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
