"""The dialogue around a live run: the CLI and its login, the user's consent, the result."""

import os
import platform
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import anyio
import click

from gateway import __version__
from gateway.errors import BackendUnavailable
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.doctor.live.probes import MODELS, MOST_REQUESTS
from gateway_claude_code.doctor.live.report import LiveReport, own_address, provider
from gateway_claude_code.doctor.live.run import LiveRun, try_facts
from gateway_claude_code.doctor.setup_checks import section
from gateway_claude_code.login.status import CliStatus, cli_status
from gateway_claude_code.login.words import not_logged_in
from gateway_claude_code.process.command import environment
from gateway_claude_code.process.environment import CliEnvironment

WHAT_IT_COSTS: Final = (
    f"This sends requests to the real API, with your own CLI and login: at most {MOST_REQUESTS} "
    "tiny requests "
    f"to {', '.join(MODELS[:-1])} and {MODELS[-1]}. About 4 of them are answered, each with some "
    "700 tokens of input, and aborted as the answer begins; the others are rejected. The CLI "
    "itself repeats a rejected request up to three times; none of that costs anything. A "
    "subscription counts them towards its limits like a few short questions; with an "
    "API key it is about 2 US cents, and about 10 if all of them are answered."
)
NO_TERMINAL: Final = (
    "--live sends requests to the real API, which costs a little: add --yes, or run it in a "
    "terminal"
)


class Refused(Exception):
    """A live run is impossible or not permitted, for the reason in one line."""


def live_report(config_file: Path | None, *, yes: bool) -> LiveReport:
    """Ask the user, then the API. Raises `Refused` and `ConfigurationError`."""
    config = section(config_file)
    status = anyio.run(_usable, config, os.environ)
    if not yes:
        _ask_user()
    cli_environment = CliEnvironment.of_user()
    environ = environment(cli_environment.environ, config, cli_environment.overrides)
    remember = not own_address(environ)
    run = anyio.run(
        partial(try_facts, config, cli_environment, status.version, _tell, remember=remember)
    )
    if run.stopped is not None:
        _tell(f"stopped: {run.detail}")
    return _report(run, status, provider(environ))


async def _usable(config: ClaudeCodeConfig, environ: Mapping[str, str]) -> CliStatus:
    try:
        status = await cli_status(config, environ)
    except BackendUnavailable as error:
        raise Refused(error.message) from None
    if status.version is None:
        raise Refused(f"the Claude Code CLI {status.path} does not report its version")
    if not status.logged_in:
        raise Refused(not_logged_in(status))
    return status


def _ask_user() -> None:
    if not at_a_terminal():
        raise Refused(NO_TERMINAL)
    click.echo(click.wrap_text(WHAT_IT_COSTS, 88), err=True)
    if not click.confirm("Continue?", err=True):
        raise Refused("cancelled")


def at_a_terminal() -> bool:
    """Whether a person can answer."""
    return sys.stdin.isatty()


def _tell(words: str) -> None:
    click.echo(f"dragoman: {words}", err=True)


def _report(run: LiveRun, status: CliStatus, served_by: str) -> LiveReport:
    return LiveReport(
        dragoman=__version__,
        cli=status.version,
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        provider=served_by,
        login=status.method,
        date=datetime.now(UTC).date().isoformat(),
        run=run,
    )
