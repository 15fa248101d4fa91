"""`dragoman connect`: a client's configuration, printed, written or tried out."""

import sys
import time
from pathlib import Path

import click

from gateway.cli.options import config_option
from gateway.client.health import NotUp
from gateway.config.settings import packaged_file
from gateway.errors import ConfigurationError, GatewayError
from gateway.machine.command_name import command_line
from gateway.startup.build import build_gateway
from gateway.types import ModelDescription
from gateway_terminal.connect.client_files import write as write_file
from gateway_terminal.connect.client_models import Describe, from_list, with_models
from gateway_terminal.connect.clients import (
    CLIENTS,
    LIST_BOTH_MODELS,
    Client,
    configuration,
    notes_of,
)
from gateway_terminal.connect.own_aliases import add_alias
from gateway_terminal.server_call import Rejected, ServerCall
from gateway_terminal.target_gateway import Place, key_wanted, place, url_option

EXAMPLES = """\b
Examples:
  dragoman connect curl | sh
  dragoman connect openai-python > ask.py
  dragoman connect openclaw --write
  dragoman connect aider --model claude-opus-4
  dragoman connect llm --check
  dragoman connect env --alias gpt-4o

\b
Clients:
{clients}

\b
Exit codes:
  0  done
  1  --check: no answer
  2  wrong options, or the file was left unchanged
""".format(clients="\n".join(f"  {each.name:<18} {each.what}" for each in CLIENTS.values()))


def _complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in CLIENTS if name.startswith(incomplete)]


@click.command("connect", epilog=EXAMPLES)
@click.argument("client", metavar="CLIENT", shell_complete=_complete)
@click.option("--write", is_flag=True, help="Write them to the client's own file, with a backup.")
@click.option("--check", is_flag=True, help="Test the connection with a one-token request.")
@url_option
@click.option(
    "--model", "-m", help="The model; else claude-sonnet-4, or the first that is configured."
)
@click.option("--key", help="The client's key; else DRAGOMAN_API_KEY, or 'unused'.")
@click.option(
    "--alias",
    "aliases",
    multiple=True,
    metavar="NAME",
    help="Make NAME an alias of the model, in the configuration file; for a client whose model name "
    "is fixed.",
)
@config_option
def connect(  # noqa: PLR0917 - click passes them by name
    client: str,
    write: bool,  # noqa: FBT001 - click passes it by name
    check: bool,  # noqa: FBT001
    url: str | None,
    model: str | None,
    key: str | None,
    aliases: tuple[str, ...],
    config_file: Path | None,
) -> None:
    """Print a client's settings.

    Settings go to stdout, notes to stderr. Model capabilities come from the running gateway, if
    there is one.
    """
    known = _known(client)
    where = place(config_file, url, model, key)
    text = configuration(known, where)
    for alias in aliases:
        path = config_file or _file_of_the_running_one(where)
        click.echo(f"# {add_alias(alias, where.model, path)}", err=True)
    if client in LIST_BOTH_MODELS:
        text = with_models(client, text, _describing(where, config_file))
    if write:
        _write(known, text)
    elif not check:
        click.echo(text, nl=False)
        for note in notes_of(known, has_alias=bool(aliases)):
            click.echo(f"# {note}", err=True)
        if where.lacks_key:
            click.echo(f"# {key_wanted(where.url)}", err=True)
    if client == "llm" and where.key is not None and (write or not check):
        click.echo("# Then give it the key: llm keys set dragoman", err=True)
    if check:
        where.check_key()
        sys.exit(0 if _answers(known, where) else 1)


def _file_of_the_running_one(where: Place) -> Path | None:
    """Where an alias takes effect. The packaged file is not written: the user's own goes before."""
    path = where.running.config if where.running is not None else None
    return None if path is None or path.resolve() == packaged_file() else path


def _known(name: str) -> Client:
    if (client := CLIENTS.get(name)) is None:
        raise ConfigurationError(f"unknown client {name!r}; available: {', '.join(CLIENTS)}")
    return client


def _write(client: Client, text: str) -> None:
    path, backup = write_file(client, text)
    if backup is not None:
        click.echo(f"Wrote {path}; the previous version is {backup}.", err=True)
    else:
        click.echo(f"{path} is up to date.", err=True)


def _describing(where: Place, config_file: Path | None) -> Describe:
    """Asks the gateway that runs; this process's own, which is made when needed, knows the rest."""
    call, up = ServerCall(where.url, where.key_to_send), True
    gateway = None

    def describe(name: str) -> ModelDescription | None:
        nonlocal up, gateway
        try:
            if up and (found := from_list(call.model(name))) is not None:
                return found
        except NotUp:
            up = False
        except Rejected:
            pass
        try:
            gateway = gateway or build_gateway(config_file)
            return gateway.describe(name)
        except (ConfigurationError, GatewayError):
            return None

    return describe


def _answers(client: Client, where: Place) -> bool:
    """Ask over the route that the client uses, and print the result."""
    body: dict[str, object] = {
        "model": where.model,
        "messages": [{"role": "user", "content": "Hi"}],
        "max_tokens": 1,
        "stream": client.streams,
    }
    how = "streamed" if client.streams else "whole"
    route = f"POST {where.url}/v1/chat/completions, {how}, {where.model}"
    began = time.monotonic()
    try:
        said = "".join(ServerCall(where.url, where.key_to_send).chat(body))
    except (NotUp, Rejected, ConnectionError) as error:
        status = f"{error.status}: " if isinstance(error, Rejected) else ""
        advice = f"; start it with `{command_line('serve')}`" if isinstance(error, NotUp) else ""
        click.echo(f"{route}: {status}{error}{advice}", err=True)
        return False
    click.echo(f"{route}: answered in {time.monotonic() - began:.1f} s: {said!r}")
    return True
