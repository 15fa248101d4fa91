"""The public names of the core, and their reference in docs/plugins.md."""

import ast
import importlib
import re
from functools import cache, cached_property
from pathlib import Path
from types import FunctionType

import pytest

from scripts.type_reference import (
    CORE,
    PAGE,
    PARTS,
    described,
    faces,
    listed,
    ordered,
    updated,
)

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
    rows = re.findall(r"^\| \[?`(gateway[\w.]*)`.*? \| (.*) \|$", stable, re.MULTILINE)
    promised = {name: names.replace("`", "").split(", ") for name, names in rows}
    assert promised == {name: listed(path) for name, path in faces().items()}


@cache
def text_of(module: str) -> str:
    return "\n".join(described(module)) + "\n"


def section(module: str, name: str) -> str:
    """What the reference says of one name: its section, or its line."""
    text = text_of(module)
    if f"\n#### {name}\n" in text:
        return text.split(f"\n#### {name}\n")[1].split("\n#### ")[0]
    [line] = re.findall(rf"^(?:- |\| )`(?:[a-z]+ )*{name}\b.*$", text, re.MULTILINE)
    return str(line)


def public_parts(kind: type) -> set[str]:
    """The fields of a type, and the documented methods and properties that it defines itself."""
    callables = (FunctionType, classmethod, property, cached_property)
    own = {name: value for name, value in vars(kind).items() if isinstance(value, callables)}
    methods = {name for name, value in own.items() if value.__doc__}
    fields = {*getattr(kind, "__dataclass_fields__", ()), *vars(kind).get("__annotations__", ())}
    return {name for name in fields | (methods - fields) if name[0] != "_"} - {"model_config"}


NAMES = [(module, name) for module in ordered() for name in listed(faces()[module])]


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_every_name_is_described_with_all_its_parts(module: str, name: str) -> None:
    text = section(module, name)
    value = getattr(importlib.import_module(module), name)
    if "see [" in text or not isinstance(value, type):
        return
    parts = set(PARTS.get(name, public_parts(value)))
    named = set(
        re.findall(r"^(?:\| |- )`(?:await |with |async with )?(?:\w+\.)?(\w+)", text, re.MULTILINE)
    )
    assert parts <= named


def test_the_reference_has_every_public_module_but_the_package() -> None:
    assert {*ordered(), "gateway"} == set(faces())
