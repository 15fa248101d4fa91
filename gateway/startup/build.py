"""Putting a gateway together: the configuration, the plugins, the models, the tools."""

import logging
from collections.abc import Sequence
from pathlib import Path

from gateway import __version__
from gateway.config.chosen_file import configuration
from gateway.config.settings import Config
from gateway.frontend.registration import Frontends
from gateway.hooks.registry import PluginRegistry
from gateway.http import health
from gateway.machine.command_name import command_line
from gateway.pipeline.gateway import CoreGateway
from gateway.startup.validation import check_disabled, validated
from gateway.tools import ServedTools

log = logging.getLogger("gateway")


def build_gateway(
    config_file: Path | None = None,
    *,
    disabled: Sequence[str] = (),
    plugins: Sequence[tuple[str, object]] = (),
    offline: bool = False,
    overrides: dict[str, dict[str, object]] | None = None,
    from_folder: bool = False,
) -> CoreGateway:
    """Read the configuration and load every plugin.

    With `from_folder`, as for `serve`, the current folder's `models.yaml` may be used, but neither
    the code beside it nor keys that need trust. `plugins` are registered last, by name; `overrides`
    replaces keys of plugin sections. Raises `ConfigurationError`.
    """
    config = configuration(config_file, from_folder=from_folder)
    registry = PluginRegistry({*disabled, *config.disabled_plugins})
    registry.register(health, "health", f"dragoman {__version__}")
    registry.load_entry_points()
    _load_code_beside(config, registry)
    for name, plugin in plugins:
        registry.register(plugin, name)
    check_disabled(config, registry)
    registry.check_complete()
    config.override(overrides or {})
    models = validated(config, registry)
    tools = ServedTools()
    registry.hooks.register_tools(tools.add)
    frontends = Frontends()
    registry.hooks.register_frontends(frontends.add)
    return CoreGateway(config, registry, models, tools, frontends=frontends, offline=offline)


def _load_code_beside(config: Config, registry: PluginRegistry) -> None:
    """Load the files in `plugins/`, unless the configuration was only found in the current folder."""
    if config.path is None:
        return
    if config.trusted:
        registry.load_files(config.path.parent / "plugins")
    elif files := config.code_beside():
        log.warning(
            "not loading the code beside the %s of the current folder: %s; if you trust it: %s",
            config.path.name,
            ", ".join(_printable(path) for path in files.values()),
            command_line("serve", "--config", str(config.path)),
        )


def _printable(path: Path) -> str:
    """The name of a file may hold control sequences for the terminal."""
    text = str(path)
    return text if text.isprintable() else ascii(text)
