"""The shape of the backend: it is short, and nothing in it writes into another object.

An attribute belongs to its object: it is changed by a method with a name that says why.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway_claude_code import backend, conversations

BACKEND = Path(backend.__file__)
MODULES = [BACKEND, *sorted(Path(conversations.__file__).parent.glob("*.py"))]


def writes_to_others(source: str) -> list[str]:
    """Each place that sets or deletes an attribute of anything but `self`."""
    return [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute | ast.Call) and _writes(node)
    ]


def _writes(node: ast.Attribute | ast.Call) -> bool:
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).rpartition(".")[2].strip("_") in ("setattr", "delattr")
    owner_is_self = isinstance(node.value, ast.Name) and node.value.id == "self"
    return not isinstance(node.ctx, ast.Load) and not owner_is_self


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_no_attribute_of_another_object_is_written(module: Path) -> None:
    assert writes_to_others(module.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "other.x = 1",
        "other.x += 1",
        "other.x: int = 1",
        "self.other.x = 1",
        "a, other.x = 1, 2",
        "for other.x in (): pass",
        "with open() as other.x: pass",
        "del other.x",
        "setattr(other, 'x', 1)",
        "object.__setattr__(other, 'x', 1)",
    ],
)
def test_every_way_of_writing_is_noticed(source: str) -> None:
    assert len(writes_to_others(source)) == 1


@pytest.mark.parametrize("source", ["self.x = 1", "self.x, y = 1, 2", "y = other.x", "o[0] = 1"])
def test_nothing_else_is(source: str) -> None:
    assert writes_to_others(source) == []


def classes(source: str) -> Iterator[tuple[str, int]]:
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            yield node.name, (node.end_lineno or 0) - node.lineno + 1


def test_the_backend_is_at_most_200_lines() -> None:
    [(name, lines)] = classes(BACKEND.read_text(encoding="utf-8"))
    assert name == "ClaudeCodeBackend"
    assert lines <= 200
