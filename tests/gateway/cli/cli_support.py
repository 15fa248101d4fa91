"""The command line in this process, and a socket that only looks like one."""

from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner, Result

from gateway.cli import main as cli

Write = Callable[..., Path]

MODELS = "models: {m: {backend: b}}\n"


def run(*arguments: object) -> Result:
    # A group of its own: plugins add their commands to it.
    group = cli.Commands("dragoman", commands={"serve": cli.serve})
    group.params = cli.cli.params
    return CliRunner().invoke(group, [str(argument) for argument in arguments])


class Listener:
    """Stands for a socket that listens."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.host, port = address
        self.port = port or 5555
        self.closed = False

    def getsockname(self) -> tuple[str, int]:
        return self.host, self.port

    def close(self) -> None:
        self.closed = True
