"""Prints every text of the code that a user may read, by kind: to be read as a whole.

    python scripts/user_strings.py [--kind errors] [ROOT]

The kinds: *errors* (arguments of exceptions), *help* (commands and their options), *output* (what
commands print), *api* (summaries and descriptions of /openapi.json), *log*, and *other* (constants
and returned texts that look like sentences). A placeholder is shown as {…}.

Needs nothing but the standard library.
"""

import argparse
import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeGuard

KINDS: Final = ("errors", "help", "output", "api", "log", "other")

LOG: Final = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
PRINTING: Final = frozenset({"echo", "secho", "print", "prompt", "confirm"})
HELPING: Final = frozenset({"help", "short_help", "epilog", "metavar"})
DESCRIBING: Final = frozenset({"summary", "description", "response_description"})
COMMANDS: Final = frozenset({"command", "group"})

SENTENCE: Final = re.compile(r"[A-Za-z]{2,}[^\n]* [a-z]{2,}[^\n]* \S+")
"""Three words or more; names, keys and patterns have fewer."""


@dataclass(frozen=True, slots=True)
class Text:
    """One text, and where it is: `path:line`."""

    kind: str
    place: str
    text: str


def texts(root: Path) -> list[Text]:
    """Those of all modules below gateway/ and plugins/."""
    found: list[Text] = []
    for folder in ("gateway", "plugins"):
        for path in sorted((root / folder).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            place = path.relative_to(root).as_posix()
            found += (Text(kind, f"{place}:{line}", text) for kind, line, text in _of_module(tree))
    return found


def _of_module(tree: ast.Module) -> Iterator[tuple[str, int, str]]:
    seen: set[int] = set()
    documented = {id(text) for text in _docstrings(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for kind, argument in _of_call(node):
                for text in _strings(argument):
                    if id(text) not in seen and (shown := _shown(text)).strip():
                        seen.update(id(part) for part in ast.walk(text))
                        yield kind, text.lineno, shown
        elif _is_command(node) and (help_text := ast.get_docstring(node)):
            yield "help", node.lineno, " ".join(help_text.split())
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in seen | documented:
            shown = _shown(node)
            if SENTENCE.search(shown):
                seen.update(id(part) for part in ast.walk(node))
                yield "other", node.lineno, shown


def _of_call(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """The arguments that a user may read, with their kind."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    for keyword in call.keywords:
        if keyword.arg in HELPING:
            yield "help", keyword.value
        elif keyword.arg in DESCRIBING:
            yield "api", keyword.value
    if name in PRINTING:
        yield from (("output", argument) for argument in call.args)
    elif name in LOG and call.args:
        yield "log", call.args[0]
    elif name.endswith(("Error", "Exception")) or name in _errors():
        yield from (("errors", argument) for argument in call.args)


def _errors() -> frozenset[str]:
    """The classes of gateway/errors.py, which all are exceptions."""
    source = Path(__file__).parent.parent / "gateway" / "errors.py"
    tree = ast.parse(source.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.ClassDef))


def _is_command(node: ast.AST) -> TypeGuard[ast.FunctionDef]:
    if not isinstance(node, ast.FunctionDef):
        return False
    for decorator in node.decorator_list:
        function = decorator.func if isinstance(decorator, ast.Call) else decorator
        if isinstance(function, ast.Attribute) and function.attr in COMMANDS:
            return True
    return False


def _docstrings(tree: ast.Module) -> Iterator[ast.expr]:
    """All strings that are statements of their own: of modules, classes, functions, constants."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def _strings(node: ast.expr) -> Iterator[ast.Constant | ast.JoinedStr]:
    """The texts in an argument, the whole of one with placeholders."""
    if isinstance(node, ast.JoinedStr) or _is_text(node):
        yield node
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield from _strings(child)


def _is_text(node: ast.AST) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _shown(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.JoinedStr):
        parts = (
            str(part.value) if isinstance(part, ast.Constant) else "{…}" for part in node.values
        )
        return " ".join("".join(parts).split())
    return " ".join(node.value.split()) if isinstance(node.value, str) else ""


def main() -> None:
    """Print the texts of this repository, or those of the argument."""
    parser = argparse.ArgumentParser(description="Print every text that a user may read.")
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).parent.parent)
    given = parser.parse_args()
    found = texts(given.root.resolve())
    for kind in KINDS if given.kind is None else (given.kind,):
        print(f"# {kind}\n")
        for each in found:
            if each.kind == kind:
                print(f"{each.place}: {each.text}")
        print()


if __name__ == "__main__":
    main()
