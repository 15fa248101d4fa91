"""The gateway that a command addresses: its address, the key for it, and a model."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import urlsplit

import click

from gateway.client.health import NotUp, url_for
from gateway.client.running_gateways import RunningGateway, running_gateways, same_place
from gateway.config.chosen_file import configuration
from gateway.config.settings import Config, FileConfig, load, packaged_file
from gateway.errors import ConfigurationError
from gateway.machine.command_name import command_line
from gateway.yaml_file.wording import one_line
from gateway_terminal.server_call import Rejected, ServerCall

KEY_VARIABLE: Final = "DRAGOMAN_API_KEY"
NO_KEY: Final = "unused"
USUAL_MODEL: Final = "claude-sonnet-4"

INVALID_KEY: Final = "invalid_api_key"
"""The error's `code` where a key of the gateway's own is missing or unknown. A 401 without it is
about the backend's login."""

url_option = click.option(
    "--url", help="The gateway's URL; else the running gateway, or server.host and server.port."
)


class Failed(click.ClickException):
    """A command failed: one line, exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print it to stderr, as the core prints its own."""
        click.echo(f"dragoman: {one_line(self.message)}", file=file, err=file is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the gateway is or should be, as an origin (`http://127.0.0.1:3456`), and the key.

    `running` is what the gateway there says of itself, if it was found running. Prompts and the
    key go to that one, or to an address that was `named`, and not to anything else that happens to
    listen at that address: on a shared machine that may be another user's program.
    """

    url: str
    key: str | None
    model: str
    running: RunningGateway | None = None
    named: bool = False

    @property
    def known(self) -> bool:
        """Whether it is the user's own gateway, or one that the user named."""
        return self.named or self.running is not None

    @property
    def key_to_send(self) -> str | None:
        """The key, for a gateway that is `known`."""
        return self.key if self.known else None

    @property
    def lacks_key(self) -> bool:
        """Whether a rejection is certain.

        The gateway is asked unless it wanted a key from the start: keys can be made later.
        """
        if self.key is not None or self.running is None:
            return False
        return self.running.wants_key or _wants_key(self.url)

    def check_key(self) -> None:
        """Raises `Failed` if the gateway wants a key, and none is set."""
        if self.lacks_key:
            raise Failed(key_wanted(self.url))


def place(
    config_file: Path | None,
    url: str | None = None,
    model: str | None = None,
    key: str | None = None,
) -> Place:
    """From the options, else from the gateway that runs, else from the configuration.

    Says on stderr which gateway is meant where that is not clear. Raises `ConfigurationError`.
    """
    config = configuration(config_file)
    configured = url_for(config.values.server)
    running = _running(config, configured, url and _origin(url), named=config_file is not None)
    if config_file is None and running is not None:
        config = _configuration_of(running) or config
    return Place(
        url=_origin(url) if url else running.url if running is not None else configured,
        key=key or os.environ.get(KEY_VARIABLE, "").strip() or None,
        model=model or usual_model(config.values),
        running=running,
        named=url is not None or key is not None,
    )


def reason(error: Exception, where: Place) -> str:
    """The reason why an answer failed. A gateway's own text about a missing key is for programs."""
    if isinstance(error, Rejected) and error.code == INVALID_KEY:
        return key_wanted(where.url) if where.key is None else _key_unknown(where.url)
    return str(error)


def key_wanted(url: str) -> str:
    """The error about a missing key, with the remedy."""
    return (
        f"the gateway at {url} requires a key: set {KEY_VARIABLE} (create a key with "
        f"`{_new_key()}`)"
    )


def _key_unknown(url: str) -> str:
    return (
        f"the gateway at {url} does not accept the key in {KEY_VARIABLE}; create one with "
        f"`{_new_key()}`"
    )


def _new_key() -> str:
    return command_line("keys", "new", "NAME")


def _wants_key(url: str) -> bool:
    """Whether the gateway requires a key now: then its health has no details without one."""
    try:
        return "version" not in ServerCall(url, None).health()
    except NotUp:
        return False


def _running(
    config: Config, configured: str, url: str | None, *, named: bool
) -> RunningGateway | None:
    """The gateway that is meant: at the address, with the configuration, else the newest.

    The newest is not meant where a configuration was `named`: that may be for another one.
    """
    found = running_gateways()
    if url is not None:
        return next((each for each in found if same_place(each, url)), None)
    for each in found:
        if same_place(each, configured):
            return each
    for each in found:
        if each.serves(config.path):
            return each
    if named or not found:  # a configuration that was named is not another gateway's
        return None
    if len(found) > 1:
        others = ", ".join(each.url for each in found[1:])
        click.echo(
            f"Using {found[0].url}, the newest; choose another with --url: {others}", err=True
        )
    return found[0]


def _configuration_of(running: RunningGateway) -> Config | None:
    """The YAML that the gateway serves, for the names in it. No code beside it is run."""
    try:
        return load(running.config, packaged_file()) if running.config is not None else None
    except ConfigurationError:
        return None


def usual_model(values: FileConfig) -> str:
    """The default model: Sonnet, else the first that is listed."""
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
        raise ConfigurationError(
            f"{url!r} is not an address; expected the form http://127.0.0.1:3456"
        )
    return f"{parts.scheme}://{parts.netloc}"
