"""Finding plugins, registering them, and calling their hooks by each hook's kind."""

import importlib.metadata
import importlib.util
import inspect
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, TypeVar, cast

import pluggy

from gateway import hookspecs
from gateway.errors import ConfigurationError, GatewayError, ServerFault
from gateway.markers import PROJECT

log = logging.getLogger("gateway.plugins")

DISTRIBUTION = "dragoman"
ENTRY_POINT_GROUP = "dragoman"

T = TypeVar("T")


class PluginRegistry:
    """The plugins of one gateway.

    `disabled` are names that are passed over wherever they come from. `register` and the
    `load_*` methods raise `ConfigurationError` with the plugin's name, and where it is from.
    """

    def __init__(self, disabled: Iterable[str] = ()) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._origins: dict[str, str] = {}
        self.disabled = frozenset(disabled)
        self.passed_over: set[str] = set()

    @property
    def names(self) -> tuple[str, ...]:
        """The registered plugins' names, in order of registration."""
        return tuple(self._origins)

    def origin(self, name: str) -> str:
        """Where a plugin comes from: a distribution with its version, a file, or "code"."""
        return self._origins[name]

    def register(self, plugin: object, name: str, origin: str = "code") -> None:
        """Add one plugin: a module or any object with hook implementations."""
        if name in self.disabled:
            self.passed_over.add(name)
            return
        if name in self._origins:
            raise ConfigurationError(
                f"plugin name {name!r} is taken twice: by {self._origins[name]} and by {origin}"
            )
        try:
            self._manager.register(plugin, name)
        except (pluggy.PluginValidationError, ValueError) as error:
            raise ConfigurationError(f"plugin {name!r} ({origin}): {error}") from error
        self._origins[name] = origin
        for caller in self._manager.get_hookcallers(plugin) or ():
            for implementation in caller.get_hookimpls():
                if implementation.plugin is plugin:
                    self._check(implementation, caller.name)

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
            except Exception as error:
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
            self.register(_import_file(path), path.stem, str(path))

    def check_complete(self) -> None:
        """Refuse misspelt hooks and disabling of plugins that do not exist."""
        try:
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            name = self._manager.get_name(error.plugin) or "?"
            known = ", ".join(hookspecs.KINDS)
            raise ConfigurationError(
                f"plugin {name!r} ({self._origins.get(name)}): {error}. The hooks are: {known}"
            ) from error
        if unknown := self.disabled - self.passed_over:
            raise ConfigurationError(
                f"no plugin named {sorted(unknown)[0]!r} to disable; there are: {', '.join(self.names)}"
            )

    # -- calling ----------------------------------------------------------------------

    def call_register(self, hook: str, **arguments: object) -> None:
        """Call a *register* hook. A failure is a `ConfigurationError` that names the plugin."""
        try:
            self._caller(hook)(**arguments)
        except ConfigurationError:
            raise
        except Exception as error:
            culprit = self._culprit(hook, error.__traceback__)
            raise ConfigurationError(f"{culprit} failed in {hook}: {error!r}") from error

    def call_first(self, hook: str, **arguments: object) -> Any:  # noqa: ANN401
        """Call a *first* hook. A failure that is no `GatewayError` becomes a `ServerFault`."""
        try:
            return self._caller(hook)(**arguments)
        except GatewayError:
            raise
        except Exception as error:
            raise self._fault(hook, self._culprit(hook, error.__traceback__), error) from error

    async def fold(self, hook: str, value: T, pass_as: str, **arguments: object) -> T:
        """Hand `value` from one implementation of a *fold* hook to the next.

        `pass_as` is the argument's name. A result of another type than the value's is refused,
        unless the value's type is a protocol (streams).
        """
        for name, implementation in self._implementations(hook):
            try:
                result = implementation({pass_as: value, **arguments})
                if inspect.isawaitable(result):
                    result = await result
                if result is not None:
                    value = _same_kind(result, value)
            except GatewayError:
                raise
            except Exception as error:
                raise self._fault(hook, self._describe(name), error) from error
        return value

    def collect(self, hook: str, **arguments: object) -> Iterator[tuple[str, Any]]:
        """Call each implementation of a *notify* hook; what raises is logged and left out."""
        for name, implementation in self._implementations(hook):
            try:
                result = implementation(arguments)
            except Exception:
                log.exception("%s failed in %s", self._describe(name), hook)
                continue
            if result is not None:
                yield name, result

    def call_nested(self, hook: str, **arguments: object) -> list[Any]:
        """The results of a *nested* hook, outermost first. Fails as *register* does."""
        results = []
        for name, implementation in self._implementations(hook):
            try:
                result = implementation(arguments)
            except Exception as error:
                raise ConfigurationError(
                    f"{self._describe(name)} failed in {hook}: {error!r}"
                ) from error
            if result is not None:
                results.append(result)
        return results

    # -- inside -----------------------------------------------------------------------

    def _caller(self, hook: str) -> pluggy.HookCaller:
        return cast(pluggy.HookCaller, getattr(self._manager.hook, hook))

    def _implementations(
        self, hook: str
    ) -> Iterator[tuple[str, Callable[[dict[str, object]], Any]]]:
        for implementation in reversed(self._caller(hook).get_hookimpls()):

            def call(
                arguments: dict[str, object],
                function: Callable[..., Any] = implementation.function,
                wanted: tuple[str, ...] = tuple(implementation.argnames),
            ) -> object:
                return function(*(arguments[name] for name in wanted))

            yield implementation.plugin_name, call

    def _check(self, implementation: pluggy.HookImpl, hook: str) -> None:
        where = f"{self._describe(implementation.plugin_name)}, {hook}"
        if implementation.kwargnames:
            raise ConfigurationError(
                f"{where}: the parameters {implementation.kwargnames} have default values, "
                "and so would never be given anything; remove the defaults"
            )
        kind = hookspecs.KINDS.get(hook)
        function = implementation.function
        if kind in {"register", "first", "nested"} and (
            inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
        ):
            raise ConfigurationError(
                f"{where}: must be a plain `def`; it may return something asynchronous"
            )
        if kind in {"fold", "nested", "notify"} and (
            implementation.wrapper or implementation.hookwrapper
        ):
            raise ConfigurationError(f"{where}: hook wrappers have no meaning for a {kind} hook")

    def _describe(self, name: str) -> str:
        return f"plugin {name!r} ({self._origins.get(name, 'code')})"

    def _culprit(self, hook: str, traceback: TracebackType | None) -> str:
        """Which implementation was running, read off the traceback: pluggy does not say."""
        owners = {
            getattr(implementation.function, "__code__", None): implementation.plugin_name
            for implementation in self._caller(hook).get_hookimpls()
        }
        while traceback is not None:
            if name := owners.get(traceback.tb_frame.f_code):
                return self._describe(name)
            traceback = traceback.tb_next
        return "a plugin"

    def _fault(self, hook: str, culprit: str, error: Exception) -> ServerFault:
        log.error("%s failed in %s", culprit, hook, exc_info=error)
        return ServerFault(
            f"{culprit.split(' (', 1)[0]} failed in {hook}; the gateway's log has more"
        )


def _import_file(path: Path) -> ModuleType:
    name = f"dragoman_plugin_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"plugin file {path} can't be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ConfigurationError(f"plugin file {path} can't be imported: {error!r}") from error
    return module


def _same_kind(result: T, value: T) -> T:
    if hasattr(value, "__anext__") != hasattr(result, "__anext__") or (
        not hasattr(value, "__anext__") and not isinstance(result, type(value))
    ):
        raise TypeError(f"returned {type(result).__name__}, not {type(value).__name__} or None")
    return result
