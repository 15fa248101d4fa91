"""Makes two parts of docs/plugins.md anew, from the code: the public names, and their reference.

    python scripts/type_reference.py

A part is what is between `<!-- names: begin -->` and `<!-- names: end -->`, and the same of `types`.
The names are those in `__all__` of what is directly in gateway/. The reference has, of each module,
functions, constants and types without parts as a list, and of each other type its docstring, its
methods, and of each field the name, the type, the default, and the comment behind it, which is for
readers of that page. Only reads the source, with `ast`.
"""

import ast
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

ROOT: Final = Path(__file__).resolve().parent.parent
CORE: Final = ROOT / "gateway"
PAGE: Final = ROOT / "docs" / "plugins.md"

FIRST: Final = ("types", "context", "errors", "streams", "tools", "backend_status")
"""The modules that the reference begins with; others follow by name."""

PACKAGE: Final = "gateway"
"""It has names for short, all described elsewhere; its heading would be that of `Gateway`."""

PARTS: Final = {
    "Config": ("enabled", "section", "error", "explain"),
    "ModelMap": ("listed", "names", "resolve", "find"),
}
"""Of these types, other parts are the core's own."""

WORDS: Final = {
    "contextmanager": "with ",
    "asynccontextmanager": "async with ",
    "classmethod": "",
}
"""Decorators, and the word before a call."""

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Row: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class Definition:
    """A name with its node and the lines of its file; `text` is the docstring behind a constant."""

    name: str
    node: ast.stmt
    text: str
    lines: list[str]


def updated(page: str) -> str:
    """The page with both parts as the code has them."""
    reference = "\n".join(line for module in ordered() for line in described(module))
    for mark, text in (("names", names_table()), ("types", reference)):
        begin, end = f"<!-- {mark}: begin -->\n", f"<!-- {mark}: end -->"
        before, rest = page.split(begin)
        page = f"{before}{begin}\n{text.strip()}\n\n{end}{rest.split(end)[1]}"
    return page


# -- the public names ---------------------------------------------------------------------


@cache
def faces() -> dict[str, Path]:
    """The public modules and folders by their dotted names: those that have `__all__`."""
    paths = [CORE / "__init__.py", *sorted([*CORE.glob("*.py"), *CORE.glob("*/__init__.py")])]
    named = {_dotted(path): path for path in paths}
    return {name: path for name, path in named.items() if listed(path)}


def ordered() -> list[str]:
    """The public modules in the order of the reference."""
    first = [f"gateway.{name}" for name in FIRST]
    return [*first, *(name for name in faces() if name not in {*first, PACKAGE})]


def _dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def listed(path: Path) -> list[str]:
    """The names in a module's `__all__`."""
    for node in _tree(path).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names: list[str] = ast.literal_eval(node.value)
            return names
    return []


def names_table() -> str:
    """The public modules with their names, as a table; each leads to its part of the reference."""
    rows = [
        (f"`{name}`" if name == PACKAGE else _link(name), _codes(listed(path)))
        for name, path in faces().items()
    ]
    return "\n".join(_table(("module", "names"), rows))


def _link(module: str) -> str:
    return f"[`{module}`](#{module.replace('.', '')})"


def _codes(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


# -- a module -----------------------------------------------------------------------------


def described(module: str) -> Iterator[str]:
    """The lines about one public module: its purpose, its names in short, then its types."""
    path = faces()[module]
    yield f"\n### {module}\n\n{_first_paragraph(_tree(path))}"
    aliases, items, types = [], [], []
    for name in _in_order(path):
        match definition(path, name):
            case str(elsewhere):
                items.append(f"- `{name}`: see {_link(elsewhere)}")
            case Definition(node=ast.ClassDef() as node) as found if has_parts(node):
                types.append(found)
            case Definition(node=ast.AnnAssign(annotation=ast.Name(id="TypeAlias"))) as found:
                aliases.append(_alias(found))
            case found:
                items.append(_item(found))
    if aliases:
        yield from ("", *_table(("name", "stands for", "meaning"), aliases))
    if items:
        yield from ("", *items)
    for found in types:
        yield from _section(found)


def _in_order(path: Path) -> list[str]:
    """The listed names in the order of their definitions; those from elsewhere come first."""
    names = listed(path)
    places = {name: place for place, node in enumerate(_tree(path).body) for name in _names(node)}
    return sorted(names, key=lambda name: places.get(name, -1))


def definition(path: Path, name: str) -> Definition | str:
    """Where a name is defined; as a string, the other public module that has it."""
    body = _tree(path).body
    for node, after in zip(body, [*body[1:], ast.Pass()], strict=True):
        if name in _names(node):
            lines = path.read_text(encoding="utf-8").splitlines()
            return Definition(name, node, _text_of(after), lines)
        if isinstance(node, ast.ImportFrom) and name in [each.name for each in node.names]:
            module = node.module or ""
            return module if module in faces() else definition(_path(module), name)
    raise LookupError(f"{path} does not define {name}")


def _path(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _names(node: ast.stmt) -> list[str]:
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return [name]
        case ast.AnnAssign(target=target) | ast.Assign(targets=[target]):
            return [ast.unparse(target)]
    return []


def _text_of(node: ast.stmt) -> str:
    match node:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return " ".join(text.split())
    return ""


# -- names in short -----------------------------------------------------------------------


def _alias(found: Definition) -> Row:
    assert isinstance(found.node, ast.AnnAssign)  # noqa: S101 - seen by the caller
    return (f"`{found.name}`", _type(found.node.value or found.node.annotation), found.text)


def _item(found: Definition) -> str:
    """A name in a list: a function, a type without parts, or a value."""
    match found.node:
        case ast.ClassDef(bases=bases) as node:
            of = f"({', '.join(map(ast.unparse, bases))})" if bases else ""
            given = [_unparsed(each) for each in node.body if isinstance(each, ast.Assign)]
            return _line(f"{found.name}{of}", _first_paragraph(node), *given)
        case ast.FunctionDef() | ast.AsyncFunctionDef() as node:
            return _method(node)
        case ast.AnnAssign(value=ast.Constant() as value):
            return _line(f"{found.name} = {_unparsed(value)}", found.text)
        case _:
            return _line(found.name, found.text)


def _line(code: str, text: str, *more: str) -> str:
    said = " ".join([text, *(f"`{each}`." for each in more)]).strip()
    return f"- `{code}`: {said}" if said else f"- `{code}`"


# -- types --------------------------------------------------------------------------------


def has_parts(node: ast.ClassDef) -> bool:
    """Whether a class has fields or methods to describe."""
    return bool(_fields(node, []) or _methods(node))


def _section(found: Definition) -> Iterator[str]:
    node = found.node
    assert isinstance(node, ast.ClassDef)  # noqa: S101 - seen by the caller
    yield f"\n#### {node.name}\n\n{_prose(node)}"
    if fields := _fields(node, found.lines):
        yield from ("", *_table(("field", "type", "default", "meaning"), fields))
    if methods := _methods(node):
        yield from ("", *(_method(each, node.name) for each in methods))


def _fields(node: ast.ClassDef, lines: list[str]) -> list[Row]:
    """The annotated fields, and the descriptors that are made with a type in brackets."""
    rows: list[Row] = []
    for each in node.body:
        match each:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=kind, value=value):
                row = (_type(kind), _default(value), _meaning(each, lines))
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(func=ast.Subscript(slice=kind), args=[value]),
            ):
                row = (_type(kind), _default(value), "")
            case _:
                continue
        if _is_shown(node, name):
            rows.append((f"`{name}`", *row))
    return rows


def _methods(node: ast.ClassDef) -> list[Function]:
    methods = [each for each in node.body if isinstance(each, Function)]
    constructors = [each for each in methods if each.name == "__init__" and _parameters(each.args)]
    shown = [each for each in methods if _is_shown(node, each.name) and ast.get_docstring(each)]
    return [*([] if node.name in PARTS else constructors), *shown]


def _is_shown(node: ast.ClassDef, name: str) -> bool:
    return name[0] != "_" and name in PARTS.get(node.name, (name,))


def _table(head: Row, rows: Sequence[Row]) -> Iterator[str]:
    """A table, without the columns that would be empty."""
    kept = [column for column in range(len(head)) if any(row[column] for row in rows)]
    cut = [f"| {' | '.join(row[column] for column in kept)} |" for row in (head, *rows)]
    yield from (cut[0], f"|{'---|' * len(kept)}", *cut[1:])


def _first_paragraph(node: ast.ClassDef | ast.Module) -> str:
    return _prose(node).split("\n\n")[0]


def _prose(node: ast.ClassDef | ast.Module | Function) -> str:
    """The docstring, with a line for each paragraph."""
    text = inspect.cleandoc(ast.get_docstring(node) or "")
    return "\n\n".join(paragraph.replace("\n", " ") for paragraph in text.split("\n\n"))


def _in_one(node: Function) -> str:
    return _prose(node).replace("\n\n", " ")


def _meaning(node: ast.AnnAssign, lines: list[str]) -> str:
    """The comment behind a field."""
    if not lines:
        return ""
    rest = lines[(node.end_lineno or node.lineno) - 1][node.end_col_offset or 0 :]
    return rest.strip().removeprefix("#").strip()


def _method(node: Function, owner: str = "") -> str:
    """A function, a method or a property, with its parameters and its docstring."""
    marks = [ast.unparse(each) for each in node.decorator_list]
    if marks and "property" in marks[0]:
        return _line(node.name, _in_one(node))
    word = "await " if isinstance(node, ast.AsyncFunctionDef) else ""
    word = next((WORDS[mark] for mark in marks if mark in WORDS), word)
    name = f"{owner}.{node.name}" if "classmethod" in marks else node.name
    name = owner if name == "__init__" else name
    return _line(f"{word}{name}({_parameters(node.args)})", _in_one(node))


def _parameters(given: ast.arguments) -> str:
    names = [each.arg for each in given.args if each.arg not in {"self", "cls"}]
    if given.vararg is not None:
        names.append(f"*{given.vararg.arg}")
    elif given.kwonlyargs:
        names.append("*")
    names += [each.arg for each in given.kwonlyargs]
    return ", ".join([*names, f"**{given.kwarg.arg}"] if given.kwarg else names)


class _Plain(ast.NodeTransformer):
    """Takes the quotes off annotations, but for the values of a `Literal`, and off marks of fields."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        match node:
            case ast.Subscript(value=ast.Name(id="Literal")):
                return node
            case ast.Subscript(value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=[kind, *_])):
                plain: ast.AST = self.visit(kind)
                return plain
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.parse(node.value, mode="eval").body if isinstance(node.value, str) else node


def _type(node: ast.expr) -> str:
    return _cell(_unparsed(_Plain().visit(node)))


def _unparsed(node: ast.AST) -> str:
    return ast.unparse(node).replace("'", '"')


def _default(node: ast.expr | None) -> str:
    """Empty for a field that has to be given."""
    match node:
        case None:
            return ""
        case ast.Call(func=ast.Name(id="field" | "Field"), keywords=keywords):
            options = {each.arg: each.value for each in keywords}
            if "default_factory" in options:
                return _made(options["default_factory"])
            return _default(options["default"]) if "default" in options else "set by the gateway"
        case ast.Name(id=name) if name.startswith("_"):
            return "a function that does nothing"
        case _:
            return _cell(_unparsed(node))


def _made(factory: ast.expr) -> str:
    if isinstance(factory, ast.Lambda):
        return _default(factory.body)
    name = ast.unparse(factory)
    return _cell({"dict": "{}", "list": "[]"}.get(name, f"{name}()"))


def _cell(code: str) -> str:
    return "`" + code.replace("|", r"\|") + "`"


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def main() -> None:
    """Write the page."""
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
