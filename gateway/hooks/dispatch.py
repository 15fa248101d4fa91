"""Calling the implementations of a hook by its kind; `gateway.hooks.calls` has a method for each hook.

pluggy gives all implementations the same arguments, and loses all results when one of them raises.
That suits *register* and *first*, which are pluggy's own calls, and no other kind.
"""

import functools
import inspect
import logging
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast

import pluggy

from gateway.errors import ConfigurationError, GatewayError, ServerFault
from gateway.hooks.clock import original

log = logging.getLogger("gateway.plugins")

T = TypeVar("T")

_Call: TypeAlias = Callable[[dict[str, object]], Any]


class Expected(NamedTuple):
    """The results that a hook may return beside None: in words, and as a test."""

    words: str
    fits: Callable[[Any], bool]

    def check(self, result: object) -> None:
        """Raises `TypeError` for anything else."""
        if result is not None and not self.fits(result):
            raise TypeError(f"returned {type(result).__name__}, not {self.words} or None")


class WrongResult(ServerFault):
    """The result of a *first* hook has the wrong type. It is already in the log."""


class _Misfit(TypeError):
    """A wrong result, with the words for the plugin that returned it."""

    def __init__(self, message: str, culprit: str) -> None:
        super().__init__(message)
        self.culprit = culprit


def checked(function: Callable[..., Any], expected: Expected, who: str) -> Callable[..., Any]:
    """The same function, which raises where it returns something else than expected.

    For implementations of *first* hooks: pluggy does not tell which one a result is from.
    """

    @functools.wraps(function)  # also keeps what `original` reads
    def call(*arguments: object) -> object:
        result = function(*arguments)
        try:
            expected.check(result)
        except TypeError as error:
            if inspect.iscoroutine(result):
                result.close()
            raise _Misfit(str(error), who) from None
        return result

    return call


class Dispatcher:
    """Calls hooks by name. `describe` turns a plugin's name into words for errors and the log."""

    def __init__(self, manager: pluggy.PluginManager, describe: Callable[[str], str]) -> None:
        self._manager = manager
        self._describe = describe
        self._calls: dict[str, list[tuple[str, _Call]]] = {}

    def forget(self) -> None:
        """Look the implementations up again: another plugin was registered."""
        self._calls.clear()

    def implementers(self, hook: str) -> tuple[str, ...]:
        """The plugins that implement a hook, in the order in which they are called."""
        implementations = self._caller(hook).get_hookimpls()
        return tuple(implementation.plugin_name for implementation in reversed(implementations))

    def register(self, hook: str, **arguments: object) -> None:
        """Call a *register* hook. A failure is a `ConfigurationError` that names the plugin."""
        try:
            self._caller(hook)(**arguments)
        except Exception as error:
            culprit = self._culprit(hook, error.__traceback__)
            raise _stopped(culprit, hook, error) from error

    def register_each(self, hook: str, arguments: Callable[[str], dict[str, object]]) -> None:
        """Call a *register* hook plugin by plugin; `arguments` gets the name of each."""
        for name, implementation in self._implementations(hook):
            try:
                implementation(arguments(name))
            except Exception as error:
                raise _stopped(self._describe(name), hook, error) from error

    def first(self, hook: str, expected: Expected, about: str = "", **arguments: object) -> Any:  # noqa: ANN401
        """The first result of a *first* hook. Any failure but a `GatewayError` is a `ServerFault`.

        Errors name the hook, the plugin and, with `about`, the subject of the call. The plugin is
        unknown only for a wrong result that a hook wrapper has put in place of another one.
        """
        place = f"{hook} for {about}" if about else hook
        try:
            result = self._caller(hook)(**arguments)
            expected.check(result)
        except GatewayError:
            raise
        except _Misfit as error:
            raise self._fault(place, error.culprit, error, WrongResult) from error
        except Exception as error:
            raise self._fault(place, self._culprit(hook, error.__traceback__), error) from error
        return result

    async def fold(
        self,
        hook: str,
        value: T,
        pass_as: str,
        expected: Expected,
        changed: Callable[[T], object] = lambda _: None,
        **arguments: object,
    ) -> T:
        """Hand `value` from one implementation of a *fold* hook to the next.

        `pass_as` is the argument's name; `changed` gets each new value at once, also if a later
        implementation fails.
        """
        for name, implementation in self._implementations(hook):
            try:
                result = implementation({pass_as: value, **arguments})
                if inspect.isawaitable(result):
                    result = await result
                expected.check(result)
                if result is not None:
                    value = result
                    changed(value)
            except GatewayError:
                raise
            except Exception as error:
                raise self._fault(hook, self._describe(name), error) from error
        return value

    def notify(
        self, hook: str, expected: Expected, **arguments: object
    ) -> Iterator[tuple[str, Any]]:
        """The results of a *notify* hook by plugin; a failure is logged and left out."""
        for name, implementation in self._implementations(hook):
            try:
                result = implementation(arguments)
                expected.check(result)
            except Exception:
                log.exception("%s failed in %s", self._describe(name), hook)
                continue
            if result is not None:
                yield name, result

    def nested(self, hook: str, expected: Expected, **arguments: object) -> list[Any]:
        """The results of a *nested* hook, outermost first. Fails as *register* does."""
        results = []
        for name, implementation in self._implementations(hook):
            try:
                result = implementation(arguments)
                expected.check(result)
            except Exception as error:
                raise _stopped(self._describe(name), hook, error) from error
            if result is not None:
                results.append(result)
        return results

    def _caller(self, hook: str) -> pluggy.HookCaller:
        return cast(pluggy.HookCaller, getattr(self._manager.hook, hook))

    def _implementations(self, hook: str) -> list[tuple[str, _Call]]:
        if (found := self._calls.get(hook)) is None:  # looked up with each request
            implementations = reversed(self._caller(hook).get_hookimpls())
            found = [(each.plugin_name, _call_of(each)) for each in implementations]
            self._calls[hook] = found
        return found

    def _culprit(self, hook: str, traceback: TracebackType | None) -> str:
        """The implementation that was running, read off the traceback: pluggy does not tell."""
        implementations = self._caller(hook).get_hookimpls()
        while traceback is not None:
            for implementation in implementations:
                if _runs_in(traceback.tb_frame, implementation.function):
                    return self._describe(implementation.plugin_name)
            traceback = traceback.tb_next
        return "a plugin"

    def _fault(
        self, place: str, culprit: str, error: Exception, kind: type[ServerFault] = ServerFault
    ) -> ServerFault:
        log.error("%s failed in %s", culprit, place, exc_info=error)
        return kind(f"{culprit.split(' (', 1)[0]} failed in {place}; see the gateway's log")


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
