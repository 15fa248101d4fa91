"""`dragoman keys`: making, listing and taking back keys."""

from pathlib import Path

import click
from pydantic import ValidationError

from gateway.cli.options import config_option
from gateway.client.running_gateways import with_another_configuration
from gateway.config.chosen_file import configuration
from gateway.config.settings import Config
from gateway.errors import ConfigurationError
from gateway.machine.command_name import command_line
from gateway_access.config import SECTION, AccessConfig, KeyEntry
from gateway_access.keys.keyring import Keyring, hash_key, new_key
from gateway_access.keys.keys_file import change_keys, path_of, read_keys

EXAMPLES = """\b
Examples:
  dragoman keys new laptop
  dragoman keys list
  dragoman keys revoke laptop
"""
NEW_EXAMPLES = """\b
Examples:
  dragoman keys new laptop
  dragoman keys new phone --model "claude-haiku-*" --rpm 10 --concurrent 2
"""
LIST_EXAMPLES = """\b
Examples:
  dragoman keys list
"""
REVOKE_EXAMPLES = """\b
Examples:
  dragoman keys revoke phone
"""


@click.group("keys", epilog=EXAMPLES)
@config_option
@click.pass_context
def keys_command(ctx: click.Context, config_file: Path | None) -> None:
    """Manage the clients' keys.

    Once there is a key, every client needs one.
    """
    ctx.obj = config_file


@keys_command.command(epilog=NEW_EXAMPLES)
@click.argument("name")
@click.option("--model", "models", multiple=True, metavar="PATTERN", help="Only these models.")
@click.option("--rpm", type=click.IntRange(1), metavar="N", help="Requests per minute.")
@click.option("--tpm", type=click.IntRange(1), metavar="N", help="Tokens per minute.")
@click.option("--concurrent", type=click.IntRange(1), metavar="N", help="Concurrent requests.")
@click.pass_obj
def new(  # noqa: PLR0917 - click passes them by name
    config_file: Path | None,
    name: str,
    models: tuple[str, ...],
    rpm: int | None,
    tpm: int | None,
    concurrent: int | None,
) -> None:
    """Create a key and print it.

    It can't be shown again.
    """
    config, path = _configured(config_file)
    key = new_key()
    try:
        entry = KeyEntry(
            name=name,
            hash=hash_key(key.encode()),
            models=models,
            requests_per_minute=rpm,
            tokens_per_minute=tpm,
            concurrent=concurrent,
        )
    except ValidationError:
        raise ConfigurationError(
            f"{name!r} is not a valid key name: use up to 64 letters, digits, dots, - and _"
        ) from None

    def add(entries: tuple[KeyEntry, ...]) -> tuple[KeyEntry, ...]:
        Keyring((*config.keys, *entries, entry))  # rejects a name that is taken
        return (*entries, entry)

    change_keys(path, add)
    click.echo(key)
    click.echo(f"Key {name!r}: its hash is in {path}. It won't be shown again.", err=True)


@keys_command.command("list", epilog=LIST_EXAMPLES)
@click.pass_obj
def list_keys(config_file: Path | None) -> None:
    """Show the keys' names and limits."""
    config, path = _configured(config_file)
    keys = [
        *((entry, "the configuration file") for entry in config.keys),
        *((entry, str(path)) for entry in read_keys(path)),
    ]
    for entry, place in keys:
        click.echo(f"{entry.name}\t{_limits_of(entry)}\t{place}")
    if not keys:
        wanted = config.keys_file is not None or path.exists()
        who = (
            "but one is required, so every request is rejected" if wanted else "so none is required"
        )
        click.echo(f"There are no keys, {who}; create one with `{_new_key()}`.", err=True)


@keys_command.command(epilog=REVOKE_EXAMPLES)
@click.argument("name")
@click.pass_obj
def revoke(config_file: Path | None, name: str) -> None:
    """Revoke a key.

    A running gateway notices it within a second.
    """
    config, path = _configured(config_file)
    if any(entry.name == name for entry in config.keys):
        raise ConfigurationError(f"the key {name!r} is in the configuration file; remove it there")

    def remove(entries: tuple[KeyEntry, ...]) -> tuple[KeyEntry, ...]:
        left = tuple(entry for entry in entries if entry.name != name)
        if len(left) == len(entries):
            there = ", ".join(entry.name for entry in entries) or "none"
            raise ConfigurationError(f"{path}: unknown key {name!r}; available: {there}")
        return left

    if not path.exists():
        raise ConfigurationError(f"unknown key {name!r}: {path} does not exist")
    change_keys(path, remove)
    click.echo(f"The key {name!r} is revoked.", err=True)
    if not (config.keys or read_keys(path)):
        click.echo(_after_the_last(config, path), err=True)


def _new_key() -> str:
    return command_line("keys", "new", "NAME")


def _after_the_last(config: AccessConfig, path: Path) -> str:
    """An empty file, or one that is named, still requires a key: see `KnownKeys.required`."""
    which = path if config.keys_file is None else f"plugins.access.keys_file and {path}"
    return (
        "Warning: that was the last key, and one is still required, so every request is rejected. "
        f"`{_new_key()}` creates another. To allow requests without a key again, delete {which} "
        "and restart the gateway, which then listens on loopback only."
    )


def _configured(config_file: Path | None) -> tuple[AccessConfig, Path]:
    """The section, and the file that the commands work on."""
    loaded = configuration(config_file)
    config, path = _keys_of(loaded)
    running = with_another_configuration(loaded.path) if config_file is None else None
    if running is not None and running.config is not None and _path_in(running.config) != path:
        click.echo(
            f"These are the keys in {path}; the gateway at {running.url} has its keys elsewhere: "
            f"{command_line('keys', '--config', str(running.config))}",
            err=True,
        )
    return config, path


def _keys_of(loaded: Config) -> tuple[AccessConfig, Path]:
    section = loaded.values.plugins.get(SECTION)
    try:
        config = AccessConfig.model_validate(section if isinstance(section, dict) else {})
    except ValidationError as error:
        raise loaded.explain(error, ("plugins", SECTION), AccessConfig) from None
    if (path := path_of(config, loaded.path)) is None:
        raise ConfigurationError("no home folder; set plugins.access.keys_file")
    return config, path


def _path_in(config_file: Path) -> Path | None:
    """The keys file of another configuration, if that can be read."""
    try:
        return _keys_of(configuration(config_file))[1]
    except ConfigurationError:
        return None


def _limits_of(entry: KeyEntry) -> str:
    limits = {
        "models": " ".join(entry.models) or None,
        "rpm": entry.requests_per_minute,
        "tpm": entry.tokens_per_minute,
        "concurrent": entry.concurrent,
    }
    given = [f"{name} {value}" for name, value in limits.items() if value is not None]
    return ", ".join(given) or "no limits"
