"""A backend's part of `GET /health`, for plugins that fill it and for those that read it.

A backend returns a `BackendStatus` from `gateway_health`. `dragoman status` and `GET /metrics` read
it with `read_status`; what a part lacks, they leave out.
"""

import types
from collections.abc import Mapping
from functools import cache
from typing import (
    Any,
    Final,
    TypedDict,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

__all__ = [
    "Account",
    "BackendStatus",
    "CliCheck",
    "CliInstalled",
    "Quota",
    "QuotaWindow",
    "RefusedLogin",
    "read_status",
]


class QuotaWindow(TypedDict, total=False):
    """A window of the plan's quota. `utilization` is from 0 to 1, `resets_at` is in Unix time."""

    utilization: float | None
    resets_at: float | None


class Quota(TypedDict, total=False):
    """The plan's quota, as far as it is known.

    `status`, `limit` (the window's name) and `resets_at` (Unix time) are those of the last answer.
    `windows` are all that are known, by name.
    """

    status: str | None
    limit: str | None
    resets_at: float | None
    windows: dict[str, QuotaWindow]


class Account(TypedDict, total=False):
    """Why the account is refused: the `state` in a word, and a sentence for people.

    `since` and `resets_at` are in Unix time. `models` is the part of their names that the models
    concerned have in common, None for all models.
    """

    state: str
    message: str
    since: float
    resets_at: float | None
    models: str | None


class RefusedLogin(TypedDict, total=False):
    """The time at which the API rejected the login (ISO 8601), and its message."""

    at: str
    message: str


class CliCheck(TypedDict, total=False):
    """Whether the program's behaviour was `checked`, and the checks that failed or were undecided."""

    checked: bool
    differs: list[str]
    unknown: list[str]


class CliInstalled(TypedDict, total=False):
    """How the program was installed (`by`), its age in days and in words, and whether it is `stale`.

    `update` is the command that brings a newer one.
    """

    by: str
    age_days: int | None
    age: str | None
    stale: bool
    update: str


class BackendStatus(TypedDict, total=False):
    """How a backend is. All keys are optional.

    `status` is "ok" if requests are answered as they should be, "starting" while that is unknown;
    anything else degrades the gateway. `message` gives the reason, and with `ready` False no
    request can be answered. With `stand_in` answers are made up, and with `waiting_for_login` that
    lasts until there is a login.

    `processes` counts processes by state, "waiting" the requests in the queue. `taken` counts answers
    by the origin of their process: "live" (it had the conversation), "spare" (started ahead) or
    "cold". `account` is there while the account is refused.

    `logged_in` is None if unknown, and `login` names the kind of login. Keys that begin with `cli_` are
    about the program that a backend runs: `cli_named` says whether the configuration names it, and
    `answers` whether it tells its version.
    """

    status: str
    message: str
    cli_named: bool
    cli_path: str
    cli_version: str | None
    answers: bool
    logged_in: bool | None
    login: str | None
    stand_in: bool
    processes: dict[str, int]
    taken: dict[str, int]
    quota: Quota
    account: Account
    login_refused: RefusedLogin
    cli_check: CliCheck
    ready: bool
    waiting_for_login: bool
    cli_installed: CliInstalled


def read_status(part: object) -> BackendStatus | None:
    """A part of the JSON of `GET /health` as a backend's; None if the part is not an object.

    Unknown keys are left out, as are values of another type, which another version may send. JSON
    has one type of numbers, so 3.0 is the count 3.
    """
    if not isinstance(part, Mapping):
        return None
    return cast(BackendStatus, _fitting(part, BackendStatus))


_UNFIT: Final = object()
_hints = cache(get_type_hints)


def _fitting(value: object, kind: Any) -> object:  # noqa: ANN401
    """A JSON value without the parts that are not of this type; `_UNFIT` if nothing is left."""
    if is_typeddict(kind):
        return _mapping(value, _hints(kind)) if isinstance(value, Mapping) else _UNFIT
    origin, inner = get_origin(kind), get_args(kind)
    if origin is dict:
        return (
            _mapping(value, dict.fromkeys(value, inner[1]))
            if isinstance(value, Mapping)
            else _UNFIT
        )
    if origin is list:
        if not isinstance(value, list):
            return _UNFIT
        return [fitting for each in value if (fitting := _fitting(each, inner[0])) is not _UNFIT]
    if origin in (Union, types.UnionType):
        found = (_fitting(value, one) for one in inner)
        return next((each for each in found if each is not _UNFIT), _UNFIT)
    if kind is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind is float:
        kind = int | float
    fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    return value if fits else _UNFIT


def _mapping(values: Mapping[str, object], kinds: Mapping[str, Any]) -> dict[str, object]:
    found = {name: _fitting(values[name], kind) for name, kind in kinds.items() if name in values}
    return {name: value for name, value in found.items() if value is not _UNFIT}
