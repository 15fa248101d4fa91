"""The names of the CLI's environment variables are in one module, each once and with its source."""

import ast
import re
from pathlib import Path

from gateway_claude_code import cli_variables

MODULE = Path(cli_variables.__file__)
PLUGIN = MODULE.parent
CLI_VARIABLE = re.compile(r"(CLAUDE|ANTHROPIC|DISABLE|ENABLE)_[A-Z_]+\*?")


def named(module: Path) -> list[str]:
    """The texts in a module that are nothing but the name of a variable of the CLI."""
    return [
        node.value
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and CLI_VARIABLE.fullmatch(node.value)
    ]


def test_each_name_is_written_once() -> None:
    names = named(MODULE)
    assert len(names) > 20
    assert len(set(names)) == len(names)


def test_other_modules_take_them_from_there() -> None:
    others = [path for path in PLUGIN.rglob("*.py") if path != MODULE]
    assert len(others) > 100
    assert {str(path): found for path in others if (found := named(path))} == {}


def test_each_has_its_source() -> None:
    body = ast.parse(MODULE.read_text(encoding="utf-8")).body[1:]
    sourced = re.compile(r"env-vars|seen with \d+\.\d+\.\d+")
    without, waiting = [], list[str]()
    for node in body:
        if isinstance(node, ast.AnnAssign):
            waiting.append(ast.unparse(node.target))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            if not sourced.search(" ".join(str(node.value.value).split())):
                without += waiting
            waiting.clear()
    assert without + waiting == []
