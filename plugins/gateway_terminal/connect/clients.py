"""The clients that `dragoman connect` knows, and their configurations.

`snippets/` holds a text for each, with the usual address, model and key in it; the README shows
the same texts, which a test compares.
"""

import json
import re
import sys
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from gateway.errors import ConfigurationError
from gateway.machine.command_name import command_name
from gateway_terminal.connect.containers import in_container
from gateway_terminal.target_gateway import NO_KEY, USUAL_MODEL, Place

USUAL_URL: Final = "http://127.0.0.1:3456"
SECOND_MODEL: Final = "claude-opus-4"
LIST_BOTH_MODELS: Final = frozenset({"openclaw", "opencode"})
"""Clients that want to know of each model, and which one is the default."""

KEEPS_ITS_SETTINGS: Final = (
    "It keeps the settings of its first start; change them later under Admin Settings > "
    "Connections."
)

ALIAS_NOTE: Final = "For a program whose model is fixed: {dragoman} connect env --alias gpt-4o"

_FITS: Final = {
    "url": re.compile(r"https?://[A-Za-z0-9.\-:\[\]_]+"),
    "model": re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]*"),
    "key": re.compile(r"[A-Za-z0-9._~+/=-]+"),
}
"""Characters that are safe between quotes in all of these files, and in a shell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """`path` is its own file, from the home folder, if it has one that can be written.

    `what` describes it in a few words; `needs` is the command that installs it; `streams` says
    how it asks; `in_container` that it does so from within one; `notes` are for people, beside the
    configuration, and `{dragoman}` in them is the command.
    """

    name: str
    what: str
    needs: str | None = None
    streams: bool = False
    in_container: bool = False
    path: str | None = None
    notes: tuple[str, ...] = ()


CLIENTS: Final = {
    client.name: client
    for client in (
        Client(name="aider", what="pair programming in the terminal", streams=True),
        Client(
            name="cline",
            what="coding agent in VS Code",
            streams=True,
            notes=("Cline takes this in its own settings; there is no file to write.",),
        ),
        Client(
            name="codex",
            what="coding agent in the terminal",
            streams=True,
            path=".codex/config.toml",
            notes=(
                "It belongs in ~/.codex/config.toml; --write puts it there.",
                "Codex warns that it has no metadata for the model; that does no harm.",
            ),
        ),
        Client(
            name="continue",
            what="assistant for VS Code and JetBrains",
            streams=True,
            path=".continue/config.yaml",
            notes=("It belongs in ~/.continue/config.yaml; --write puts it there.",),
        ),
        Client(name="curl", what="one request from a shell"),
        Client(
            name="cursor",
            what="editor; needs a public address",
            streams=True,
            notes=(
                "Cursor sends requests from its own servers, which can't reach this machine: the "
                "address must be public, with TLS and a key.",
                # cursor/cursor#1511 and #1878; guangzan/deepseek-lane#6
                "It may send a model whose name it knows to the vendor instead. If so, use another "
                "name: {dragoman} connect cursor --alias my-sonnet",
            ),
        ),
        Client(
            name="env",
            what="environment variables for any OpenAI client",
            notes=(ALIAS_NOTE,),
        ),
        Client(name="langchain", what="Python script", needs="pip install langchain-openai"),
        Client(
            name="llm",
            what="command line tool",
            needs="pip install llm",
            streams=True,
            path="extra-openai-models.yaml",
            notes=(
                "It belongs in extra-openai-models.yaml in llm's folder; then: llm -m dragoman",
            ),
        ),
        Client(
            name="open-webui",
            what="chat in the browser, started with pip or uv",
            streams=True,
            notes=(
                KEEPS_ITS_SETTINGS,
                "With Docker: {dragoman} connect open-webui-docker",
            ),
        ),
        Client(
            name="open-webui-docker",
            what="the same, in a container",
            streams=True,
            in_container=True,
            notes=(
                "It is ready at http://127.0.0.1:3000 after about a minute.",
                KEEPS_ITS_SETTINGS,
                "Docker Engine on Linux: host.docker.internal is the bridge there, on which a "
                "gateway at 127.0.0.1 does not listen, so the container shares the host's network.",
                "To keep it apart: `{dragoman} keys new open-webui`, `server: {{host: 172.17.0.1}}` "
                "(docker0's address) in the configuration file, and --url "
                "http://host.docker.internal:3456 --key KEY here.",
                "Docker Desktop on Linux: --url http://host.docker.internal:3456",
            ),
        ),
        Client(
            name="openai-agents",
            what="Python script with OpenAI's Agents SDK",
            needs="pip install openai-agents",
        ),
        Client(name="openai-node", what="JavaScript script", needs="npm install openai"),
        Client(name="openai-python", what="Python script", needs="pip install openai"),
        Client(
            name="openclaw",
            what="personal assistant",
            streams=True,
            path=".openclaw/openclaw.json",
            notes=("It belongs in ~/.openclaw/openclaw.json; --write puts it there.",),
        ),
        Client(
            name="opencode",
            what="coding agent in the terminal",
            streams=True,
            path=".config/opencode/opencode.json",
            notes=("It belongs in ~/.config/opencode/opencode.json; --write puts it there.",),
        ),
    )
}


def notes_of(client: Client, *, has_alias: bool = False) -> list[str]:
    """The notes as they are printed; the one about aliases only while there is none."""
    needs = [f"needs: {client.needs}"] if client.needs is not None else []
    said = [note for note in client.notes if not (has_alias and note == ALIAS_NOTE)]
    return [*needs, *(note.format(dragoman=command_name()) for note in said)]


def configuration(client: Client, where: Place) -> str:
    """The text for this address, model and key. Raises `ConfigurationError` for odd ones."""
    key = where.key or NO_KEY
    for what, value in (("url", where.url), ("model", where.model), ("key", key)):
        if not _FITS[what].fullmatch(value):
            raise ConfigurationError(
                f"this {what} has characters that are not allowed in a client's configuration"
            )
    text = snippet(client.name)
    if client.in_container:
        text, where = in_container(text, where, sys.platform)
    both = client.name in LIST_BOTH_MODELS
    if both and where.model not in {USUAL_MODEL, SECOND_MODEL}:
        text = text.replace(USUAL_MODEL, where.model).replace("Claude Sonnet", where.model)
    elif both:
        text = text.replace(f"dragoman/{USUAL_MODEL}", f"dragoman/{where.model}")
    else:
        text = text.replace(USUAL_MODEL, where.model)
    text = text.replace(USUAL_URL, where.url)
    return text if where.key is None else _with_key(client, text, key)


def snippet(name: str) -> str:
    """The template in `snippets/`."""
    return files("gateway_terminal").joinpath(f"snippets/{name}.txt").read_text(encoding="utf-8")


def _with_key(client: Client, text: str, key: str) -> str:
    if client.name == "curl":
        first, rest = text.split("\\\n", 1)
        return f"{first}\\\n  -H 'Authorization: Bearer {key}' \\\n{rest}"
    if client.name == "llm":  # takes it from its own store of keys
        return text + "  api_key_name: dragoman\n"
    return text.replace(NO_KEY, key)


def document(text: str) -> dict[str, object]:
    """A snippet as JSON; OpenClaw's is JSON5 of bare keys and commas at ends, and no more."""
    quoted = re.sub(r"^(\s*|.*?[{,]\s*)(\w+):(?=\s)", r'\1"\2":', text, flags=re.MULTILINE)
    while (again := re.sub(r"([{,]\s*)([A-Za-z]\w*):(?=\s)", r'\1"\2":', quoted)) != quoted:
        quoted = again
    parsed = json.loads(re.sub(r",(\s*[}\]])", r"\1", quoted))
    assert isinstance(parsed, dict)  # noqa: S101 - our own text
    return parsed
