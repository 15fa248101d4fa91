"""Finding plugins, and registering them."""

import importlib.metadata
import inspect
import logging
import sys
from collections.abc import Iterable
from pathlib import Path

import pluggy

from gateway.errors import ConfigurationError
from gateway.hooks import specs
from gateway.hooks.calls import FIRST_RESULTS, HookCalls
from gateway.hooks.checks import MAY_BE_ASYNC, check_implementation, import_file
from gateway.hooks.clock import timed
from gateway.hooks.dispatch import Dispatcher, checked
from gateway.markers import PROJECT
from gateway.yaml_file.wording import nearest, one_line

log = logging.getLogger("gateway.plugins")

_FUNCTION = "function"  # of a HookImpl, where its type says that it is final

DISTRIBUTION = "dragoman"
ENTRY_POINT_GROUP = "dragoman"


class PluginRegistry:
    """The plugins of one gateway.

    `hooks` calls their hooks. `disabled` are names that are passed over wherever they come from.
    `register` and the `load_*` methods raise `ConfigurationError` with the plugin's name and origin.
    """

    def __init__(self, disabled: Iterable[str] = ()) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(specs)
        self._origins: dict[str, str] = {}
        self._files: dict[str, str] = {}
        self.disabled = frozenset(disabled)
        self.passed_over: set[str] = set()
        self._dispatcher = Dispatcher(self._manager, self._describe)
        self.hooks = HookCalls(self._dispatcher)

    @property
    def names(self) -> tuple[str, ...]:
        """The registered plugins' names, in order of registration."""
        return tuple(self._origins)

    def origin(self, name: str) -> str:
        """Where a plugin comes from: a distribution with its version, a file, or "code"."""
        return self._origins[name]

    def implementers(self, hook: str) -> tuple[str, ...]:
        """The plugins that implement a hook, in the order in which they are called."""
        return self._dispatcher.implementers(hook)

    def register(self, plugin: object, name: str, origin: str = "code") -> None:
        """Add one plugin: a module or any object with hook implementations."""
        if name in self.disabled:
            self.passed_over.add(name)
            return
        if name in self._origins:
            raise ConfigurationError(
                f"duplicate plugin name {name!r}: {self._origins[name]} and {origin}"
            )
        self._dispatcher.forget()
        self._origins[name] = origin
        self._files[name] = _file_of(plugin)
        try:
            self._manager.register(plugin, name)
        except (pluggy.PluginValidationError, ValueError) as error:
            raise ConfigurationError(f"{self._describe(name)}: {one_line(error)}") from error
        for caller in self._manager.get_hookcallers(plugin) or ():
            for implementation in caller.get_hookimpls():
                if implementation.plugin is plugin:
                    check_implementation(
                        implementation, caller.name, f"{self._describe(name)}, {caller.name}"
                    )
                    self._watch(implementation, caller.name)

    def _watch(self, implementation: pluggy.HookImpl, hook: str) -> None:
        """Time the calls that happen while requests wait; those at the start block no request."""
        if specs.KINDS.get(hook) in {"first", "fold", "notify"}:
            who = self._describe(implementation.plugin_name)
            function = timed(implementation.function, who, hook, awaited=hook in MAY_BE_ASYNC)
            is_wrapper = implementation.wrapper or implementation.hookwrapper
            if not is_wrapper and (expected := FIRST_RESULTS.get(hook)) is not None:
                function = checked(function, expected, who)
            setattr(implementation, _FUNCTION, function)

    def load_entry_points(self) -> None:
        """Load the built-in plugins, then other distributions', each sorted by name."""
        points = importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)

        def order(point: importlib.metadata.EntryPoint) -> tuple[bool, str]:
            return (point.dist is None or point.dist.name != DISTRIBUTION, point.name)

        for point in sorted(points, key=order):
            origin = f"{point.dist.name} {point.dist.version}" if point.dist else "an entry point"
            if point.name in self.disabled:
                self.passed_over.add(point.name)
                continue
            try:
                plugin = point.load()
                if inspect.isclass(plugin):
                    # each gateway has a plugin of its own, where it keeps state
                    plugin = plugin()
            except (Exception, SystemExit) as error:
                raise ConfigurationError(
                    f"plugin {point.name!r} ({origin}, {point.value}) can't be imported: {error!r}"
                ) from error
            self.register(plugin, point.name, origin)

    def load_files(self, folder: Path) -> None:
        """Load each `*.py` of a folder, sorted by name; names beginning with `_` are left out."""
        if not folder.is_dir():
            return
        for path in sorted(folder.glob("*.py")):
            if path.stem.startswith("_"):
                continue
            if path.stem in self.disabled:
                self.passed_over.add(path.stem)
                continue
            self.register(import_file(path), path.stem, str(path))

    @property
    def unknown(self) -> frozenset[str]:
        """Names that are disabled, but that no plugin has."""
        return self.disabled - self.passed_over

    def check_complete(self) -> None:
        """Reject misspelt hooks, and disabled plugins that are unknown. Raises `ConfigurationError`."""
        try:
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            name = self._manager.get_name(error.plugin) or "?"
            known = ", ".join(specs.KINDS)
            raise ConfigurationError(
                f"{self._describe(name)}: {one_line(error)}. Available hooks: {known}"
            ) from error
        for name in sorted(self.unknown):
            raise ConfigurationError(
                f"can't disable {name!r}: unknown plugin{nearest(name, self.names)}"
            )

    def _describe(self, name: str) -> str:
        where = (self._origins.get(name, "code"), self._files.get(name, ""))
        return f"plugin {name!r} ({', '.join(dict.fromkeys(filter(None, where)))})"


def _file_of(plugin: object) -> str:
    module = plugin if inspect.ismodule(plugin) else sys.modules.get(type(plugin).__module__)
    return getattr(module, "__file__", None) or ""
