"""What the commands take from the configuration: the server's address, a key, a model."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import urlsplit

import click

from gateway.addresses import reached_at, url_of
from gateway.config import FileConfig, find_file, load, packaged_file
from gateway.errors import ConfigurationError
from gateway.wording import one_line

KEY_VARIABLE: Final = "DRAGOMAN_API_KEY"
NO_KEY: Final = "unused"
USUAL_MODEL: Final = "claude-sonnet-4"

url_option = click.option(
    "--url", help="Where the gateway is, instead of server.host and server.port."
)


class Failed(click.ClickException):
    """What was asked for did not come about: one clear line, exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it to stderr, as the core prints its own."""
        click.echo(f"dragoman: {one_line(self.message)}", file=file, err=file is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the gateway is or should be, as an origin (`http://127.0.0.1:3456`), and the key."""

    url: str
    key: str | None
    model: str


def place(
    config_file: Path | None,
    url: str | None = None,
    model: str | None = None,
    key: str | None = None,
) -> Place:
    """From the options, else from the configuration. Raises `ConfigurationError`."""
    values = load(find_file(config_file, packaged_file()), packaged_file()).values
    return Place(
        url=_origin(url) if url else url_of(reached_at(values.server.host), values.server.port),
        key=key or os.environ.get(KEY_VARIABLE, "").strip() or None,
        model=model or usual_model(values),
    )


def usual_model(values: FileConfig) -> str:
    """What is asked for where nobody says: Sonnet, else the first model that is listed."""
    models = values.models or {}
    if USUAL_MODEL in models:
        return USUAL_MODEL
    named = (name for name, entry in models.items() if "*" not in name and not entry.hidden)
    return next(named, USUAL_MODEL)


def _origin(url: str) -> str:
    """The URL without a path: people give the gateway's own address, or the clients' with /v1."""
    if "://" not in url:
        url = f"http://{url}"
    try:
        parts = urlsplit(url)
        fits = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits or parts.path.rstrip("/") not in {"", "/v1"} or parts.query:
        raise ConfigurationError(f"{url!r} is no address; it has to be like http://127.0.0.1:3456")
    return f"{parts.scheme}://{parts.netloc}"
