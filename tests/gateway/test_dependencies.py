"""What is imported is declared, what is declared is used, and each has the versions that fit."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SOURCES = sorted(path for part in ("gateway", "plugins") for path in (ROOT / part).rglob("*.py"))

EXTRA_OF = {
    "gateway/testing/": "dev",  # for the tests of plugins
    "plugins/gateway_tools/mcp_client.py": "mcp",
    "plugins/gateway_request_log/otel.py": "otel",
}
"""Files that are imported only where an extra is installed."""

IN_NAMESPACE = {
    "opentelemetry.exporter.otlp.proto.http": "opentelemetry-exporter-otlp-proto-http",
    "opentelemetry.sdk": "opentelemetry-sdk",
    "opentelemetry": "opentelemetry-api",
}
"""Packages that share a name; the first that fits."""

NOT_IMPORTED = {
    "uvloop": "uvicorn takes it where it is installed",
    "claude-agent-sdk": "only the binary of its wheel is used",
}


def normalized(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(requirements: list[str]) -> dict[str, str]:
    """Names, and the versions that fit."""
    found = [re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?([^;]*)", each) for each in requirements]
    return {normalized(each[1]): each[2].strip() for each in found if each}


ALWAYS = declared(PROJECT["dependencies"])
EXTRAS = {name: declared(each) for name, each in PROJECT["optional-dependencies"].items()}


def imports(path: Path) -> Iterator[str]:
    """Full names of imported modules of other projects."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom(level=0, module=str(module)):
                yield module


@cache
def distributions() -> dict[str, list[str]]:
    return dict(packages_distributions())


def distribution(module: str) -> str | None:
    """The package that has a module; None for the standard library's and our own."""
    for name, package in IN_NAMESPACE.items():
        if module == name or module.startswith(f"{name}."):
            return package
    top = module.partition(".")[0]
    if top == "gateway" or top.startswith("gateway_"):
        return None
    return next((normalized(name) for name in distributions().get(top, ())), None)


def test_each_imported_package_is_declared() -> None:
    assert len(SOURCES) > 100
    missing = set()
    for path in SOURCES:
        name = path.relative_to(ROOT).as_posix()
        extra = next((each for start, each in EXTRA_OF.items() if name.startswith(start)), None)
        known = ALWAYS.keys() | (EXTRAS[extra].keys() if extra else set())
        packages = {distribution(module) for module in imports(path)} - {None}
        missing |= {(name, package) for package in packages - known}
    assert missing == set()


def test_each_declared_package_is_imported() -> None:
    imported = {distribution(module) for path in SOURCES for module in imports(path)}
    wanted = ALWAYS.keys() | {
        name for extra, packages in EXTRAS.items() if extra != "dev" for name in packages
    }
    assert wanted - imported == NOT_IMPORTED.keys()


def test_the_tests_have_what_the_extras_have() -> None:
    for extra in ("mcp", "otel"):
        assert EXTRAS[extra].items() <= EXTRAS["dev"].items() | {("httpx2", ">=2.10")}


@pytest.mark.parametrize("name", ALWAYS)
def test_each_has_an_oldest_version(name: str) -> None:
    assert re.search(r">=\d", ALWAYS[name])


def test_uvicorn_is_the_one_that_was_tested() -> None:
    major, minor, *_ = version("uvicorn").split(".")
    assert ALWAYS["uvicorn"] == f">={major}.{minor},<{major}.{int(minor) + 1}"


@pytest.mark.parametrize("name", sorted(ALWAYS))
def test_what_is_pinned_fits(name: str) -> None:
    """`make lock` has been run since the range was changed."""
    pins = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")
    pinned = re.search(rf"^{re.escape(name)}==([0-9.]+)", pins, re.MULTILINE)
    assert pinned, f"{name} is missing in requirements/run.txt"
    for operator, bound in re.findall(r"(>=|<)([0-9.]+)", ALWAYS[name]):
        older = as_numbers(pinned[1]) < as_numbers(bound)
        assert older is (operator == "<"), f"{name}=={pinned[1]} does not fit {ALWAYS[name]}"


def as_numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(".")]
