"""Lists the facts about the CLI, the API and clients that the code relies on, with their sources.

    python scripts/list_facts.py [--page] [ROOT]

A fact is a comment, or a paragraph of a docstring, that names its source in one of these forms:

    seen with 2.1.330; CLI 2.1.330; (2.1.330)   a version of the Claude Code CLI
    openai-python 3.54; uvloop 0.23             a version of one of `PROGRAMS`
    platform.claude.com/docs/en/api/errors      a page
    RFC 9110, 7.8; ECMA-262; ISO 32000-1        a standard
    anthropics/claude-code#24451                a public issue
    doctor: tool_list, streaming                behaviours that `dragoman doctor` checks
    (assumed)                                   none: nobody has seen it yet

The text ends with the last sentence that has a source. Two tables have their sources in a column, and
each of their rows is a fact: the rules of the stand-in, and the facts that differ between models.

Prints `file:line: name: fact [sources]` for each, or with `--page` the page docs/facts.md. Needs
nothing but the standard library.
"""

import argparse
import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

CODE: Final = ("gateway", "plugins")
RULES: Final = Path("plugins/gateway_claude_code/upstream/rules/table.py")
MODELS: Final = Path("plugins/gateway_claude_code/facts/documented.py")
API_DOCS: Final = "platform.claude.com/docs/en/"
CLI_DOCS: Final = "code.claude.com/docs/en/"

PROGRAMS: Final = ("openai-python", "AI SDK", "claude-agent-sdk", "uvicorn", "httptools", "uvloop",
                   "pydantic-core", "jsonschema-rs", "CPython", "Python")  # fmt: skip
"""Whose versions are sources, besides the CLI's."""

_VERSION: Final = r"\d+\.\d+(?:\.\d+)?"
_SOURCES: Final = (
    ("cli", re.compile(r"(?<![\w.-])(2\.\d+\.\d{2,})(?![\w-])")),
    ("page", re.compile(r"(?<![\w@])((?:[a-z0-9-]+\.)+(?:com|org|io|dev|ai)/[\w./#@-]*[\w#])")),
    ("issue", re.compile(r"(?<![\w./-])((?:[\w.-]+/)?[A-Za-z][\w.-]*#\d+)")),
    ("doctor", re.compile(r"\bdoctor: ((?:[a-z]\w*, )*[a-z]\w*)")),
    ("standard", re.compile(r"\b(RFC \d+|ECMA-\d+|ISO \d+-\d+)")),
    ("program", re.compile(rf"\b((?:{'|'.join(PROGRAMS)}) {_VERSION})")),
    ("program", re.compile(rf"\b[Ss]een with (?!2\.\d+\.\d\d)({_VERSION})")),
    ("assumed", re.compile(r"\((assumed)\b")),
)
"""The kind of each source, and its form. The group is what is shown."""

_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"`])")
_CUT_ADDRESS: Final = re.compile(r"(\.(?:com|org|io|dev|ai)/\S*/)\s+(?=[a-z])")
"""An address that goes on in the next line of a docstring or comment."""
_LINE_END: Final = re.compile(r"\n\s*(?:# )?")
_DIRECTIVE: Final = re.compile(r"(?:noqa(?:: \w+)?|type: ignore\S*|fmt: \w+)\s*")
"""Of ruff, mypy or the formatter; the reason behind it stays."""

_ENTITIES: Final = str.maketrans({each: f"&#{ord(each)};" for each in "&<>|*_[]{}\\"})

PAGE_HEAD: Final = """\
# Facts and their sources

<!-- Made by `make docs-facts` from the comments and docstrings of the code. Do not edit. -->

Dragoman relies on behaviour of the Claude Code CLI, of Anthropic's API and of clients. This page lists \
each fact where the code uses it, with its source: the version of the CLI with which it was seen, the \
page of the documentation, a public issue that quotes the live API, or a standard. `doctor` names a \
behaviour that [`dragoman doctor`](doctor.md) checks with the installed CLI. Facts that nobody has seen \
yet are marked as assumed.

`python scripts/list_facts.py` prints the same list with line numbers, and its docstring has the forms \
in which a comment names its source.
"""


@dataclass(frozen=True, slots=True)
class Source:
    """`kind` is one of `_SOURCES`; `name` is a version, an address, an issue or a behaviour."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Fact:
    """`path` is relative to the root; `name` is of the function, class or constant that uses it."""

    path: Path
    line: int
    name: str
    text: str
    sources: tuple[Source, ...]


# One fact of one text.


def sources_of(text: str) -> tuple[Source, ...]:
    """All sources that a text names, in the order of `_SOURCES`, each once."""
    found: dict[Source, None] = {}
    for kind, form in _SOURCES:
        for match in form.finditer(text):
            names = match[1].split(", ") if kind == "doctor" else [match[1]]
            found.update(dict.fromkeys(Source(kind, name) for name in names))
    return tuple(found)


def stated(text: str) -> str:
    """The text in one line, up to the last sentence with a source; empty without one."""
    line = _CUT_ADDRESS.sub(r"\1", " ".join(text.split()))
    sentences = _SENTENCE.split(line)
    while sentences and not sources_of(sentences[-1]):
        sentences.pop()
    return " ".join(sentences)


# The texts of a module.


@dataclass(frozen=True, slots=True)
class Place:
    """The lines of a function, a class or an assignment, and its dotted name."""

    first: int
    last: int
    name: str


def places(body: Iterable[ast.stmt], outer: str = "") -> Iterator[Place]:
    """Those of a module or a class; within a function nothing has a name of its own."""
    for node in body:
        last = node.end_lineno or node.lineno
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                yield Place(first, last, outer + node.name)
                if isinstance(node, ast.ClassDef):
                    yield from places(node.body, f"{outer}{node.name}.")
            case (
                ast.Assign(targets=[ast.Name(id=name), *_])
                | ast.AnnAssign(target=ast.Name(id=name))
            ):
                yield Place(node.lineno, last, outer + name)


def name_at(line: int, known: list[Place]) -> str:
    """The innermost place around a line, or else the next one; empty at the end of a module."""
    around = [place for place in known if place.first <= line <= place.last]
    if around:
        return max(around, key=lambda place: place.first).name
    return next((place.name for place in known if place.first > line), "")


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """The line, the name and the text of each, those of constants and attributes too."""

    def within(body: list[ast.stmt], outer: str) -> Iterator[tuple[int, str, str]]:
        before = outer
        for node in body:
            match node:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    yield node.lineno, before, text
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    before = f"{outer}.{node.name}".lstrip(".")
                    yield from within(node.body, before)
                case _:
                    before = ".".join(filter(None, (outer, *(p.name for p in places([node])))))

    yield from within(tree.body, "")


def comments(text: str) -> Iterator[tuple[int, str]]:
    """The line and the text of each block of comments, or of one behind code."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    found = [
        (each.start, each.line, each.string) for each in tokens if each.type == tokenize.COMMENT
    ]
    alone = [(row, column, string) for (row, column), line, string in found
             if not line[:column].strip()]  # fmt: skip
    for _, block in groupby(enumerate(alone), key=lambda one: (one[1][0] - one[0], one[1][1])):
        lines = [item for _, item in block]
        yield lines[0][0], "\n".join(_bare(string) for _, _, string in lines)
    for (row, column), line, string in found:
        if line[:column].strip():
            yield row, _bare(string)


def _bare(comment: str) -> str:
    return _DIRECTIVE.sub("", comment.lstrip("# ")).lstrip("- ")


def facts_of(path: Path, text: str) -> Iterator[Fact]:
    """The facts of a module, in the order of their lines."""
    if not sources_of(_LINE_END.sub(" ", text)):
        return  # most modules, and the rest takes long
    tree = ast.parse(text)
    known = sorted(places(tree.body), key=lambda place: place.first)
    found = [(line, name_at(line, known), comment) for line, comment in comments(text)]
    for line, name, docstring in docstrings(tree):
        found += [(line + offset, name, paragraph) for offset, paragraph in _paragraphs(docstring)]
    for line, name, said in sorted(found):
        if fact := stated(said):
            yield Fact(path, line, name, fact, sources_of(fact))


def _paragraphs(docstring: str) -> Iterator[tuple[int, str]]:
    """Each with the number of lines before it; an item of a list is one as well."""
    start, lines = 0, list[str]()
    for number, line in enumerate([*docstring.splitlines(), ""]):
        if not line.strip() or line.lstrip().startswith("- "):
            yield start, "\n".join(lines)
            start, lines = number, []
        if line.strip():
            start = start if lines else number
            lines.append(line.strip().removeprefix("- "))
    yield start, "\n".join(lines)


# The two tables.


def rules(root: Path) -> Iterator[Fact]:
    """The rules of the stand-in: each call of `_rule(name, check, source, …)` in the table."""
    tree = ast.parse((root / RULES).read_text(encoding="utf-8"))
    pages = _strings(tree)
    modules = {path.stem: path for path in sorted((root / RULES.parent).rglob("*.py"))}
    for call in ast.walk(tree):
        match call:
            case ast.Call(
                func=ast.Name(id="_rule"),
                args=[
                    ast.Constant(),
                    ast.Attribute(value=ast.Name(id=module), attr=name),
                    page,
                    *more,
                ],
            ):
                path = modules[module]
                line, text = _function(path, name)
                inferred = " (Inferred.)" if more else ""
                source = pages.get(page.id, "") if isinstance(page, ast.Name) else page
                yield Fact(path.relative_to(root), line, name, text + inferred, _cited(source))


def models(root: Path) -> Iterator[Fact]:
    """The facts in which models differ: each row of `PAGES`."""
    tree = ast.parse((root / MODELS).read_text(encoding="utf-8"))
    pages = _strings(tree)
    for node in tree.body:
        match node:
            case ast.AnnAssign(target=ast.Name(id="PAGES"), value=ast.Dict() as table):
                for key, page in zip(table.keys, table.values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(page, ast.Name):
                        text = f"`{key.value!s}` of each model."
                        yield Fact(MODELS, key.lineno, "PAGES", text, _cited(pages[page.id]))


def _strings(tree: ast.Module) -> dict[str, str]:
    """The constants of a module that are texts."""
    return {
        node.target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }


def _function(path: Path, name: str) -> tuple[int, str]:
    """The line of a function, and the first paragraph of its docstring."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            text = (ast.get_docstring(node) or "").partition("\n\n")[0]
            return node.lineno, " ".join(text.split())
    raise LookupError(f"{path} has no function {name}")


def _cited(source: str | ast.expr) -> tuple[Source, ...]:
    """A page below `API_DOCS`, or public issues."""
    text = source if isinstance(source, str) else str(ast.literal_eval(source))
    return sources_of(text) if "#" in text else (Source("page", API_DOCS + text),)


# All of them.


def facts(root: Path) -> list[Fact]:
    """Every fact of the code, by folder, file and line."""
    found = [*rules(root), *models(root)]
    for folder in CODE:
        for path in sorted((root / folder).rglob("*.py")):
            found += facts_of(path.relative_to(root), path.read_text(encoding="utf-8"))
    return sorted(found, key=lambda fact: (fact.path.parent, fact.path.name, fact.line, fact.text))


def as_lines(found: Iterable[Fact]) -> str:
    """For the terminal: a line for each fact."""
    return "\n".join(
        f"{fact.path}:{fact.line}: {fact.name or fact.path.stem}: {fact.text} "
        f"[{', '.join(_plain(source) for source in fact.sources)}]"
        for fact in found
    )


def as_page(found: Iterable[Fact]) -> str:
    """In Markdown: a table for each folder, without the numbers of lines."""
    parts = [PAGE_HEAD]
    for folder, inner in groupby(found, key=lambda fact: fact.path.parent):
        rows = [_row(fact) for fact in inner]
        parts.append(f"## {folder.as_posix()}\n")
        parts.append("| Where | Fact | Source |\n| --- | --- | --- |\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _row(fact: Fact) -> str:
    where = f"`{fact.path.name}`" + (f" `{fact.name}`" if fact.name else "")
    return f"| {where} | {_escaped(fact.text)} | {', '.join(map(_linked, fact.sources))} |"


def _escaped(text: str) -> str:
    """As Markdown that shows the text: code stays code, and all other markup is escaped."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return _without_markup(text).replace("`", "\\`")
    return "".join(
        f"<code>{piece.translate(_ENTITIES)}</code>" if odd % 2 else _without_markup(piece)
        for odd, piece in enumerate(pieces)
    )


def _without_markup(text: str) -> str:
    return re.sub(r"([|*_<>\[\]])", r"\\\1", text)


def _linked(source: Source) -> str:
    match source.kind:
        case "page":
            return f"[{_label(source.name)}](https://{source.name})"
        case "issue" if "/" in source.name:
            return f"[{source.name}](https://github.com/{source.name.replace('#', '/issues/')})"
        case "doctor":
            return f"`doctor`: {source.name}"
    return _plain(source)


def _label(address: str) -> str:
    """A page of Anthropic's by whose documentation it is, and its last step."""
    for start, name in ((API_DOCS, "API docs"), (CLI_DOCS, "CLI docs")):
        if address.startswith(start):
            return f"{name}: {address.rpartition('/')[2]}"
    return address


def _plain(source: Source) -> str:
    match source.kind:
        case "cli":
            return f"CLI {source.name}"
        case "doctor":
            return f"doctor: {source.name}"
    return source.name


def main() -> None:
    """List the facts of the repository of this file, or of that of the argument."""
    parser = argparse.ArgumentParser(description="List the facts that the code relies on.")
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).parent.parent)
    parser.add_argument("--page", action="store_true", help="print docs/facts.md")
    chosen = parser.parse_args()
    found = facts(chosen.root.resolve())
    print(as_page(found) if chosen.page else as_lines(found), end="" if chosen.page else "\n")


if __name__ == "__main__":
    main()
