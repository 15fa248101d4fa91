"""Measuring how code is laid out, on a small tree whose numbers can be counted by hand."""

from pathlib import Path
from textwrap import dedent

import pytest

from scripts.measure_house import arrows, circles, measured, module_graph, modules, upward

FILES = {
    "pyproject.toml": """
        [project]
        name = "small"
    """,
    "README.md": "# Small\n\nFive words in all.\n",
    "gateway/__init__.py": '''
        """The face."""
        from gateway.core.engine import run  # the one comment
    ''',
    "gateway/types.py": '''
        class Request:
            """Documented."""

            def send(self, to: str) -> None:
                def inner(x):
                    return x

            def _private(self): ...
    ''',
    "gateway/core/__init__.py": "",
    "gateway/core/engine.py": """
        from typing import TYPE_CHECKING

        from .. import types

        if TYPE_CHECKING:
            from gateway.edge.http import serve

        def run(request: types.Request) -> None: ...
    """,
    "gateway/edge/__init__.py": "",
    "gateway/edge/http.py": """
        import json

        def serve() -> None:
            from gateway.core import engine
            from ..types import Request
            LINES
    """,
    "plugins/gateway_echo/__init__.py": "",
    "plugins/gateway_echo/plugin.py": "import gateway.types\nfrom gateway_echo import plugin\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = dedent(text).replace("LINES", "x = 1\n    " * 40)
        path.write_text(whole.strip(), encoding="utf-8")
    return tmp_path


def rows(text: str) -> list[dict[str, str]]:
    """Those of all tables, the name of each row under ""."""
    found = []
    for part in text.split("\n\n"):
        head, rule, *rest = ([cell.strip() for cell in line[1:-1].split("|")]
                             for line in part.splitlines())  # fmt: skip
        assert set(rule) == {"---"}
        found += [dict(zip(head, cells, strict=True)) for cells in rest]
    return found


def test_the_sizes(root: Path) -> None:
    sizes = rows(measured(root))[0]
    lines = sum(
        len((root / name).read_text(encoding="utf-8").splitlines())
        for name in FILES
        if name.endswith(".py")
    )
    assert sizes == {
        "": "small",
        "files": "8",
        "lines": f"{lines / 1000:.1f}k",
        "module median/max": "2 / 45",
        "function median/p90/max": "2 / 3 / 43",
        "functions > 35 lines": "20.0 %",
        "typed": "60.0 %",
        "public docstrings": "25.0 %",
        "comments per 100 lines": f"{100 / lines:.1f}",
        "most files in a folder": "2",
        "README words": "6",
    }


def test_the_imports(root: Path) -> None:
    _, core, echo = rows(measured(root))
    assert core == {
        "": "gateway",
        "rooms": "4",
        "arrows": "5",
        "arrows upward": "1",
        "circles": "1",
        "modules": "6",
        "arrows between modules": "5",
        "circles of modules": "1",
        "upward": "edge → core",
    }
    assert (echo["rooms"], echo["arrows"], echo["upward"]) == ("2", "0", "-")


def test_an_order_says_what_is_up(root: Path) -> None:
    with (root / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write('\n[tool.house.order]\ngateway = ["core", "edge"]\n')
    _, core, _ = rows(measured(root))
    # what is not in the list is below it
    assert core["upward"] == "__init__ → core, edge → core"


def test_each_way_to_import_is_seen(root: Path) -> None:
    assert arrows(module_graph(modules(root / "gateway"))) == [
        ("gateway", "gateway.core.engine"),
        ("gateway.core.engine", "gateway.edge.http"),
        ("gateway.core.engine", "gateway.types"),
        ("gateway.edge.http", "gateway.core.engine"),
        ("gateway.edge.http", "gateway.types"),
    ]


@pytest.mark.parametrize(
    ("graph", "found", "turned"),
    [
        ({"a": "b", "b": "c", "c": ""}, [], 0),
        ({"a": "b", "b": "a"}, [{"a", "b"}], 1),
        ({"a": "b", "b": "c", "c": "a", "d": "a"}, [{"a", "b", "c"}], 1),
        ({"a": "b", "b": "a", "c": "d", "d": "c", "e": "ac"}, [{"a", "b"}, {"c", "d"}], 2),
        ({"a": "bc", "b": "ac", "c": "ab"}, [{"a", "b", "c"}], 3),
        ({"a": "bcd", "b": "cd", "c": "d", "d": "a"}, [{"a", "b", "c", "d"}], 1),
    ],
)
def test_circles(graph: dict[str, str], found: list[set[str]], turned: int) -> None:
    sets = {start: set(ends) for start, ends in graph.items()}
    assert circles(sets) == found
    assert len(upward(sets, None)) == turned
