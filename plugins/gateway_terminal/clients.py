"""The clients that `dragoman connect` knows, and what each is configured with.

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
from gateway_terminal.containers import in_container
from gateway_terminal.settings import NO_KEY, USUAL_MODEL, Place

USUAL_URL: Final = "http://127.0.0.1:3456"
SECOND_MODEL: Final = "claude-opus-4"
LIST_BOTH_MODELS: Final = frozenset({"openclaw", "opencode"})
"""Clients that want to know of each model, and which one is the default."""

KEEPS_ITS_SETTINGS: Final = (
    "It keeps what it was first started with: later, change it under Admin Settings > Connections."
)

_FITS: Final = {
    "url": re.compile(r"https?://[A-Za-z0-9.\-:\[\]_]+"),
    "model": re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]*"),
    "key": re.compile(r"[A-Za-z0-9._~+/=-]+"),
}
"""What may stand between quotes in any of these files, and in a shell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """`path` is its own file, from the home folder, if it has one that can be written.

    `streams` says how it asks; `in_container` that it does so from within one; `notes` are for
    people, beside the configuration.
    """

    name: str
    streams: bool = False
    in_container: bool = False
    path: str | None = None
    notes: tuple[str, ...] = ()


CLIENTS: Final = {
    client.name: client
    for client in (
        Client(name="aider", streams=True),
        Client(
            name="cline",
            streams=True,
            notes=("Cline takes this in its own settings; there is no file to write.",),
        ),
        Client(
            name="continue",
            streams=True,
            path=".continue/config.yaml",
            notes=("It stands in ~/.continue/config.yaml; --write puts it there.",),
        ),
        Client(name="curl"),
        Client(
            name="cursor",
            streams=True,
            notes=(
                "Cursor asks from its own servers, which can't reach this machine: the address "
                "has to be one of the internet, with TLS and a key.",
                # cursor/cursor#1511 and #1878; guangzan/deepseek-lane#6
                "It may send a model whose name it knows to the vendor instead. Then give it "
                "another name: dragoman connect cursor --alias my-sonnet",
            ),
        ),
        Client(
            name="env",
            notes=(
                "For a program whose model can't be chosen: dragoman connect env --alias gpt-4o",
            ),
        ),
        Client(name="langchain"),
        Client(
            name="llm",
            streams=True,
            path="extra-openai-models.yaml",
            notes=("It stands in extra-openai-models.yaml in llm's folder; then: llm -m dragoman",),
        ),
        Client(
            name="open-webui",
            streams=True,
            notes=(
                KEEPS_ITS_SETTINGS,
                "With Docker: dragoman connect open-webui-docker",
            ),
        ),
        Client(
            name="open-webui-docker",
            streams=True,
            in_container=True,
            notes=(
                "It is at http://127.0.0.1:3000 a minute later.",
                KEEPS_ITS_SETTINGS,
                "Docker Engine on Linux: host.docker.internal is the bridge there, on which a "
                "gateway at 127.0.0.1 does not listen, so the container shares the host's network.",
                "To keep it apart: `dragoman keys new open-webui`, `server: {host: 172.17.0.1}` "
                "(docker0's address) in the YAML, and --url http://host.docker.internal:3456 --key "
                "KEY here.",
                "Docker Desktop on Linux: --url http://host.docker.internal:3456",
            ),
        ),
        Client(name="openai-node"),
        Client(name="openai-python"),
        Client(
            name="openclaw",
            streams=True,
            path=".openclaw/openclaw.json",
            notes=("It stands in ~/.openclaw/openclaw.json; --write puts it there.",),
        ),
        Client(
            name="opencode",
            streams=True,
            path=".config/opencode/opencode.json",
            notes=("It stands in ~/.config/opencode/opencode.json; --write puts it there.",),
        ),
    )
}


def configuration(client: Client, where: Place) -> str:
    """The text for this address, model and key. Raises `ConfigurationError` for odd ones."""
    key = where.key or NO_KEY
    for what, value in (("url", where.url), ("model", where.model), ("key", key)):
        if not _FITS[what].fullmatch(value):
            raise ConfigurationError(f"this {what} can't be put into a client's configuration")
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
    """As it stands in `snippets/`."""
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
