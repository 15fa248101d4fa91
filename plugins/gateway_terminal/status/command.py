"""`dragoman status`: how the gateway that runs is."""

import json
import shlex
import shutil
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

import gateway
from gateway.cli.options import config_option
from gateway.client.health import NotUp
from gateway.machine.command_name import command_line
from gateway_terminal.colours import Paint, wants_colour
from gateway_terminal.server_call import ServerCall
from gateway_terminal.status.text import as_text
from gateway_terminal.target_gateway import place, url_option
from gateway_terminal.welcome import backend_in

EXIT_DEGRADED: Final = 1
EXIT_NOT_UP: Final = 2
STARTING_LOOKS: Final = 20
STARTING_SECONDS: Final = 0.25
"""Between two requests to a gateway that has just started; the CLI takes half a second."""
CLEAR: Final = "\x1b[H\x1b[2J"

EXAMPLES = """\b
Examples:
  dragoman status
  dragoman status --watch
  dragoman status --json | jq .claude_code.quota

\b
Exit codes:
  0  running, and everything works
  1  running, but degraded: not logged in, plan used up, shutting down, …
  2  not running, or wrong options
"""


@click.command("status", epilog=EXAMPLES)
@click.option("--json", "as_json", is_flag=True, help="Print the response of GET /health.")
@click.option("--watch", is_flag=True, help="Refresh until Ctrl-C.")
@click.option(
    "--interval", type=click.FloatRange(0.2), default=2.0, help="Seconds between refreshes (2)."
)
@url_option
@config_option
def status(
    as_json: bool,  # noqa: FBT001 - click passes it by name
    watch: bool,  # noqa: FBT001
    interval: float,
    url: str | None,
    config_file: Path | None,
) -> None:
    """Show the gateway's state: CLI, login, quota, processes, last errors.

    If the gateway requires keys, set DRAGOMAN_API_KEY for the details.
    """
    where = place(config_file, url)
    server = ServerCall(where.url, where.key_to_send)
    try:
        code = _show(server, as_json=as_json, clear=watch)
        while watch:
            time.sleep(interval)
            code = _show(server, as_json=as_json, clear=True)
    except KeyboardInterrupt:
        click.echo()
        return
    sys.exit(code)


def _show(server: ServerCall, *, as_json: bool, clear: bool) -> int:
    """Print it once; returns the exit code that goes with it."""
    code, text = _look(server, as_json=as_json)
    screen = CLEAR if clear and not as_json and sys.stdout.isatty() else ""
    click.echo(screen + text, color=wants_colour(sys.stdout) or None)
    return code


def _look(server: ServerCall, *, as_json: bool) -> tuple[int, str]:
    paint = Paint(colour=wants_colour(sys.stdout))
    try:
        health = _settled(server)
    except NotUp as error:
        if as_json:
            return EXIT_NOT_UP, json.dumps({"status": "down", "url": server.url, "why": str(error)})
        down = paint.bad("not running")
        return EXIT_NOT_UP, f"{down}: {server.url}: {error}; start it with `{_start_command()}`"
    code = 0 if _is_well(health) else EXIT_DEGRADED
    if as_json:
        return code, _as_json(server, health)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    return code, as_text(server.url, health, datetime.now().astimezone(), paint, width)


def _is_well(health: Mapping[str, Any]) -> bool:
    """Whether models answer; a stand-in that waits for a login does not count."""
    backend = backend_in(health) or {}
    return health.get("status") == "ok" and not backend.get("waiting_for_login")


def _start_command() -> str:
    """How a gateway is started here: in a checkout by its Makefile."""
    checkout = Path(gateway.__file__).resolve().parents[1]
    if not all((checkout / name).is_file() for name in ("Makefile", "scripts/serve")):
        return command_line("serve")
    try:
        here = Path.cwd() == checkout
    except OSError:  # the folder was removed
        here = False
    return "make run" if here else f"make -C {shlex.quote(str(checkout))} run"


def _settled(server: ServerCall) -> dict[str, Any]:
    """Its health, once it has found out about its backend. Raises `NotUp`."""
    for _ in range(STARTING_LOOKS):
        if (health := server.health()).get("status") != "starting":
            break
        time.sleep(STARTING_SECONDS)
    return health


def _as_json(server: ServerCall, health: Mapping[str, Any]) -> str:
    return json.dumps({**health, "url": server.url}, ensure_ascii=False)
