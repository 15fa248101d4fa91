"""All that a process is started with: program, arguments, environment. Equal launches are interchangeable."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gateway_claude_code.agent import Agent
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.process import command
from gateway_claude_code.process.environment import CliEnvironment
from gateway_claude_code.process.process import CliProcess

NO_STAMP: Final = (0, 0)


@dataclass(frozen=True, slots=True)
class Program:
    """The CLI's program. `stamp` changes with its file."""

    path: Path
    stamp: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Everything that determines a process before its first line. `stamp` changes with the program's file.

    With `one_request` it makes one upstream request in its life. `model` is the one it starts with.
    """

    program: Path
    stamp: tuple[int, int]
    model: str
    one_request: bool
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    folder: Path

    @property
    def identity(self) -> Program:
        """The program, as its file was at this launch."""
        return Program(self.program, self.stamp)

    @property
    def on_disk(self) -> bool:
        """Whether the program's file exists now."""
        return _stamp(self.program) != NO_STAMP

    def as_on_disk(self) -> "Launch":
        """The same with the program's present stamp; unchanged while the file is missing."""
        stamp = _stamp(self.program)
        return self if stamp in (self.stamp, NO_STAMP) else replace(self, stamp=stamp)

    async def start(self, close_seconds: float) -> CliProcess:
        """Start a process. Raises `BackendUnavailable`."""
        return await CliProcess.start(
            [str(self.program), *self.arguments], dict(self.environment), self.folder, close_seconds
        )


def launch_for(
    config: ClaudeCodeConfig,
    environment: CliEnvironment,
    model: str,
    *,
    one_request: bool = False,
    agent: Agent | None = None,
) -> Launch:
    """The launch as configuration and environment have it now. Raises `BackendUnavailable`."""
    environ, overrides = environment.environ, environment.overrides
    folder = agent.directory if agent is not None else None
    program = command.find_cli(config, environ)
    settings = command.auth_settings(config, environ)
    return Launch(
        program=program,
        stamp=_stamp(program),
        model=model,
        one_request=one_request,
        arguments=tuple(command.arguments(model, settings, one_request=one_request, agent=agent)),
        environment=tuple(sorted(command.environment(environ, config, overrides).items())),
        folder=folder or command.working_directory(config, environ),
    )


def program_of(config: ClaudeCodeConfig, environment: CliEnvironment) -> Program:
    """The program that would be started now. Raises `BackendUnavailable`."""
    return program_at(command.find_cli(config, environment.environ))


def program_at(path: Path) -> Program:
    """The program as its file is now."""
    return Program(path, _stamp(path))


def _stamp(program: Path) -> tuple[int, int]:
    try:
        status = program.stat()
    except OSError:
        return NO_STAMP
    return (status.st_mtime_ns, status.st_size)
