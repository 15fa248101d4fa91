"""The command `dragoman doctor`."""

import os
import platform
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import anyio
import click

from gateway import __version__
from gateway.cli.options import config_option
from gateway.errors import BackendUnavailable
from gateway.task_groups import raising_plainly
from gateway_claude_code.compatibility.findings import EXIT_NO_CLI, Finding
from gateway_claude_code.compatibility.known_findings import KnownFindings, findings_file
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.doctor import setup_checks
from gateway_claude_code.doctor.bug_report import bug_report
from gateway_claude_code.doctor.live.asking import Refused, live_report
from gateway_claude_code.doctor.live.report import LiveReport
from gateway_claude_code.doctor.report import CliFound, Report
from gateway_claude_code.doctor.scenarios.rig import Cli
from gateway_claude_code.doctor.scenarios.table import look_at_all, quick_part
from gateway_claude_code.installed.report import installed
from gateway_claude_code.login.status import cli_status
from gateway_claude_code.process import command
from gateway_claude_code.process.launch import program_at

EXAMPLES = """\b
Examples:
  dragoman doctor
  dragoman doctor --json > report.json
  dragoman doctor --report > report.txt
  dragoman doctor --live
"""


@click.command("doctor", epilog=EXAMPLES)
@config_option
@click.option("--json", "as_json", is_flag=True, help="Output JSON.")
@click.option(
    "--report", "to_paste", is_flag=True, help="Print a bug report, without names or secrets."
)
@click.option(
    "--live", is_flag=True, help="Test the models with the real API, with your own login."
)
@click.option("--yes", is_flag=True, help="With --live: skip the confirmation.")
def doctor(
    config_file: Path | None,
    as_json: bool,  # noqa: FBT001 - click passes it by name
    to_paste: bool,  # noqa: FBT001
    live: bool,  # noqa: FBT001
    yes: bool,  # noqa: FBT001
) -> None:
    """Check the CLI, the login and the setup.

    Needs no account and no network: the CLI is tested against a stand-in for the API. Exit code 0
    if everything is ok, 1 if a check failed or could not be completed, 2 without a working CLI.

    --report prints the same for a public issue, with the platform, how Dragoman and the CLI were
    installed, and the state of the service, but no secret, prompt, name or home folder.

    --live instead tests Dragoman's table of models against the real API, with at most 15 tiny
    requests. The CLI itself repeats a rejected request up to three times, at no cost. The report
    contains no prompt, account or key, so it can be pasted into a public issue. Exit code 2 also
    without a login, or if the API did not answer.
    """
    if yes and not live:
        raise click.UsageError("--yes requires --live")
    if to_paste and (live or as_json):
        raise click.UsageError("--report can't be combined with --live or --json")
    with raising_plainly():
        report = _live(config_file, yes=yes) if live else anyio.run(examine, config_file)
    if isinstance(report, Report) and to_paste:
        click.echo(bug_report(report, os.environ))
        sys.exit(report.exit_code)
    if as_json:
        click.echo(report.as_json())
    else:
        click.echo(report.as_text(), color=False if os.environ.get("NO_COLOR") else None)
    sys.exit(report.exit_code)


def _live(config_file: Path | None, *, yes: bool) -> LiveReport:
    try:
        return live_report(config_file, yes=yes)
    except Refused as refused:
        click.echo(f"dragoman: {refused}", err=True)
        sys.exit(EXIT_NO_CLI)


async def examine(config_file: Path | None) -> Report:
    """The whole report. Findings about a CLI are remembered for the gateway."""
    began = time.monotonic()
    first, config, server = setup_checks.configuration(config_file)
    around = [first, setup_checks.working_directory(config), await setup_checks.port(server)]
    cli, about_cli = await _about_cli(config)
    return Report(
        dragoman=__version__,
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        cli=cli,
        findings=[*around, *about_cli],
        seconds=time.monotonic() - began,
    )


async def _about_cli(config: ClaudeCodeConfig) -> tuple[CliFound | None, list[Finding]]:
    """The CLI with its findings. It is asked in a folder that is certain to be empty."""
    with tempfile.TemporaryDirectory(prefix="dragoman-") as folder:
        elsewhere = config.model_copy(update={"working_directory": Path(folder)})
        try:
            status = await cli_status(elsewhere, os.environ)
        except BackendUnavailable as error:
            return None, [setup_checks.missing(error)]
    how = installed(status.path, status.version)
    found = CliFound(
        path=str(status.path),
        version=status.version,
        origin=_origin(config, os.environ),
        installed_by=how.by,
        age=how.age,
        update=how.update,
    )
    around = [setup_checks.answers(status), setup_checks.login(status)]
    if status.version is None:
        return found, around
    seconds = config.start_seconds
    seen = await look_at_all(Cli(path=status.path, version=status.version, seconds=seconds))
    memory = KnownFindings(findings_file(os.environ))
    memory.keep(program_at(status.path), status.version, quick_part(seen))
    return found, [*around, *seen]


def _origin(config: ClaudeCodeConfig, environ: Mapping[str, str]) -> str:
    """The way in which the CLI was found, in the order of `command.find_cli`."""
    if config.command is not None:
        return "plugins.claude_code.command"
    if environ.get(command.COMMAND_VARIABLE):
        return command.COMMAND_VARIABLE
    return "on PATH" if command.on_path(environ) else "in the wheel claude-agent-sdk"
