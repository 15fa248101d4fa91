"""Holds README.tr.md against README.md: `python scripts/check_translation.py [--fix]`.

The two have to agree in their headings (levels and order; the words are the translator's), in all
code blocks, and, section by section, in the text's inline `code` (commands, options, keys) and in
the targets of its links. Each of the two links to the other.

`--fix` takes the code blocks over from README.md, if both have as many of them.
"""

import re
import sys
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
ORIGINAL: Final = ROOT / "README.md"
TRANSLATION: Final = ROOT / "README.tr.md"
BLOCK: Final = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
HEADING: Final = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)
CODE: Final = re.compile(r"`([^`\n]+)`")
LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
EACH_OTHER: Final = frozenset({ORIGINAL.name, TRANSLATION.name})


def prose(text: str) -> str:
    """The text without code blocks."""
    return BLOCK.sub("", text)


def sections(text: str) -> list[tuple[str, set[str]]]:
    """Each heading with its marks, and the inline code and the links under it, as they are written."""
    _, *parts = re.split(r"^(?=#{1,6} )", prose(text), flags=re.MULTILINE)
    return [(part.partition("\n")[0], _fixed_parts(part)) for part in parts]


def _fixed_parts(part: str) -> set[str]:
    links = set(LINK.findall(part)) - EACH_OTHER
    return {f"`{code}`" for code in CODE.findall(part)} | {f"]({link})" for link in links}


def differences(original: str, translation: str) -> Iterator[str]:
    """A line for each difference, in the order of the text."""
    ours, theirs = sections(original), sections(translation)
    for (heading, parts), (other, other_parts) in zip_longest(ours, theirs, fillvalue=("", set())):
        if heading.split(" ")[0] != other.split(" ")[0]:
            yield f"headings: {heading!r} in the original, {other!r} in the translation"
            return  # everything after it would differ
        yield from (f"{other!r} lacks {part}" for part in sorted(parts - other_parts))
        yield from (
            f"{other!r} has {part}, which {heading!r} lacks" for part in sorted(other_parts - parts)
        )
    blocks, other_blocks = BLOCK.findall(original), BLOCK.findall(translation)
    for number, (block, copy) in enumerate(zip_longest(blocks, other_blocks, fillvalue=""), 1):
        if block != copy:
            yield f"code block {number}: {_first_change(block, copy)}"


def _first_change(block: str, copy: str) -> str:
    for line, other in zip_longest(block.splitlines(), copy.splitlines(), fillvalue="(nothing)"):
        if line != other:
            return f"{line!r} in the original, {other!r} in the translation"
    return "differs"


def fixed(original: str, translation: str) -> str:
    """The translation with the original's code blocks. Raises `ValueError` if their numbers differ."""
    blocks = BLOCK.findall(original)
    if (count := len(BLOCK.findall(translation))) != len(blocks):
        raise ValueError(f"{len(blocks)} code blocks in the original, {count} in the translation")
    return BLOCK.sub(lambda _: blocks.pop(0), translation)


def main() -> None:
    original, translation = (path.read_text(encoding="utf-8") for path in (ORIGINAL, TRANSLATION))
    if "--fix" in sys.argv:
        translation = fixed(original, translation)
        TRANSLATION.write_text(translation, encoding="utf-8")
    if lines := list(differences(original, translation)):
        sys.exit("\n".join(lines))


if __name__ == "__main__":
    main()
