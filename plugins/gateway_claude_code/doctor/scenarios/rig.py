"""The environment of one scenario: an upstream, an empty home, and the backend's own code."""

import secrets
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.to_thread

from gateway.context import RequestContext
from gateway.errors import GatewayError
from gateway.streams import AnswerBuilder
from gateway.types import ChatRequest, ChatResponse, Message, Role, Target, Text
from gateway_claude_code.backend import ClaudeCodeBackend
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.conversations.conversation import Conversation
from gateway_claude_code.process.environment import CliEnvironment
from gateway_claude_code.process.launch import launch_for
from gateway_claude_code.process.process import CliProcess
from gateway_claude_code.request.prepare import Prepared, prepare
from gateway_claude_code.upstream import MessagesRequest, Script, Upstream, text_answer

MODEL: Final = "sonnet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cli:
    """The examined CLI. `seconds` is the limit for its start."""

    path: Path
    version: str | None
    seconds: float = 12


@dataclass(slots=True, kw_only=True)
class Rig:
    """The rig of one scenario; it notes the observations by behaviour.

    The environment is built from nothing, without anything of the user's: no login, no settings,
    no variables of the YAML. `folder` holds the home and all temporary files.
    """

    cli: Cli
    folder: Path
    upstream: Upstream
    notes: dict[str, tuple[bool, str]] = field(default_factory=dict)

    @property
    def requests(self) -> list[MessagesRequest]:
        """The upstream's requests so far."""
        return self.upstream.requests

    def note(self, name: str, holds: bool, seen: str) -> None:  # noqa: FBT001 - it is the observation
        """Note an observation of a behaviour; of several notes the first that differs counts."""
        if self.notes.get(name, (True, ""))[0]:
            self.notes[name] = (holds, seen)

    def holds(self, name: str, seen: str) -> None:
        """Note that a behaviour is as expected."""
        self.note(name, True, seen)  # noqa: FBT003

    def differs(self, name: str, seen: str) -> None:
        """Note that a behaviour is not as expected."""
        self.note(name, False, seen)  # noqa: FBT003

    async def files_with(self, text: str) -> set[str]:
        """The files that have this text, within `folder`."""
        return await anyio.to_thread.run_sync(_files_with, self.folder, text)

    async def answer(
        self, request: ChatRequest, *, script: Script | None = None, model: str = MODEL
    ) -> ChatResponse:
        """Ask as the gateway does, with a process of its own. Raises `GatewayError`."""
        if script is not None:
            self.upstream.script = script
        backend = ClaudeCodeBackend(self._config, self._cli_environment)
        builder, failure = AnswerBuilder(), None
        async with backend.running():
            try:
                async for event in backend.answer(request, replace(TARGET, name=model), _context()):
                    builder.add(event)
            except GatewayError as error:
                failure = error
        if failure is not None:
            raise failure
        return builder.build()

    @asynccontextmanager
    async def process(self, model: str = MODEL) -> AsyncGenerator[tuple[CliProcess, Conversation]]:
        """A process, started as the backend starts one, and closed at the end."""
        launch = launch_for(self._config, self._cli_environment, model)
        process = await launch.start(self._config.close_seconds)
        conversation = Conversation(process, self.cli.seconds)
        try:
            yield process, conversation
        finally:
            await conversation.close()

    @property
    def _config(self) -> ClaudeCodeConfig:
        return ClaudeCodeConfig(
            command=self.cli.path,
            start_seconds=self.cli.seconds,
            upstream_retries=1,
            max_processes=1,
            max_spares=0,
            max_live=0,
            check_cli=False,
        )

    @property
    def _cli_environment(self) -> CliEnvironment:
        nothing = CliEnvironment.offline(self.upstream.url, self.folder / "home")
        return replace(
            nothing, environ={**nothing.environ, "TMPDIR": str(self.folder / "temporary")}
        )


@asynccontextmanager
async def rig(cli: Cli) -> AsyncGenerator[Rig]:
    """A rig of its own, in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="dragoman-", ignore_cleanup_errors=True) as name:
        folder = await anyio.Path(name).resolve()
        for inner in ("home", "temporary"):
            await (folder / inner).mkdir()
        async with Upstream(lambda _: text_answer("Done.")) as upstream:
            yield Rig(cli=cli, folder=Path(folder), upstream=upstream)


def _files_with(folder: Path, text: str) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if _has(path, text)}


def _has(path: Path, text: str) -> bool:
    try:
        return path.is_file() and text.encode() in path.read_bytes()
    except OSError:  # a running process removes some
        return False


TARGET: Final = Target(model=MODEL, backend="claude-code", name=MODEL, sampling=True)


def _context() -> RequestContext:
    return RequestContext(request_id="doctor")


def message(role: Role, *texts: str) -> Message:
    """A message of these texts."""
    return Message(role=role, parts=tuple(Text(text=text) for text in texts))


def asking(*messages: Message, **fields: Any) -> ChatRequest:  # noqa: ANN401
    """A request with these messages."""
    return ChatRequest(model=MODEL, messages=messages, **fields)


def prepared(request: ChatRequest, model: str = MODEL) -> Prepared:
    """A request as the backend prepares it."""
    return prepare(request, replace(TARGET, name=model))


def marker() -> str:
    """A unique word."""
    return f"marker-{secrets.token_hex(8)}"


def user_texts(request: MessagesRequest) -> list[str]:
    """The user's texts, without the CLI's own additions."""
    return [
        str(block.get("text", ""))
        for turn in plain_turns(request)
        if turn["role"] == "user"
        for block in turn["content"]
        if block.get("type") == "text"
    ]


def plain_turns(request: MessagesRequest) -> list[dict[str, Any]]:
    """The turns, without the CLI's marks for caching and its notes."""
    return [{"role": turn["role"], "content": _plain(turn)} for turn in request.turns]


def _plain(turn: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = turn.get("content")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
    return [
        {key: value for key, value in block.items() if key != "cache_control"}
        for block in blocks
        if not str(block.get("text", "")).startswith("<system-reminder>")
    ]
