"""Hooks of the site's builder (mkdocs.yml): three files that are not in docs/ become pages.

A page owns its text. Only a file that has its place elsewhere (CHANGELOG.md, SECURITY.md, the
results of `make bench`) is taken over, by a line of its own in one of these forms:

    <!-- from: CHANGELOG.md -->           the file, without its title
    <!-- picture: docs/soak.svg "..." --> a picture, if the file is there

Links between files of the repository become links between pages. Files that have no page are
only named.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = ROOT / "docs"
PICTURES: Final = {"results.svg": ROOT / "bench" / "results.svg"}  # besides those in docs/
FROM: Final = re.compile(r"^<!-- from: (?P<file>\S+) -->$")
PICTURE: Final = re.compile(r'^<!-- picture: (?P<file>\S+) "(?P<alt>[^"]+)" -->$')
HEADING: Final = re.compile(r"^(?P<marks>#{1,6}) (?P<title>.+)$")
LINK: Final = re.compile(r"(?P<bang>!?)\[(?P<text>[^\]\n]*)\]\((?P<target>[^)\s]+)\)")


class UnknownSourceError(ValueError):
    """A page names a file that is missing."""


def slug(title: str) -> str:
    """The anchor of a heading, as code hosts and the site's `toc.slugify` make it."""
    return re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")


def with_fences(text: str) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it is code."""
    fence = ""
    for line in text.splitlines():
        mark = re.match(r"\s*(```+)", line)
        if fence:
            yield line, True
            if mark and mark[1] == fence and line.strip() == fence:
                fence = ""
        else:
            fence = mark[1] if mark else ""
            yield line, bool(mark)


def headings(text: str) -> list[tuple[int, str]]:
    """Level and title of each."""
    return [
        (len(found["marks"]), found["title"].strip())
        for line, code in with_fences(text)
        if not code and (found := HEADING.match(line))
    ]


def expanded(text: str) -> Iterator[tuple[str, str, bool]]:
    """A page's lines with the files it names: the line's file (empty: the page), the line, code.

    Raises `UnknownSourceError` for a file that is missing.
    """
    level = 1
    for line, code in with_fences(text):
        if not code and (found := HEADING.match(line)):
            level = len(found["marks"])
        if not code and (wanted := FROM.match(line)):
            yield from _taken(wanted["file"], level)
        elif not code and (wanted := PICTURE.match(line)):
            if (ROOT / wanted["file"]).is_file():
                yield "", f"![{wanted['alt']}]({Path(wanted['file']).name})", False
        else:
            yield "", line, code


def _taken(file: str, level: int) -> Iterator[tuple[str, str, bool]]:
    """The lines of a file below its title, with its headings below `level`."""
    try:
        text = (ROOT / file).read_text(encoding="utf-8")
    except OSError as error:
        raise UnknownSourceError(f"{file}: {error}") from error
    for line, code in with_fences(text):
        found = None if code else HEADING.match(line)
        if found is None:
            yield file, line, code
        elif len(found["marks"]) > 1:
            yield file, "#" * (len(found["marks"]) - 1 + level) + f" {found['title']}", False


def pages_of_files() -> dict[str, str]:
    """The page that takes over a file, by the file's path in the repository."""
    return {
        wanted["file"]: path.name
        for path in sorted(DOCS.glob("*.md"))
        for line, code in with_fences(path.read_text(encoding="utf-8"))
        if not code and (wanted := FROM.match(line))
    }


def link(target: str, file: str, pages: dict[str, str]) -> str | None:
    """A link's target on the site; None for a file that has no page. `file` contains the link."""
    if re.match(r"[a-z+]+:", target) or target.startswith("#"):
        return target
    path, mark, anchor = target.partition("#")
    folder = (ROOT / file).parent if file else DOCS
    named = (folder / path).resolve()
    name = named.relative_to(ROOT).as_posix()
    if name == "README.md":
        return "index.md"
    if name in pages:
        return pages[name] + mark + anchor
    if named.is_relative_to(DOCS) and named.is_file():
        return named.relative_to(DOCS).as_posix() + mark + anchor
    return None if named.exists() else target


def page(text: str) -> str:
    """A page as it is built."""
    pages = pages_of_files()

    def linked(file: str, line: str) -> str:
        def led(found: re.Match[str]) -> str:
            target = link(found["target"], file, pages)
            if target is None:
                text = found["text"]
                return f"`{text}`" if text == found["target"] else text
            return f"{found['bang']}[{found['text']}]({target})"

        return LINK.sub(led, line)

    return "\n".join(line if code else linked(file, line) for file, line, code in expanded(text))


def on_page_markdown(markdown: str, **_: Any) -> str:  # noqa: ANN401 - mkdocs' own objects
    """mkdocs: the source of a page."""
    return page(markdown)


def on_files(files: Any, config: Any) -> Any:  # noqa: ANN401
    """mkdocs: the files of the site."""
    from mkdocs.structure.files import File  # noqa: PLC0415 - only the builder has it

    for name, source in PICTURES.items():
        files.append(File.generated(config, name, abs_src_path=str(source)))
    return files
