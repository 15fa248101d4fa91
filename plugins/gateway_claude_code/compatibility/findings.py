"""The findings of a check: one for each behaviour. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Verdict: TypeAlias = Literal["holds", "differs", "unknown"]

EXIT_HOLDS: Final = 0
EXIT_DIFFERS: Final = 1
EXIT_NO_CLI: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One behaviour, or one part of the set-up: what was `seen`, and what to do if it differs.

    `unknown` is what could not be seen: in time, or because something else went wrong.
    """

    name: str
    group: str
    title: str
    verdict: Verdict
    seen: str
    advice: str = ""


def differing(findings: Iterable[Finding]) -> list[Finding]:
    """Those that do not hold for certain."""
    return [finding for finding in findings if finding.verdict == "differs"]


def exit_code(findings: Iterable[Finding]) -> int:
    """0 if everything holds; 1 if something differs, or could not be seen."""
    holds = all(finding.verdict == "holds" for finding in findings)
    return EXIT_HOLDS if holds else EXIT_DIFFERS
