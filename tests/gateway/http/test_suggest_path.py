"""Which path a client meant."""

import pytest
from fastapi import APIRouter

from gateway.http.suggest_path import documented_paths, suggest_path

SERVED = (
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/completions"),
    ("GET", "/v1/models"),
    ("GET", "/health"),
)


@pytest.mark.parametrize(
    ("method", "path", "meant"),
    [
        ("POST", "/chat/completions", "/v1/chat/completions"),
        ("POST", "/v1/v1/chat/completions", "/v1/chat/completions"),
        ("POST", "/v1/chat/completions/", "/v1/chat/completions"),
        ("POST", "//v1/chat/completions", "/v1/chat/completions"),
        ("POST", "/api/completions", "/v1/completions"),
        ("GET", "/models", "/v1/models"),
        ("POST", "/models", None),
        ("GET", "/v1", None),
        ("GET", "/", None),
        ("GET", "/health", None),  # is there: whatever answers 404 has another reason
    ],
)
def test_the_path_that_was_meant(method: str, path: str, meant: str | None) -> None:
    assert suggest_path(method, path, SERVED) == meant


def test_only_documented_paths_without_parameters_are_told() -> None:
    router = APIRouter()
    for path, shown in (("/shown", True), ("/hidden", False), ("/things/{name}", True)):
        router.add_api_route(path, lambda: {}, methods=["GET"], include_in_schema=shown)
    assert documented_paths(router) == (("GET", "/shown"),)
