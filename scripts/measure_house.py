"""Measures how the code is laid out, and prints two Markdown tables.

    python scripts/measure_house.py [ROOT]

The first table is about all code below gateway/ and plugins/: sizes, types, docstrings, comments.
The second is about imports within each package. Its *rooms* are what stands directly in the
package's folder, a module or a folder with all that is in it; an *arrow* leads from a room to one
that it imports, also inside a function or for types alone. Rooms that reach each other are a
*circle*. An arrow leads *upward* if pyproject.toml gives the order of the rooms, the highest first,
and the arrow goes against it:

    [tool.house.order]
    gateway = ["cli", "server", "startup", "http"]

Rooms that are not in the list are below those that are. Without a list, the arrows that would have
to go for the circles to be gone are counted. Needs nothing but the standard library.
"""

import argparse
import ast
import gc
import statistics
import tokenize
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

LONG: Final = 35
"""Lines; a function of more does not fit a screen."""

NONE: Final = "-"

Function = ast.FunctionDef | ast.AsyncFunctionDef
Graph = Mapping[str, set[str]]


BLOCKS: Final = ("body", "orelse", "finalbody", "handlers", "cases")
"""The fields of statements, and of their clauses, that have further statements."""


@dataclass(frozen=True)
class Module:
    """A source file. `name` is dotted, as it is imported."""

    path: Path
    name: str
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    @cached_property
    def statements(self) -> list[ast.AST]:
        """All of them, also those within others; expressions, most of a tree, are left out."""
        found: list[ast.AST] = [self.tree]
        for node in found:
            for block in BLOCKS:
                found += getattr(node, block, ())
        return found


def modules(package: Path) -> list[Module]:
    """All modules of a package, which is given by its folder."""
    with _no_garbage():
        return [_module(path, package.parent) for path in sorted(package.rglob("*.py"))]


def _module(path: Path, root: Path) -> Module:
    parts = path.relative_to(root).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    text = path.read_text(encoding="utf-8")
    return Module(path, name, text, ast.parse(text))


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Trees are kept: to search them all for garbage as each is made takes most of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


# The sizes of things.


def functions(module: Module) -> Iterator[Function]:
    """All of them, methods and inner ones as well."""
    return (node for node in module.statements if isinstance(node, Function))


def length(function: Function) -> int:
    """Lines, from `def` to the end."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def is_typed(function: Function) -> bool:
    """Whether the result and all parameters, but for `self` and `cls`, have a type."""
    args = function.args
    given = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
    named = [each for each in given if each is not None and each.arg not in {"self", "cls"}]
    return function.returns is not None and all(each.annotation for each in named)


def public(body: Iterable[ast.stmt]) -> Iterator[ast.ClassDef | Function]:
    """Classes, functions and methods without an underscore before their names."""
    for node in body:
        if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body)


def comments(module: Module) -> int:
    """How many there are."""
    with module.path.open("rb") as file:
        return sum(token.type == tokenize.COMMENT for token in tokenize.tokenize(file.readline))


def share(part: int, whole: int) -> str:
    """As a percentage."""
    return f"{100 * part / whole:.1f} %" if whole else NONE


def sizes(found: list[Module], readme: Path) -> dict[str, str]:
    """The columns of the first table."""
    lines = sorted(module.lines for module in found)
    every = [function for module in found for function in functions(module)]
    lengths = sorted(length(function) for function in every)
    open_ones = [node for module in found for node in public(module.tree.body)]
    folders = Counter(module.path.parent for module in found)
    ninth = lengths[int(0.9 * (len(lengths) - 1))]
    return {
        "files": str(len(found)),
        "lines": f"{sum(lines) / 1000:.1f}k",
        "module median/max": f"{statistics.median_low(lines)} / {lines[-1]}",
        "function median/p90/max": f"{statistics.median_low(lengths)} / {ninth} / {lengths[-1]}",
        f"functions > {LONG} lines": share(sum(each > LONG for each in lengths), len(lengths)),
        "typed": share(sum(map(is_typed, every)), len(every)),
        "public docstrings": share(sum(map(_has_docstring, open_ones)), len(open_ones)),
        "comments per 100 lines": f"{100 * sum(map(comments, found)) / sum(lines):.1f}",
        "most files in a folder": str(max(folders.values())),
        "README words": str(len(readme.read_text(encoding="utf-8").split()))
        if readme.is_file()
        else NONE,
    }


def _has_docstring(node: ast.ClassDef | Function) -> bool:
    return ast.get_docstring(node) is not None


# What imports what.


def imports(module: Module, known: set[str]) -> Iterator[str]:
    """The `known` modules that it imports."""
    package = module.name if module.path.stem == "__init__" else module.name.rpartition(".")[0]
    for node in module.statements:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            start = ".".join(above) if node.level else ""
            base = ".".join(filter(None, (start, node.module)))
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                if (name := whole if whole in known else base) in known:
                    yield name


def module_graph(found: list[Module]) -> dict[str, set[str]]:
    """Each module, and those that it imports."""
    known = {module.name for module in found}
    return {module.name: set(imports(module, known)) - {module.name} for module in found}


def room_graph(graph: Graph, package: str) -> dict[str, set[str]]:
    """The same for what stands directly in the package's folder."""
    rooms: dict[str, set[str]] = {}
    for module, imported in graph.items():
        room = _room(module, package)
        rooms.setdefault(room, set()).update(_room(each, package) for each in imported)
    return {room: imported - {room} for room, imported in rooms.items()}


def _room(module: str, package: str) -> str:
    return module.removeprefix(package).lstrip(".").partition(".")[0] or "__init__"


def arrows(graph: Graph) -> list[tuple[str, str]]:
    """All of them, from the importing side."""
    return [(start, end) for start, ends in sorted(graph.items()) for end in sorted(ends)]


def circles(graph: Graph) -> list[set[str]]:
    """What reaches each other: the strongly connected components of two or more."""
    reached = {start: _reached(graph, start) for start in graph}
    found: list[set[str]] = []
    for start in sorted(graph):
        circle = {end for end in reached[start] if start in reached[end]}
        if len(circle) > 1 and circle not in found:
            found.append(circle)
    return found


def _reached(graph: Graph, start: str) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        for end in graph[waiting.pop()]:
            if end not in reached:
                reached.add(end)
                waiting.append(end)
    return reached


def upward(graph: Graph, order: list[str] | None) -> list[tuple[str, str]]:
    """The arrows against the `order` of rooms, the highest first; without one, against the best."""
    if order is None:
        return [arrow for circle in circles(graph) for arrow in _against_the_best(graph, circle)]
    height = {room: len(order) - place for place, room in enumerate(order)}
    return [
        (start, end) for start, end in arrows(graph) if height.get(start, 0) < height.get(end, 0)
    ]


def _against_the_best(graph: Graph, circle: set[str]) -> list[tuple[str, str]]:
    """Nearly the fewest arrows whose end opens a circle (Eades, Lin and Smyth, 1993)."""
    inner = {room: graph[room] & circle for room in circle}
    top: list[str] = []
    bottom: list[str] = []
    left = set(circle)
    while left:
        out = {room: len(inner[room] & left) for room in left}
        into = {room: sum(room in inner[each] for each in left) for room in left}
        last = sorted(room for room in left if not out[room])
        room = last[0] if last else max(sorted(left), key=lambda each: out[each] - into[each])
        (bottom if last else top).append(room)
        left.discard(room)
    place = {room: at for at, room in enumerate([*top, *reversed(bottom)])}
    return [(start, end) for start, end in arrows(inner) if place[start] > place[end]]


def plan(found: list[Module], package: str, order: list[str] | None) -> dict[str, str]:
    """The columns of the second table, for the modules of a package."""
    graph = module_graph(found)
    rooms = room_graph(graph, package)
    turned = upward(rooms, order)
    return {
        "rooms": str(len(rooms)),
        "arrows": str(len(arrows(rooms))),
        "arrows upward": str(len(turned)),
        "circles": str(len(circles(rooms))),
        "modules": str(len(graph)),
        "arrows between modules": str(len(arrows(graph))),
        "circles of modules": str(len(circles(graph))),
        "upward": ", ".join(f"{start} → {end}" for start, end in turned) or NONE,
    }


# Both tables.


def table(rows: Mapping[str, Mapping[str, str]]) -> str:
    """Markdown, with the names of the rows in the first column."""
    columns = list(next(iter(rows.values())))
    lines = [["", *columns], ["---"] * (len(columns) + 1)]
    lines += [[name, *row.values()] for name, row in rows.items()]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def measured(root: Path) -> str:
    """Both tables."""
    packages = {
        path.parent.name: modules(path.parent)
        for path in (root / "gateway" / "__init__.py", *sorted(root.glob("plugins/*/__init__.py")))
        if path.is_file()
    }
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    order = project.get("tool", {}).get("house", {}).get("order", {})
    every = [module for found in packages.values() for module in found]
    return "\n\n".join(
        (
            table({project["project"]["name"]: sizes(every, root / "README.md")}),
            table({name: plan(found, name, order.get(name)) for name, found in packages.items()}),
        )
    )


def main() -> None:
    """Measure the repository of this file, or that of the argument."""
    parser = argparse.ArgumentParser(description="Measure how the code is laid out.")
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).parent.parent)
    print(measured(parser.parse_args().root))


if __name__ == "__main__":
    main()
