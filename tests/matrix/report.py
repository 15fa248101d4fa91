"""The matrix as a page of documentation. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from tests.matrix.run import Outcome, asked_name

HEADING = (
    "on our stand-in, from public documentation of October and November 2026; "
    "not run against the real API"
)


def page(outcomes: Sequence[Outcome], cli: str, date: str) -> str:
    """The whole page: a table of parameters by models, what was adjusted, what the CLI adds."""
    return "\n".join(_lines(outcomes, cli, date)) + "\n"


def _lines(outcomes: Sequence[Outcome], cli: str, date: str) -> Iterator[str]:
    models = list(dict.fromkeys(outcome.model for outcome in outcomes))
    cells = list(dict.fromkeys(outcome.cell for outcome in outcomes))
    found = {(outcome.model, outcome.cell): outcome for outcome in outcomes}
    right = sum(outcome.problem is None for outcome in outcomes)
    yield "# Parameters by model"
    yield ""
    yield f"Claude Code CLI {cli}, {date}, {HEADING}."
    yield ""
    yield (
        f"{right} of {len(outcomes)} requests were answered with a 200 on the first try of a "
        "gateway that had learnt nothing, by one answered upstream request each (the live tool "
        "loop is two), with no request repeated by Dragoman. `make matrix` makes this page."
    )
    yield ""
    yield (
        "✓ as asked; a = `x-dragoman-adjusted`, i = `x-dragoman-ignored`: met as nearly as the "
        "model can; ✗ not met."
    )
    yield ""
    yield f"| parameter | {' | '.join(name.removeprefix('claude-') for name in models)} |"
    yield f"|---|{'---|' * len(models)}"
    for cell in cells:
        marks = (_mark(found[model, cell]) for model in models)
        yield f"| {cell} | {' | '.join(marks)} |"
    yield from _words(outcomes)
    yield from _models(models, found, cells)
    yield from _by_the_cli(outcomes)


def _mark(outcome: Outcome) -> str:
    if outcome.problem is not None:
        return "✗"
    return "✓" + "a" * bool(outcome.adjusted) + "i" * bool(outcome.ignored)


def _words(outcomes: Iterable[Outcome]) -> Iterator[str]:
    yield ""
    yield "## What the headers say"
    yield ""
    yield "| parameter | header | models |"
    yield "|---|---|---|"
    said: dict[tuple[str, str], list[str]] = {}
    for outcome in outcomes:
        for header in ("adjusted", "ignored"):
            if value := getattr(outcome, header):
                key = (outcome.cell, f"`x-dragoman-{header}: {value}`")
                said.setdefault(key, []).append(outcome.model.removeprefix("claude-"))
    for (cell, header), models in said.items():
        yield f"| {cell} | {header} | {', '.join(models)} |"
    problems = [outcome for outcome in outcomes if outcome.problem is not None]
    if problems:
        yield ""
        yield "## Not met"
        yield ""
        for outcome in problems:
            yield f"- {outcome.model}, {outcome.cell}: {outcome.problem}"


def _models(
    models: Sequence[str], found: dict[tuple[str, str], Outcome], cells: Sequence[str]
) -> Iterator[str]:
    others = [
        f"{asked_name(model)} is answered by {answered}"
        for model in models
        if (answered := found[model, cells[0]].answered_by) and not answered.startswith(model)
    ]
    if others:
        yield ""
        yield f"The CLI asks for another model than the one named: {'; '.join(others)}."


def _by_the_cli(outcomes: Iterable[Outcome]) -> Iterator[str]:
    counts = Counter((rule, outcome.model) for outcome in outcomes for rule in outcome.by_cli)
    yield ""
    yield "## Requests that the CLI adds by itself"
    yield ""
    if not counts:
        yield "None."
        return
    yield (
        "All of them are refused, and so cost nothing. `messages.system_role`: the CLI puts its note about the environment into a message of the "
        "role system, for a model that accepts none, and then takes it back."
    )
    yield ""
    yield "| rule | where | count |"
    yield "|---|---|---|"
    for (rule, where), count in counts.items():
        yield f"| `{rule}` | {where} | {count} |"
