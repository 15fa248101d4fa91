"""Validating a configuration against the plugins: their sections, and the models."""

from pathlib import Path
from typing import Final

from pydantic import BaseModel

from gateway.config.settings import Config, packaged_file
from gateway.errors import ConfigurationError
from gateway.hooks.calls import RegisterModel
from gateway.hooks.registry import PluginRegistry
from gateway.models.model_map import ModelEntry, ModelMap

USER_FILE: Final = "~/.config/dragoman/models.yaml"


def validated(config: Config, registry: PluginRegistry) -> ModelMap:
    """Validate the plugins' sections, and make the model map. Raises `ConfigurationError`."""
    _validate_sections(config, registry)
    config.check_trust()
    models = _model_map(config, registry)
    registry.hooks.check_models(models, config)
    return models


def check_disabled(config: Config, registry: PluginRegistry) -> None:
    """Reject `name: false` for an unknown plugin. Raises `ConfigurationError`."""
    there = {*registry.names, *registry.passed_over}
    for name in sorted(config.disabled_plugins - there):
        raise config.error(("plugins", name), f"unknown plugin {name!r}", name, registry.names)


def _validate_sections(config: Config, registry: PluginRegistry) -> None:
    claimed: dict[str, type[BaseModel]] = {}

    def register(name: str, model: type[BaseModel]) -> None:
        if name in claimed:
            raise ConfigurationError(f"the section {name!r} is claimed by two plugins")
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise TypeError(f"the section {name!r} needs a pydantic model, not {model!r}")
        claimed[name] = model

    registry.hooks.register_config(register)
    config.validate_sections(claimed, registry.disabled | config.disabled_plugins)


def _model_map(config: Config, registry: PluginRegistry) -> ModelMap:
    values = config.values
    entries, sources = ({}, {}) if config.names_models else _from_code(registry)
    for section, names in (("models", values.models or {}), ("aliases", values.aliases)):
        for name in names:
            if name.count("*") > 1:
                raise config.error((section, name), f"more than one * in {name!r}")
            if section == "models" or name not in (values.models or {}):
                sources[name] = config.source((section, name))
    every = {**entries, **(values.models or {})}
    models = ModelMap(every, values.aliases, sources, _named(config.path), config.replaced)
    for alias, name in models.lost_aliases():
        if models.goes_round(alias):
            raise config.error(("aliases", alias), f"the alias {alias!r} is circular")
        what = f"the alias {alias!r} points to {name!r}, which is not a model"
        raise config.error(("aliases", alias), what, name, models.names)
    for split, name in models.lost_splits():
        what = f"the split {split!r} points to {name!r}, which is not a model with a backend"
        whole = [one for one in models.names if one != split]
        raise config.error(("models", split, "split", name), what, name, whole)
    return models


def _named(path: Path | None) -> str:
    """The file to change, as clients may be told of it: no folder but the usual one."""
    if path is None or path.resolve() == packaged_file():
        return USER_FILE
    try:
        is_users = path.resolve() == Path(USER_FILE).expanduser().resolve()
    except RuntimeError:  # a user without a home
        is_users = False
    return USER_FILE if is_users else path.name


def _from_code(registry: PluginRegistry) -> tuple[dict[str, ModelEntry], dict[str, str]]:
    """The plugins' models, and which plugin each is from."""
    entries: dict[str, ModelEntry] = {}
    sources: dict[str, str] = {}

    def register_for(plugin: str) -> RegisterModel:
        def register(name: str, entry: ModelEntry) -> None:
            if not isinstance(entry, ModelEntry):
                raise TypeError(f"the model {name!r} needs a ModelEntry, not {entry!r}")
            entries.setdefault(name, entry)
            sources.setdefault(name, f"plugin {plugin}")

        return register

    registry.hooks.register_models(register_for)
    return entries, sources
