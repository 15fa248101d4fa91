"""`dragoman login`: Claude Code's own login, with the CLI that is really used."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

import anyio
import click

from gateway.cli.options import config_option
from gateway.errors import GatewayError
from gateway.machine.command_name import command_line
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.doctor.setup_checks import section
from gateway_claude_code.login.status import CliStatus, cli_status
from gateway_claude_code.login.words import cloud_words, login_words, needs_no_login, not_logged_in
from gateway_claude_code.process import command
from gateway_claude_code.process.environment import in_container, without_browser

EXIT_NO_LOGIN: Final = 1
EXIT_NO_CLI: Final = 2
EXIT_NO_TERMINAL: Final = 2

EXAMPLES = """\b
Examples:
  dragoman login
  dragoman login --status
  dragoman login -- --console

\b
Exit codes of --status:
  0  logged in
  1  not logged in
  2  no CLI was found
"""

OWN_LOGIN: Final = """This is Claude Code's own login: {path}
Dragoman neither sees nor stores it."""
CONTAINER: Final = """In a container, a login lasts as long as the container's home. To do without
one, run `claude setup-token` on a machine with a browser, and give the container
CLAUDE_CODE_OAUTH_TOKEN; or give it ANTHROPIC_API_KEY."""
NO_BROWSER: Final = "Open the URL in a browser on any machine, and paste the code back here."


@click.command("login", epilog=EXAMPLES)
@click.option("--status", "ask", is_flag=True, help="Show whether you are logged in, and how.")
@config_option
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def login(ask: bool, config_file: Path | None, arguments: tuple[str, ...]) -> None:  # noqa: FBT001
    """Log in to Claude with the Claude Code CLI that Dragoman uses.

    This is Claude Code's own login (`claude auth login`): Dragoman starts it, and neither sees nor
    stores it. ARGUMENTS after `--` are passed to it, such as --console, --sso or --email. A running
    gateway picks it up automatically. Log out with the CLI: it is your own login everywhere.
    """
    if ask and arguments:
        raise click.UsageError("--status takes no arguments")
    config = section(config_file)
    environ = dict(os.environ)
    status = _status(config, environ)
    seen = command.environment(environ, config)
    if ask:
        say_status(status, seen)
    else:
        _log_in(status, config, environ, seen, arguments)


@click.command("login-status", hidden=True)
@config_option
def login_status(config_file: Path | None) -> None:
    """The same as `dragoman login --status`."""
    config = section(config_file)
    environ = dict(os.environ)
    say_status(_status(config, environ), command.environment(environ, config))


def _status(config: ClaudeCodeConfig, environ: Mapping[str, str]) -> CliStatus:
    try:
        return anyio.run(cli_status, config, environ)
    except GatewayError as error:
        click.echo(f"dragoman: {error.message}", err=True)
        sys.exit(EXIT_NO_CLI)


def say_status(status: CliStatus, seen: Mapping[str, str]) -> NoReturn:
    """Print it and exit. `seen` is the CLI's environment."""
    if not status.logged_in:
        text = not_logged_in(status)
        click.echo(f"{text[0].upper()}{text[1:]}.", err=True)
        click.echo(f"CLI: {_cli(status)}")
        sys.exit(EXIT_NO_LOGIN)
    words, cloud = login_words(status, seen), cloud_words(status)
    click.echo(f"{words[0].upper()}{words[1:]}.\n{cloud}" if cloud else f"Logged in: {words}.")
    click.echo(f"CLI: {_cli(status)}")
    sys.exit(0)


def _cli(status: CliStatus) -> str:
    return f"{status.version or 'it does not report its version'}, {status.path}"


def _log_in(
    status: CliStatus,
    config: ClaudeCodeConfig,
    environ: Mapping[str, str],
    seen: Mapping[str, str],
    arguments: tuple[str, ...],
) -> None:
    if (why := needs_no_login(status, seen)) is not None:
        click.echo(why, err=True)
        return
    contained = in_container(environ)
    if not _is_terminal():
        instead = "; or set CLAUDE_CODE_OAUTH_TOKEN or ANTHROPIC_API_KEY" if contained else ""
        text = f"the login needs a terminal: run `{command_line('login')}` in one{instead}"
        click.echo(f"dragoman: {text}", err=True)
        sys.exit(EXIT_NO_TERMINAL)
    if status.logged_in and not arguments:
        click.echo(f"Already logged in: {login_words(status, seen)}.", err=True)
        if not click.confirm("Log in again, for example with another account?", err=True):
            return
    click.echo(OWN_LOGIN.format(path=status.path), err=True)
    if contained:
        click.echo(CONTAINER, err=True)
    if contained or without_browser(environ, sys.platform):
        click.echo(NO_BROWSER, err=True)
    click.echo(err=True)
    _become_the_cli(status, config, environ, arguments)


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _become_the_cli(
    status: CliStatus,
    config: ClaudeCodeConfig,
    environ: Mapping[str, str],
    arguments: tuple[str, ...],
) -> NoReturn:
    """With all of the user's environment, as the login opens a browser.

    In the empty folder: 2.1.330 would otherwise go by `.claude/settings.json` of the current one.
    """
    os.chdir(command.working_directory(config, environ))
    line = [str(status.path), "auth", "login", *arguments]
    os.execve(line[0], line, {**environ, **config.environment})  # noqa: S606
