"""Says where the code breaks the rules of its layout; prints nothing if it keeps them all.

    python scripts/house_rules.py [ROOT]

- A folder imports itself and those below it. pyproject.toml has the order of a package's rooms, the
  highest first (`[tool.house.order]`), with every room, if it has folders. See measure_house.py for *room*.
- Nothing imports itself by way of others: neither modules nor folders.
- A plugin imports the core and no other plugin; the core imports no plugin.
- An example imports of the core what the modules and folders directly in gateway/ list in
  `__all__`.
- A module has at most 400 lines, a function at most 40, a folder at most 14 modules, or what
  `[tool.house.files]` allows it.
- Below tests/ too a module has at most 400 lines and a folder at most 14 modules; no module there
  imports one of tests.

Needs nothing but the standard library.
"""

import argparse
import ast
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parent.parent))

from scripts.measure_house import (
    Graph,
    Module,
    circles,
    functions,
    imports,
    length,
    module_graph,
    modules,
    room_graph,
    upward,
)

MODULE_LINES: Final = 400
FUNCTION_LINES: Final = 40
FOLDER_FILES: Final = 14

CORE: Final = "gateway"
TESTS: Final = "tests"


def breaches(root: Path) -> list[str]:
    """One line for each, with its place."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    house = project.get("tool", {}).get("house", {})
    packages = _packages(root)
    every = [module for found in packages.values() for module in found]
    tests = [each for each in modules(root / TESTS) if "node_modules" not in each.path.parts]
    found = [
        *_functions(every, root),
        *_modules([*every, *tests], root),
        *_folders([*every, *tests], root, house.get("files", {})),
        *_shared(tests, root),
        *_foreign(packages),
        *_examples(root, packages),
    ]
    for name, own in packages.items():
        graph = module_graph(own)
        found += _circles(name, graph)
        if any(module.name.count(".") > 1 for module in own):
            found += _upward(name, graph, house.get("order", {}).get(name, []))
    return found


def _packages(root: Path) -> dict[str, list[Module]]:
    faces = (root / CORE / "__init__.py", *sorted(root.glob("plugins/*/__init__.py")))
    return {face.parent.name: modules(face.parent) for face in faces if face.is_file()}


def _functions(every: list[Module], root: Path) -> Iterator[str]:
    for module in every:
        for function in functions(module):
            if length(function) > FUNCTION_LINES:
                yield (
                    f"{module.path.relative_to(root)}:{function.lineno}: {function.name} has "
                    f"{length(function)} lines, more than {FUNCTION_LINES}"
                )


def _modules(every: list[Module], root: Path) -> Iterator[str]:
    for module in every:
        if module.lines > MODULE_LINES:
            place = module.path.relative_to(root)
            yield f"{place}: {module.lines} lines, more than {MODULE_LINES}"


def _folders(every: list[Module], root: Path, allowed: Mapping[str, int]) -> Iterator[str]:
    for folder, files in Counter(module.path.parent for module in every).items():
        name = folder.relative_to(root).as_posix()
        if files > (most := allowed.get(name, FOLDER_FILES)):
            yield f"{name}: {files} modules, more than {most}"


def _shared(tests: list[Module], root: Path) -> Iterator[str]:
    """Imports of a module of tests: what several of them need has a module of its own."""
    names = {module.name for module in tests if module.path.name.startswith("test_")}
    for module in tests:
        for name in sorted(set(imports(module, names))):
            yield f"{module.path.relative_to(root)}: imports {name}, which is a module of tests"


def _circles(package: str, graph: Graph) -> Iterator[str]:
    """Of modules, and of the folders at each depth."""
    deepest = max(module.count(".") for module in graph)
    for depth in range(1, deepest + 1):
        for circle in circles(_cut(graph, depth)):
            yield f"{package}: import each other: {', '.join(sorted(circle))}"


def _cut(graph: Graph, depth: int) -> dict[str, set[str]]:
    """The graph of what is `depth` levels below the package, a folder as one."""
    cut: dict[str, set[str]] = {}
    for start, ends in graph.items():
        name = _head(start, depth)
        cut.setdefault(name, set()).update(_head(end, depth) for end in ends)
    return {start: ends - {start} for start, ends in cut.items()}


def _head(module: str, depth: int) -> str:
    return ".".join(module.split(".")[: depth + 1])


def _upward(package: str, graph: Graph, order: list[str]) -> Iterator[str]:
    rooms = room_graph(graph, package)
    for room in sorted(rooms.keys() ^ set(order)):
        what = "is missing in" if room in rooms else "is only in"
        yield f"{package}: {room} {what} tool.house.order of pyproject.toml"
    for start, end in upward(rooms, order):
        yield f"{package}: {start} imports {end}, which is above it"


def _foreign(packages: Mapping[str, list[Module]]) -> Iterator[str]:
    """Imports of a plugin from elsewhere."""
    names = {module.name: name for name, found in packages.items() for module in found}
    for package, found in packages.items():
        for module in found:
            for name in sorted({names[each] for each in imports(module, set(names))}):
                if name not in {package, CORE}:
                    yield f"{module.name}: imports the plugin {name}"


def _examples(root: Path, packages: Mapping[str, list[Module]]) -> Iterator[str]:
    core = packages[CORE]
    offered = {module.name: _listed(module) for module in core if module.name.count(".") <= 1}
    for path in sorted((root / "examples").rglob("*.py")):
        place = path.relative_to(root)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                asked = [(alias.name, "itself") for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                asked = [(node.module, alias.name) for alias in node.names]
            else:
                continue
            for name, part in asked:
                ours = name.partition(".")[0] in packages
                if ours and part not in offered.get(name, ()) and not offered.get(f"{name}.{part}"):
                    yield f"{place}:{node.lineno}: {name}: {part} is private"


def _listed(module: Module) -> set[str]:
    """The names in `__all__`."""
    for node in module.tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            listed: Any = ast.literal_eval(node.value)
            return set(listed)
    return set()


def main() -> None:
    """Check the repository of this file, or that of the argument; 1 if a rule is broken."""
    parser = argparse.ArgumentParser(description="Check the layout of the code.")
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).parent.parent)
    found = breaches(parser.parse_args().root.resolve())
    print("\n".join(found), end="\n" if found else "")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
