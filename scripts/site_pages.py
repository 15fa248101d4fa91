"""Hooks of the site's builder (mkdocs.yml): pages take their parts from the files that have them.

What stands in the README, in SECURITY.md or in the results of `make bench` is not copied into
docs/: a page names it in a line of its own, in one of these forms:

    <!-- from: README.md "Limits" -->     the text under that heading, with its subheadings
    <!-- from: CHANGELOG.md -->           a whole file, without its title
    <!-- picture: docs/soak.svg "..." --> a picture, if the file is there

Links are led to where their target is on the site: a heading of the README to the page that took
it, a document to its page. Files that are not on the site are only named.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = ROOT / "docs"
PICTURES: Final = {"results.svg": ROOT / "bench" / "results.svg"}  # besides those in docs/
FROM: Final = re.compile(r'^<!-- from: (?P<file>\S+)(?: "(?P<heading>[^"]+)")? -->$')
PICTURE: Final = re.compile(r'^<!-- picture: (?P<file>\S+) "(?P<alt>[^"]+)" -->$')
HEADING: Final = re.compile(r"^(?P<marks>#{1,6}) (?P<title>.+)$")
LINK: Final = re.compile(r"(?P<bang>!?)\[(?P<text>[^\]\n]*)\]\((?P<target>[^)\s]+)\)")


class UnknownSourceError(ValueError):
    """A page asks for what is not there."""


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


def section(text: str, title: str | None) -> tuple[int, str]:
    """The level of a heading and all that stands under it; of the file's own title without one."""
    level, taken = 0, []
    for line, code in with_fences(text):
        found = None if code else HEADING.match(line)
        if level and found and len(found["marks"]) <= level:
            break
        if level:
            taken.append(line)
        elif found and title in (None, found["title"].strip()):
            level = len(found["marks"])
    if not level:
        raise UnknownSourceError(f"there is no heading {title!r}")
    return level, "\n".join(taken).strip()


def expanded(text: str) -> Iterator[tuple[str, str, bool]]:
    """A page's lines with what they ask for: the file it is from (empty: the page), line, code."""
    level = 1
    for line, code in with_fences(text):
        if not code and (found := HEADING.match(line)):
            level = len(found["marks"])
        if not code and (wanted := FROM.match(line)):
            yield from _taken(wanted["file"], wanted["heading"], level)
        elif not code and (wanted := PICTURE.match(line)):
            if (ROOT / wanted["file"]).is_file():
                yield "", f"![{wanted['alt']}]({Path(wanted['file']).name})", False
        else:
            yield "", line, code


def _taken(file: str, title: str | None, level: int) -> Iterator[tuple[str, str, bool]]:
    try:
        old, text = section((ROOT / file).read_text(encoding="utf-8"), title)
    except (OSError, UnknownSourceError) as error:
        raise UnknownSourceError(f"{file}: {error}") from error
    for line, code in with_fences(text):
        if not code and (found := HEADING.match(line)):
            yield file, "#" * (len(found["marks"]) - old + level) + f" {found['title']}", False
        elif not code:
            yield file, line.replace("<details>", "<details markdown>"), False
        else:
            yield file, line, True


def places() -> dict[tuple[str, str], str]:
    """Where on the site a file's heading stands: (file, anchor) to a page, perhaps with anchor."""
    found: dict[tuple[str, str], str] = {}
    for path in sorted(DOCS.glob("*.md")):
        text, last = path.read_text(encoding="utf-8"), ""
        for line, code in with_fences(text):
            if code:
                continue
            if heading := HEADING.match(line):
                last = "" if len(heading["marks"]) == 1 else "#" + slug(heading["title"])
            elif (wanted := FROM.match(line)) and (title := wanted["heading"]):
                found.setdefault((wanted["file"], slug(title)), path.name + last)
            elif wanted:
                found.setdefault((wanted["file"], ""), path.name)
        for file, line, code in expanded(text):
            if file and not code and (heading := HEADING.match(line)):
                anchor = slug(heading["title"])
                found.setdefault((file, anchor), f"{path.name}#{anchor}")
    return found


def link(target: str, file: str, known: dict[tuple[str, str], str]) -> str | None:
    """A link's target on the site; None for a file that is not on it. `file` has the link."""
    if re.match(r"[a-z+]+:", target) or (not file and target.startswith("#")):
        return target
    path, _, anchor = target.partition("#")
    folder = (ROOT / file).parent if file else DOCS
    named = ((folder / path).resolve() if path else ROOT / file).relative_to(ROOT)
    name = named.as_posix()
    if (place := known.get((name, anchor)) or known.get((name, "")) if anchor else None) or (
        place := known.get((name, ""))
    ):
        return place if "#" in place or not anchor else f"{place}#{anchor}"
    if name == "README.md":
        return None if anchor else "index.md"
    if named.is_relative_to("docs") and (ROOT / named).is_file():
        return named.relative_to("docs").as_posix() + (f"#{anchor}" if anchor else "")
    return None if (ROOT / named).exists() else target


def page(text: str) -> str:
    """A page as it is built."""
    known = places()

    def linked(file: str, line: str) -> str:
        def led(found: re.Match[str]) -> str:
            target = link(found["target"], file, known)
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
