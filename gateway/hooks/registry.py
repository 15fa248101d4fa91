"""Finding plugins, registering them, and calling their hooks by each hook's kind."""

import importlib.metadata
import inspect
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, TypeAlias, TypeVar, cast

import pluggy

from gateway.errors import ConfigurationError, GatewayError, ServerFault
from gateway.hooks import specs
from gateway.hooks.checks import MAY_BE_ASYNC, check_implementation, import_file
from gateway.hooks.clock import original, timed
from gateway.markers import PROJECT
from gateway.yaml_file.wording import nearest, one_line

log = logging.getLogger("gateway.plugins")

_FUNCTION = "function"  # of a HookImpl, where its type says that it is final

_NESTED = {"gateway_asgi_wrapper": "__call__", "gateway_lifespan": "__aenter__"}
"""What the results of the *nested* hooks must have."""

DISTRIBUTION = "dragoman"
ENTRY_POINT_GROUP = "dragoman"

T = TypeVar("T")

_Call: TypeAlias = Callable[[dict[str, object]], Any]


class PluginRegistry:
    """The plugins of one gateway.

    `disabled` are names that are passed over wherever they come from. `register` and the
    `load_*` methods raise `ConfigurationError` with the plugin's name, and where it is from.
    """

    def __init__(self, disabled: Iterable[str] = ()) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(specs)
        self._origins: dict[str, str] = {}
        self._files: dict[str, str] = {}
        self.disabled = frozenset(disabled)
        self.passed_over: set[str] = set()
        self._calls: dict[str, list[tuple[str, _Call]]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The registered plugins' names, in order of registration."""
        return tuple(self._origins)

    def origin(self, name: str) -> str:
        """Where a plugin comes from: a distribution with its version, a file, or "code"."""
        return self._origins[name]

    def implementers(self, hook: str) -> tuple[str, ...]:
        """The plugins that implement a hook, in the order in which they are called."""
        implementations = self._caller(hook).get_hookimpls()
        return tuple(implementation.plugin_name for implementation in reversed(implementations))

    def register(self, plugin: object, name: str, origin: str = "code") -> None:
        """Add one plugin: a module or any object with hook implementations."""
        if name in self.disabled:
            self.passed_over.add(name)
            return
        if name in self._origins:
            raise ConfigurationError(
                f"plugin name {name!r} is taken twice: by {self._origins[name]} and by {origin}"
            )
        self._calls.clear()
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
        """Time the calls that happen while requests wait; those at the start hold up nobody."""
        if specs.KINDS.get(hook) in {"first", "fold", "notify"}:
            who = self._describe(implementation.plugin_name)
            function = timed(implementation.function, who, hook, awaited=hook in MAY_BE_ASYNC)
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
        """Refuse misspelt hooks and disabling of plugins that do not exist."""
        try:
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            name = self._manager.get_name(error.plugin) or "?"
            known = ", ".join(specs.KINDS)
            raise ConfigurationError(
                f"{self._describe(name)}: {one_line(error)}. The hooks are: {known}"
            ) from error
        for name in sorted(self.unknown):
            raise ConfigurationError(
                f"no plugin is named {name!r}, so it can't be disabled{nearest(name, self.names)}"
            )

    # -- calling ----------------------------------------------------------------------

    def call_register(self, hook: str, **arguments: object) -> None:
        """Call a *register* hook. A failure is a `ConfigurationError` that names the plugin."""
        try:
            self._caller(hook)(**arguments)
        except Exception as error:
            culprit = self._culprit(hook, error.__traceback__)
            raise _stopped(culprit, hook, error) from error

    def call_register_each(self, hook: str, arguments: Callable[[str], dict[str, object]]) -> None:
        """Call a *register* hook plugin by plugin; `arguments` is told whose turn it is."""
        for name, implementation in self._implementations(hook):
            try:
                implementation(arguments(name))
            except Exception as error:
                raise _stopped(self._describe(name), hook, error) from error

    def call_first(self, hook: str, **arguments: object) -> Any:  # noqa: ANN401
        """Call a *first* hook. A failure that is no `GatewayError` becomes a `ServerFault`."""
        try:
            return self._caller(hook)(**arguments)
        except GatewayError:
            raise
        except Exception as error:
            raise self._fault(hook, self._culprit(hook, error.__traceback__), error) from error

    async def fold(
        self,
        hook: str,
        value: T,
        pass_as: str,
        changed: Callable[[T], object] = lambda _: None,
        **arguments: object,
    ) -> T:
        """Hand `value` from one implementation of a *fold* hook to the next.

        `pass_as` is the argument's name; `changed` is told of each new value. A result of another type than the value's is refused,
        unless the value's type is a protocol (streams).
        """
        for name, implementation in self._implementations(hook):
            try:
                result = implementation({pass_as: value, **arguments})
                if inspect.isawaitable(result):
                    result = await result
                if result is not None:
                    value = _same_kind(result, value)
                    changed(value)
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
                if result is not None and not hasattr(result, _NESTED[hook]):
                    raise TypeError(f"returned {result!r}, which has no {_NESTED[hook]}")
            except Exception as error:
                raise _stopped(self._describe(name), hook, error) from error
            if result is not None:
                results.append(result)
        return results

    # -- inside -----------------------------------------------------------------------

    def _caller(self, hook: str) -> pluggy.HookCaller:
        return cast(pluggy.HookCaller, getattr(self._manager.hook, hook))

    def _implementations(self, hook: str) -> list[tuple[str, _Call]]:
        if (found := self._calls.get(hook)) is None:  # asked for with each request
            implementations = reversed(self._caller(hook).get_hookimpls())
            found = [(each.plugin_name, _call_of(each)) for each in implementations]
            self._calls[hook] = found
        return found

    def _describe(self, name: str) -> str:
        where = (self._origins.get(name, "code"), self._files.get(name, ""))
        return f"plugin {name!r} ({', '.join(dict.fromkeys(filter(None, where)))})"

    def _culprit(self, hook: str, traceback: TracebackType | None) -> str:
        """Which implementation was running, read off the traceback: pluggy does not say."""
        implementations = self._caller(hook).get_hookimpls()
        while traceback is not None:
            for implementation in implementations:
                if _runs_in(traceback.tb_frame, implementation.function):
                    return self._describe(implementation.plugin_name)
            traceback = traceback.tb_next
        return "a plugin"

    def _fault(self, hook: str, culprit: str, error: Exception) -> ServerFault:
        log.error("%s failed in %s", culprit, hook, exc_info=error)
        return ServerFault(
            f"{culprit.split(' (', 1)[0]} failed in {hook}; the gateway's log has more"
        )


def _call_of(implementation: pluggy.HookImpl) -> _Call:
    """An implementation as a function of all its hook's arguments, of which it takes its own."""
    function, wanted = implementation.function, tuple(implementation.argnames)

    def call(arguments: dict[str, object]) -> object:
        return function(*[arguments[name] for name in wanted])

    return call


def _stopped(culprit: str, hook: str, error: Exception) -> ConfigurationError:
    if isinstance(error, ConfigurationError):  # nothing failed: the plugin says what is wrong
        return ConfigurationError(f"{error} ({culprit.split(' (', 1)[0]})")
    return ConfigurationError(f"{culprit} failed in {hook}: {error!r}")


def _runs_in(frame: FrameType, function: Callable[..., Any]) -> bool:
    """Whether a frame is a call of this very function; of methods, also of the same object."""
    function = original(function)
    code = getattr(function, "__code__", None)
    if frame.f_code is not code:
        return False
    owner = getattr(function, "__self__", None)
    return owner is None or frame.f_locals.get(code.co_varnames[0]) is owner


def _file_of(plugin: object) -> str:
    module = plugin if inspect.ismodule(plugin) else sys.modules.get(type(plugin).__module__)
    return getattr(module, "__file__", None) or ""


def _same_kind(result: T, value: T) -> T:
    if hasattr(value, "__anext__"):
        if not hasattr(result, "__anext__") or not hasattr(result, "aclose"):
            raise TypeError(f"returned {type(result).__name__}, not a stream or None")
    elif not isinstance(result, type(value)):
        raise TypeError(f"returned {type(result).__name__}, not {type(value).__name__} or None")
    return result
