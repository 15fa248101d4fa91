"""SECURITY.md promises nothing that no test shows."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/.]+)::(\w+)`", TEXT)
ROWS = [line for line in TEXT.splitlines() if line.startswith("| ")]


@pytest.mark.parametrize(("file", "test"), sorted(set(NAMED)))
def test_a_test_that_is_named_exists(file: str, test: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    assert test in {node.name for node in tree.body if isinstance(node, functions)}


def test_every_threat_names_a_test() -> None:
    threats = [row for row in ROWS if not row.startswith("| source |")]
    assert len(threats) > 20
    for row in threats:
        assert re.search(r"`tests/[\w/.]+::test_\w+` \|$", row), row
