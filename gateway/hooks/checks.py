"""Checks of a plugin before it may run: that it imports, and its hooks' signatures."""

import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType

import pluggy

from gateway.errors import ConfigurationError
from gateway.hooks.specs import KINDS

MAY_BE_ASYNC = {"gateway_transform_request", "gateway_wrap_stream", "gateway_health"}
"""The hooks whose results are awaited, so that `async def` means something for them."""


def check_implementation(implementation: pluggy.HookImpl, hook: str, where: str) -> None:
    """Reject hooks that pluggy accepts but would call wrongly. Raises `ConfigurationError`."""
    if hook not in KINDS:
        return  # misspelt; found when all plugins are loaded
    if never_given := _never_given(implementation):
        raise ConfigurationError(
            f"{where}: the hook never sets {', '.join(map(repr, never_given))}; use positional "
            "parameters without default values"
        )
    function = implementation.function
    if hook not in MAY_BE_ASYNC and (
        inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
    ):
        raise ConfigurationError(f"{where}: must be a plain `def`; it may return an awaitable")
    is_wrapper = implementation.wrapper or implementation.hookwrapper
    by_pluggy = KINDS[hook] in {"register", "first"} and hook != "gateway_register_models"
    if is_wrapper and not by_pluggy:
        raise ConfigurationError(
            f"{where}: hook wrappers are not supported for a {KINDS[hook]} hook"
        )
    if not is_wrapper and inspect.isgeneratorfunction(function):
        raise ConfigurationError(f"{where}: must not `yield`: only hook wrappers can be generators")


def _never_given(implementation: pluggy.HookImpl) -> list[str]:
    parameters = inspect.signature(implementation.function).parameters.values()
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [
        parameter.name
        for parameter in parameters
        if parameter.kind not in by_position or parameter.default is not parameter.empty
    ]


def import_file(path: Path) -> ModuleType:
    """Import one plugin file. Raises `ConfigurationError` that names it."""
    name = f"dragoman_plugin_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None  # noqa: S101 - the name ends in .py
    assert spec.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        sys.modules.pop(name, None)
        raise ConfigurationError(f"plugin file {path} can't be imported: {error!r}") from error
    return module
