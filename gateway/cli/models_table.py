"""Models as text and as JSON: the table of `dragoman models`, the sheet of `dragoman models show`."""

import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from itertools import zip_longest
from typing import Any, Final

from gateway.models.entry import EFFORTS
from gateway.types import Effort, ModelDescription

COLUMNS: Final = (
    "name",
    "aliases",
    "resolves to",
    "context",
    "output",
    "efforts",
    "settings",
    "from",
)
FACT_COLUMNS: Final = ("fact", "value", "known by", "source", "date")

WIDTH: Final = 80
CELL_WIDTH: Final = 24
"""Characters of a terminal, and of a cell at most."""

THOUSAND: Final = 1000
MILLION: Final = 1_000_000


def table(listed: Sequence[dict[str, Any]], *, sources: bool = False) -> str:
    """The rows as text, in the columns that are not empty; descriptions are below their rows.

    `sources` adds the line of the configuration that each row is from.
    """
    rows = [_cells(row) for row in listed]
    shown = [
        number
        for number, name in enumerate(COLUMNS)
        if any(row[number] for row in rows) and (sources or name != "from")
    ]
    blocks = [_block([row[number] for number in shown]) for row in ([*COLUMNS], *rows)]
    lines = iter(in_columns([line for block in blocks for line in block]).splitlines())
    text = []
    for block, row in zip(blocks, [{}, *listed], strict=True):
        text += [next(lines) for _ in block]
        text += textwrap.wrap(
            row.get("description") or "", WIDTH, initial_indent="  ", subsequent_indent="  "
        )
    return "\n".join(text)


def _block(cells: Sequence[str]) -> list[tuple[str, ...]]:
    """A row as one or more lines: long cells are wrapped."""
    wrapped = [
        textwrap.wrap(cell, CELL_WIDTH, break_long_words=False, break_on_hyphens=False)
        for cell in cells
    ]
    return list(zip_longest(*wrapped, fillvalue=""))


def in_columns(cells: Sequence[Sequence[str]]) -> str:
    """Rows of cells, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def described(description: ModelDescription) -> dict[str, Any]:
    """A description for JSON: unknown facts are null."""
    fields = asdict(description)
    return {key: [*value] if isinstance(value, tuple) else value for key, value in fields.items()}


def sheet(name: str, description: ModelDescription | None) -> str:
    """All that is known of one model."""
    if description is None:
        return f"{name}\n  Nothing is known about it."
    said = {
        "answers": description.resolved,
        "context": description.context_length and f"{description.context_length:,} tokens",
        "output": description.max_output_tokens and f"{description.max_output_tokens:,} tokens",
        "thinking": description.thinking,
        "efforts": _listed(description.efforts),
        "input": _listed(description.inputs),
        "parameters": _listed(description.parameters),
    }
    lines = [f"  {what:<10}  {value}" for what, value in said.items() if value]
    if description.facts:
        facts = [
            (fact.name, fact.value, fact.origin, fact.source, fact.date or "")
            for fact in description.facts
        ]
        lines += ["", *(f"  {line}" for line in in_columns([FACT_COLUMNS, *facts]).splitlines())]
    return "\n".join([name, *lines])


def tokens(number: int | None) -> str:
    """A number of tokens in short: 1M, 200k, 64000 as 64k; others as they are."""
    if number is None:
        return ""
    if number % MILLION == 0:
        return f"{number // MILLION}M"
    return f"{number // THOUSAND}k" if number % THOUSAND == 0 else str(number)


def levels(efforts: Sequence[Effort]) -> str:
    """Levels of effort in short: `low…max` if none between the two is missing."""
    few = 2
    if not efforts:
        return "none"
    first, last = EFFORTS.index(efforts[0]), EFFORTS.index(efforts[-1])
    if len(efforts) > few and tuple(efforts) == EFFORTS[first : last + 1]:
        return f"{efforts[0]}…{efforts[-1]}"
    return ", ".join(efforts)


def _listed(words: Sequence[str] | None) -> str | None:
    return None if words is None else ", ".join(words) or "none"


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    if "alias_of" in row:
        return (row["name"], "", row["alias_of"], "", "", "", "", row["from"] or "")
    said = {**row["defaults"], **{f"{key}<": value for key, value in row["limits"].items()}}
    known = row["known"] or {}
    efforts = known.get("efforts")
    return (
        row["name"] + (" (hidden)" if row["hidden"] else ""),
        ", ".join(row["aliases"]),
        _leads_to(row),
        tokens(known.get("context_length")),
        tokens(known.get("max_output_tokens")),
        "" if efforts is None else levels(efforts),
        " ".join(f"{key}={value}" for key, value in said.items()).replace("<=", "≤"),
        row["from"],
    )


def _leads_to(row: dict[str, Any]) -> str:
    if row["split"]:
        return ", ".join(f"{name} {weight}" for name, weight in row["split"].items())
    return f"{row['backend']}: {row['target'] or 'same name'}"
