"""What middleware knows about a request and leaves for those behind it, in `request.state`."""

from collections.abc import Callable, MutableMapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

from starlette.requests import HTTPConnection
from starlette.types import Scope

__all__ = ["MayUseModel", "RequestState"]

_T = TypeVar("_T")

MayUseModel: TypeAlias = Callable[[str, Sequence[str]], bool]
"""`may_use(asked, reach)`: by the client's name for a model, and the entries that it can lead to."""


class _Entry(Generic[_T]):
    """One value of `request.state` under its own name; `default` holds where it was never set."""

    def __init__(self, default: _T) -> None:
        self._default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, state: "RequestState", owner: type) -> _T:
        value: _T = state.values.get(self._name, self._default)
        return value

    def __set__(self, state: "RequestState", value: _T) -> None:
        state.values[self._name] = value


class RequestState:
    """A typed view of `request.state`; every part of the gateway reads and sets it through this.

    `request_id` and `started` (`time.perf_counter()`) are set for each HTTP request.

    The others are None unless middleware has set them. `client_key` is the name of the client's
    key. `may_use_model` is for lists of models, if the key has not all. `admit_answers(number)` is
    for a frontend that opens several answers for one request, before it does; it raises
    `RateLimited` or `InvalidRequest`.
    """

    request_id = _Entry[str]("")
    started = _Entry[float](0.0)
    client_key = _Entry[str | None](None)
    may_use_model = _Entry[MayUseModel | None](None)
    admit_answers = _Entry[Callable[[int], None] | None](None)

    def __init__(self, values: MutableMapping[str, Any]) -> None:
        self.values = values

    @classmethod
    def of(cls, connection: HTTPConnection | Scope) -> "RequestState":
        """The state of a request or of its scope, for middleware."""
        scope = connection.scope if isinstance(connection, HTTPConnection) else connection
        return cls(scope.setdefault("state", {}))
