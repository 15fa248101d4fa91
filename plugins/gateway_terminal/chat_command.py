"""`dragoman chat`: an answer in the terminal."""

import sys
from pathlib import Path
from typing import Final

import click

from gateway import logs
from gateway.cli.options import config_option
from gateway.client.health import NotUp
from gateway.errors import GatewayError
from gateway.machine.command_name import command_line
from gateway_terminal.in_process_answer import answer_here
from gateway_terminal.server_call import Rejected, ServerCall
from gateway_terminal.target_gateway import Failed, Place, place, reason, url_option

EXIT_INTERRUPTED: Final = 130
"""As shells have it for Ctrl-C."""

EXAMPLES = """\b
Examples:
  dragoman chat "Why is the sky blue?"
  dragoman chat --model claude-haiku-4 --system "Answer in verse." "What is rain?"
  git diff | dragoman chat "Write a commit message for this"
  dragoman chat --offline "Hello!"

\b
Exit codes:
  0    the answer is complete
  1    there was no answer, or it was cut off
  2    wrong options, or a wrong configuration
  130  Ctrl-C
"""


@click.command("chat", epilog=EXAMPLES)
@click.argument("question", nargs=-1)
@click.option(
    "--model", "-m", help="The model; else claude-sonnet-4, or the first that is configured."
)
@click.option("--system", "-s", help="The system prompt.")
@url_option
@click.option(
    "--offline",
    is_flag=True,
    help="Answer from the built-in stand-in, in this process: no account, no network.",
)
@config_option
def chat(  # noqa: PLR0917 - click passes them by name
    question: tuple[str, ...],
    model: str | None,
    system: str | None,
    url: str | None,
    offline: bool,  # noqa: FBT001 - click passes it by name
    config_file: Path | None,
) -> None:
    """Ask a question and stream the answer.

    The running gateway answers (with the key in DRAGOMAN_API_KEY, if it requires one); without a
    running gateway, this process answers itself. Piped text is appended to the question.
    """
    text = _whole(" ".join(question))
    where = place(config_file, url, model)
    printer = _Printer()
    try:
        if offline:
            _alone(text, where, system, config_file, printer, offline=True)
            return
        if not where.known:
            _alone(text, where, system, config_file, printer, offline=False)
            return
        where.check_key()
        try:
            _ask(ServerCall(where.url, where.key), where, text, system, printer)
        except NotUp as error:
            if url is not None:
                raise Failed(
                    f"{where.url}: {error}; start it with `{command_line('serve')}`; without "
                    "--url, this process answers itself"
                ) from None
            _alone(text, where, system, config_file, printer, offline=False)
    except (GatewayError, Rejected, OSError) as error:
        printer.end()
        raise Failed(reason(error, where)) from None
    except KeyboardInterrupt:
        printer.end()
        sys.exit(EXIT_INTERRUPTED)


def _whole(question: str) -> str:
    """The question, and piped text."""
    piped = "" if sys.stdin.isatty() else sys.stdin.buffer.read().decode(errors="replace")
    text = "\n\n".join(each for each in (question, piped.strip()) if each)
    if not text:
        raise click.UsageError("missing question: give one, or pipe in text")
    return text


class _Printer:
    """Writes pieces as they come, and ends the line."""

    def __init__(self) -> None:
        self._open = False

    def write(self, piece: str) -> None:
        click.echo(piece, nl=False)
        self._open = not piece.endswith("\n")

    def end(self) -> None:
        if self._open:
            click.echo()
        self._open = False


def _ask(
    server: ServerCall, where: Place, text: str, system: str | None, printer: _Printer
) -> None:
    messages = [{"role": "system", "content": system}] if system else []
    messages.append({"role": "user", "content": text})
    for piece in server.chat({"model": where.model, "messages": messages, "stream": True}):
        printer.write(piece)
    printer.end()


def _alone(
    text: str,
    where: Place,
    system: str | None,
    config_file: Path | None,
    printer: _Printer,
    *,
    offline: bool,
) -> None:
    logs.set_up("error")  # what it warns of comes as the error, if it matters
    answer_here(
        text,
        model=where.model,
        system=system,
        config_file=config_file,
        offline=offline,
        write=printer.write,
    )
    printer.end()
