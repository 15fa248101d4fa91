"""The public names of the core, and their reference in docs/plugins.md."""

import ast
import importlib
from pathlib import Path

import pytest

from scripts.type_reference import CORE, DESCRIBED, PAGE, described, faces, listed, updated

NO_FACES = {"gateway.__main__"}
"""Directly in gateway/, but nothing to import."""
MODULES = sorted(CORE.glob("*.py"))
GATHERING = {"gateway", "gateway.interface"}
"""They define no type of their own; other modules' names are theirs if `__all__` says so."""


def defined(path: Path) -> set[str]:
    """The names that a module defines for others: without imports, loggers and private ones."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                found.add(node.name)
            case ast.Assign(targets=targets):
                found |= {ast.unparse(target) for target in targets}
            case ast.AnnAssign(target=target):
                found.add(ast.unparse(target))
    return {name for name in found if not name.startswith("_")} - {"log"}


def name_of(path: Path) -> str:
    return "gateway" if path.stem == "__init__" else f"gateway.{path.stem}"


def test_every_module_directly_in_the_core_is_public() -> None:
    assert {name_of(path) for path in MODULES} - NO_FACES <= faces().keys()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_what_a_module_defines_is_what_it_lists(path: Path) -> None:
    if name_of(path) in NO_FACES:
        return
    if name_of(path) in GATHERING:
        assert not defined(path)
    else:
        assert set(listed(path)) == defined(path)


@pytest.mark.parametrize(("name", "path"), faces().items())
def test_each_listed_name_is_there_once(name: str, path: Path) -> None:
    names = listed(path)
    assert len(names) == len(set(names))
    module = importlib.import_module(name)
    assert module.__all__ == names
    assert [each for each in names if not hasattr(module, each)] == []


def test_the_page_is_up_to_date() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert updated(page) == page, "run `make docs-types`"


def test_the_page_promises_the_listed_names_and_no_others() -> None:
    stable = PAGE.read_text(encoding="utf-8").split("\n## Stability\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1:3] for line in stable.splitlines() if line.startswith("| `gateway")]
    promised = {name.strip(" `"): names.replace("`", "").split(",") for name, names in rows}
    assert {name: [each.strip() for each in names] for name, names in promised.items()} == {
        name: listed(path) for name, path in faces().items()
    }


@pytest.mark.parametrize("module", DESCRIBED)
def test_every_type_has_a_section_and_all_its_fields(module: str) -> None:
    text = "\n".join(described(module))
    types = importlib.import_module(f"gateway.{module}")
    for name in (each for each in types.__all__ if each[0].isupper()):
        kind = getattr(types, name)
        if not isinstance(kind, type):
            assert f"\n| `{name}` | " in text
            continue
        section = text.split(f"\n#### {name}\n")[1].split("\n#### ")[0]
        for field in getattr(kind, "__dataclass_fields__", ()):
            assert f"\n| `{field}` | `" in section
