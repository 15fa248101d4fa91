"""The rules of the layout: this repository keeps them, and each kind of breach is noticed."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from scripts.house_rules import FOLDER_FILES, FUNCTION_LINES, MODULE_LINES, breaches

ROOT = Path(__file__).parents[2]

SOUND = {
    "pyproject.toml": """
        [tool.house.order]
        gateway = ["http", "types", "__init__"]
    """,
    "gateway/__init__.py": '__all__ = ["hookimpl"]',
    "gateway/types.py": '__all__ = ["Request"]\nclass Request: ...\nclass Hidden: ...',
    "gateway/http/__init__.py": "",
    "gateway/http/app.py": "from gateway.http.routes import add\nfrom gateway.types import Request",
    "gateway/http/routes.py": "def add(): ...",
    "plugins/gateway_echo/__init__.py": "",
    "plugins/gateway_echo/plugin.py": "from gateway.http import app",
    "plugins/gateway_other/__init__.py": "",
    "examples/plugins/own.py": "from gateway import hookimpl\nfrom gateway.types import Request",
    "tests/http/http_support.py": "",
    "tests/http/test_app.py": "from tests.http.http_support import get",
}

Tree = Callable[..., Path]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    def make(changed: dict[str, str] | None = None) -> Path:
        for name, text in {**SOUND, **(changed or {})}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text), encoding="utf-8")
        return tmp_path

    return make


def test_this_repository_keeps_the_rules() -> None:
    assert breaches(ROOT) == []


def test_a_sound_tree_has_no_breach(tree: Tree) -> None:
    assert breaches(tree()) == []


LONG = "def long():\n" + "    x = 1\n" * FUNCTION_LINES

BREACHES = {
    "an upward import": (
        {"gateway/types.py": "def f():\n    from gateway.http import app"},
        "gateway: types imports http, which is above it",
    ),
    "a circle of modules": (
        {"gateway/http/routes.py": "import gateway.http.app"},
        "gateway: import each other: gateway.http.app, gateway.http.routes",
    ),
    "a circle of folders": (
        {
            "gateway/http/a/__init__.py": "",
            "gateway/http/a/one.py": "from gateway.http.b import one",
            "gateway/http/a/two.py": "",
            "gateway/http/b/__init__.py": "",
            "gateway/http/b/one.py": "",
            "gateway/http/b/two.py": "from gateway.http.a import two",
        },
        "gateway: import each other: gateway.http.a, gateway.http.b",
    ),
    "a room of no order": (
        {"gateway/new.py": ""},
        "gateway: new is missing in tool.house.order of pyproject.toml",
    ),
    "an order of no room": (
        {"pyproject.toml": '[tool.house.order]\ngateway = ["http", "types", "__init__", "old"]'},
        "gateway: old is only in tool.house.order of pyproject.toml",
    ),
    "a plugin that imports a plugin": (
        {"plugins/gateway_other/plugin.py": "from gateway_echo.plugin import app"},
        "gateway_other.plugin: imports the plugin gateway_echo",
    ),
    "a core that imports a plugin": (
        {"gateway/http/routes.py": "import gateway_echo.plugin"},
        "gateway.http.routes: imports the plugin gateway_echo",
    ),
    "a private module in an example": (
        {"examples/plugins/own.py": "from gateway.http.app import add"},
        "examples/plugins/own.py:1: gateway.http.app: add is private",
    ),
    "a plugin in an example": (
        {"examples/plugins/own.py": "from gateway_echo.plugin import app"},
        "examples/plugins/own.py:1: gateway_echo.plugin: app is private",
    ),
    "a private folder in an example": (
        {"examples/plugins/own.py": "import gateway.http"},
        "examples/plugins/own.py:1: gateway.http: itself is private",
    ),
    "a private name in an example": (
        {"examples/plugins/own.py": "from gateway.types import Hidden"},
        "examples/plugins/own.py:1: gateway.types: Hidden is private",
    ),
    "a long module": (
        {"gateway/http/routes.py": "\n" * MODULE_LINES + "x = 1"},
        f"gateway/http/routes.py: {MODULE_LINES + 1} lines, more than {MODULE_LINES}",
    ),
    "a long function": (
        {"plugins/gateway_echo/plugin.py": LONG},
        f"plugins/gateway_echo/plugin.py:1: long has {FUNCTION_LINES + 1} lines, "
        f"more than {FUNCTION_LINES}",
    ),
    "a long module of tests": (
        {"tests/http/test_app.py": "\n" * MODULE_LINES + "x = 1"},
        f"tests/http/test_app.py: {MODULE_LINES + 1} lines, more than {MODULE_LINES}",
    ),
    "a full folder of tests": (
        {f"tests/http/test_{number}.py": "" for number in range(FOLDER_FILES - 1)},
        f"tests/http: {FOLDER_FILES + 1} modules, more than {FOLDER_FILES}",
    ),
    "tests that import tests": (
        {"tests/http/test_routes.py": "from tests.http.test_app import get"},
        "tests/http/test_routes.py: imports tests.http.test_app, which is a module of tests",
    ),
    "a full folder": (
        {f"plugins/gateway_echo/m{number}.py": "" for number in range(FOLDER_FILES - 1)},
        f"plugins/gateway_echo: {FOLDER_FILES + 1} modules, more than {FOLDER_FILES}",
    ),
}


@pytest.mark.parametrize("name", BREACHES)
def test_a_breach_is_noticed(name: str, tree: Tree) -> None:
    changed, said = BREACHES[name]
    assert said in breaches(tree(changed))


def test_a_folder_may_be_allowed_more(tree: Tree) -> None:
    changed, _ = BREACHES["a full folder"]
    allowed = (
        SOUND["pyproject.toml"]
        + '        [tool.house.files]\n        "plugins/gateway_echo" = 15\n'
    )
    assert breaches(tree({**changed, "pyproject.toml": allowed})) == []
