"""Suggesting a path for an unknown one: base URLs lack /v1, have it twice, or a slash too much."""

from collections.abc import Iterable, Sequence

from fastapi import APIRouter
from starlette.routing import Route


def documented_paths(router: APIRouter) -> tuple[tuple[str, str], ...]:
    """The methods and paths that may be suggested: documented, and without parameters."""
    return tuple(
        (method, route.path)
        for route in router.routes
        if isinstance(route, Route) and route.include_in_schema and "{" not in route.path
        for method in route.methods or ()
    )


def suggest_path(method: str, path: str, served: Iterable[tuple[str, str]]) -> str | None:
    """The path that ends as this one does, if any; of several the one with most in common."""
    asked = _segments(path)
    paths = [known for takes, known in served if takes == method and known != path]
    ranked = [(_shared(asked, _segments(known)), -len(known), known) for known in paths]
    shared, _, known = max(ranked, default=(0, 0, ""))
    return known if shared else None


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many of the last segments are the same."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
