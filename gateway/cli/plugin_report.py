"""Reports on a gateway's plugins: for `dragoman plugins list` and `plugins check`."""

import importlib.metadata
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import click

from gateway.config.settings import Config, packaged_file
from gateway.hooks.checks import import_file
from gateway.hooks.registry import ENTRY_POINT_GROUP, PluginRegistry
from gateway.hooks.specs import KINDS
from gateway.http.app import create_app
from gateway.startup.build import build_gateway

State: TypeAlias = Literal["on", "configured", "off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginReport:
    """One plugin. `hooks` has its place in the order of calling for each of its hooks, from 1.

    `configured` means that it has a section in the YAML; `off`, that it is disabled, and then
    everything else is unknown.
    """

    name: str
    origin: str
    version: str | None
    state: State
    hooks: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def report(registry: PluginRegistry, config: Config) -> list[PluginReport]:
    """All plugins, in order of registration; the disabled ones last."""
    found = [_one(name, registry, config) for name in registry.names]
    off = [
        PluginReport(name=name, origin="", version=None, state="off", hooks={})
        for name in sorted(registry.passed_over)
    ]
    return found + off


def _one(name: str, registry: PluginRegistry, config: Config) -> PluginReport:
    origin, _, version = registry.origin(name).rpartition(" ")
    is_distribution = bool(origin) and "/" not in version
    places = {hook: registry.implementers(hook) for hook in KINDS}
    return PluginReport(
        name=name,
        origin=origin if is_distribution else registry.origin(name),
        version=version if is_distribution else None,
        state="configured" if config.enabled(name) else "on",
        hooks={hook: names.index(name) + 1 for hook, names in places.items() if name in names},
    )


def check_file(path: Path) -> PluginReport:
    """Start a gateway with the default configuration, and this file as the only plugin.

    All *register* and *nested* hooks are called. Raises `ConfigurationError` with what the
    gateway's start would say.
    """
    installed = {point.name for point in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)}
    plugin = (path.stem, import_file(path))
    disabled = tuple(installed - {path.stem})
    gateway = build_gateway(packaged_file(), disabled=disabled, plugins=[plugin])
    gateway.plugins.hooks.register_commands(click.Group())
    create_app(gateway)
    gateway.plugins.hooks.lifespans(gateway)
    reports = report(gateway.plugins, gateway.config)
    return next(found for found in reports if found.name == path.stem)
