"""Makes two parts of docs/plugins.md anew, from the code: the public names, and the types.

    python scripts/type_reference.py

A part is what is between `<!-- names: begin -->` and `<!-- names: end -->`, and the same of `types`.
The names are those in `__all__` of what is directly in gateway/. Of a type, the page has its
docstring, and of each field the name, the type, the default, and the comment behind it, which is for
readers of that page. Only reads the source, with `ast`.
"""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
CORE: Final = ROOT / "gateway"
PAGE: Final = ROOT / "docs" / "plugins.md"

DESCRIBED: Final = ("types", "context", "backend_status")
"""The modules whose types the page describes."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def updated(page: str) -> str:
    """The page with both parts as the code has them."""
    types = "\n".join(line for module in DESCRIBED for line in described(module))
    for mark, text in (("names", names_table()), ("types", types)):
        begin, end = f"<!-- {mark}: begin -->\n", f"<!-- {mark}: end -->"
        before, rest = page.split(begin)
        page = f"{before}{begin}\n{text.strip()}\n\n{end}{rest.split(end)[1]}"
    return page


# -- the public names ---------------------------------------------------------------------


def faces() -> dict[str, Path]:
    """The public modules and folders by their dotted names: those that have `__all__`."""
    paths = [CORE / "__init__.py", *sorted([*CORE.glob("*.py"), *CORE.glob("*/__init__.py")])]
    named = {_dotted(path): path for path in paths}
    return {name: path for name, path in named.items() if listed(path)}


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
    """The public modules with their names, as a table."""
    rows = (f"| `{name}` | {_codes(listed(path))} |" for name, path in faces().items())
    return "\n".join(["| module | names |", "|---|---|", *rows])


def _codes(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


# -- the types ----------------------------------------------------------------------------


def described(module: str) -> Iterator[str]:
    """The lines about one module's types."""
    path = CORE / f"{module}.py"
    public, lines = set(listed(path)), path.read_text(encoding="utf-8").splitlines()
    yield f"\n### gateway.{module}"
    aliases = []
    for node in _tree(path).body:
        match node:
            case ast.ClassDef(name=name) if name in public:
                yield from _class(node, lines)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if (
                name in public
            ):
                aliases.append(f"| `{name}` | {_type(value)} |")
    if aliases:
        yield from ("", "| name | stands for |", "|---|---|", *aliases)


def _class(node: ast.ClassDef, lines: list[str]) -> Iterator[str]:
    yield f"\n#### {node.name}\n\n{_prose(node)}"
    fields = [each for each in node.body if isinstance(each, ast.AnnAssign)]
    if fields:
        yield from ("", *_fields(fields, lines))
    methods = [each for each in node.body if isinstance(each, Function) and each.name[0] != "_"]
    if methods:
        yield from ("", *map(_method, methods))


def _prose(node: ast.ClassDef | Function) -> str:
    """The docstring, with a line for each paragraph."""
    text = inspect.cleandoc(ast.get_docstring(node) or "")
    return "\n\n".join(paragraph.replace("\n", " ") for paragraph in text.split("\n\n"))


def _fields(nodes: list[ast.AnnAssign], lines: list[str]) -> Iterator[str]:
    """A table, without the columns that would be empty."""
    head = ("field", "type", "default", "meaning")
    rows = [
        (f"`{ast.unparse(n.target)}`", _type(n.annotation), _default(n.value), _meaning(n, lines))
        for n in nodes
    ]
    kept = [column for column in range(len(head)) if any(row[column] for row in rows)]
    cut = [f"| {' | '.join(row[column] for column in kept)} |" for row in (head, *rows)]
    yield from (cut[0], f"|{'---|' * len(kept)}", *cut[1:])


def _meaning(node: ast.AnnAssign, lines: list[str]) -> str:
    """The comment behind a field."""
    rest = lines[(node.end_lineno or node.lineno) - 1][node.end_col_offset or 0 :]
    return rest.strip().removeprefix("#").strip()


def _method(node: Function) -> str:
    """A property, or a method with its parameters, and the first paragraph of its docstring."""
    parameters = ", ".join(each.arg for each in node.args.args if each.arg != "self")
    is_property = any(ast.unparse(each) == "property" for each in node.decorator_list)
    call = node.name if is_property else f"{node.name}({parameters})"
    word = "await " if isinstance(node, ast.AsyncFunctionDef) else ""
    return f"- `{word}{call}`: {_prose(node)}".replace("\n\n", " ")


class _Unquoted(ast.NodeTransformer):
    """Takes the quotes off annotations, except for the values of a `Literal`."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        return node if ast.unparse(node.value) == "Literal" else self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.parse(node.value, mode="eval").body if isinstance(node.value, str) else node


def _type(node: ast.expr) -> str:
    return _cell(ast.unparse(_Unquoted().visit(node)).replace("'", '"'))


def _default(node: ast.expr | None) -> str:
    """Empty for a field that has to be given."""
    match node:
        case None:
            return ""
        case ast.Call(func=ast.Name(id="field"), keywords=keywords):
            options = {each.arg: each.value for each in keywords}
            if "default_factory" in options:
                return _made(options["default_factory"])
            return _default(options["default"]) if "default" in options else "set by the gateway"
        case ast.Name(id=name) if name.startswith("_"):
            return "a function that does nothing"
        case _:
            return _cell(ast.unparse(node).replace("'", '"'))


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
