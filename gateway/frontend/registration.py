"""The description of a frontend, and the choice of one for each request.

Several formats share paths: `GET /v1/models`, and everything that is answered before a route is
there or without one (401, 404, 405). Each frontend therefore registers a predicate, and the first
whose predicate holds gives the answer its form. The quick 503 under overload and errors of a
connection come before the path and the headers are known: they have the form of the frontend that
matches a request for `/v1/chat/completions` without headers.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gateway.errors import GatewayError
from gateway.frontend.models import ListedModel

log = logging.getLogger("gateway.plugins")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsFormat:
    """How a frontend answers `GET /v1/models` and `GET /v1/models/NAME`.

    The schemas are JSON Schemas of the answers, for `/openapi.json`.
    """

    render_list: Callable[[Sequence[ListedModel], Request], Response]
    render_one: Callable[[ListedModel, Request], Response]
    list_schema: Mapping[str, Any]
    one_schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontend:
    """A wire format. `matches` says by path and headers whether a request is one of its own.

    `render_error` gives an error the format's form; the core adds `retry-after` and
    `x-should-retry`. `error_schema` is the JSON Schema of that form. Without `models`, another
    frontend answers for the list of models.
    """

    name: str
    matches: Callable[[Request], bool]
    render_error: Callable[[GatewayError, Request], Response]
    error_schema: Mapping[str, Any]
    models: ModelsFormat | None = None


class Frontends:
    """The frontends of one gateway, in the order in which they are asked."""

    def __init__(self) -> None:
        self._all: list[Frontend] = []
        self._failing: set[str] = set()

    def add(self, frontend: Frontend) -> None:
        """Register one. Raises `TypeError` and `ValueError`, as for a plugin's mistake."""
        if not isinstance(frontend, Frontend):
            raise TypeError(f"a frontend must be a gateway.frontend.Frontend, not {frontend!r}")
        if frontend.name in [other.name for other in self._all]:
            raise ValueError(f"two frontends are named {frontend.name!r}")
        self._all.append(frontend)

    def of(self, request: Request) -> Frontend | None:
        """The first that a request belongs to."""
        return next((each for each in self._all if self._matches(each, request)), None)

    def models_of(self, request: Request) -> ModelsFormat | None:
        """The form of the list of models, of the first frontend that has one for this request."""
        with_models = (each for each in self.with_models if self._matches(each, request))
        return next((each.models for each in with_models), None)

    def _matches(self, frontend: Frontend, request: Request) -> bool:
        """What its predicate says. A failing one matches nothing, and is logged the first time."""
        try:
            return frontend.matches(request)
        except Exception:
            if frontend.name not in self._failing:
                self._failing.add(frontend.name)
                log.exception("the frontend %s failed in `matches`", frontend.name)
            return False

    @property
    def with_models(self) -> tuple[Frontend, ...]:
        """Those that have a form for the list of models."""
        return tuple(each for each in self._all if each.models is not None)
