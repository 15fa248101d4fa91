"""The whole report, for people and for machines. Pure.

The JSON has a stable shape: `format` (1), `exit_code`, `dragoman`, `python` and `platform` (texts),
`cli` (null, or `path`, `version`, `origin`, `installed_by`, `age`, `update`), `findings`, and `seconds`. A finding has `name`,
`group`, `title`, `verdict` ("holds", "differs" or "unknown"), `seen` and `advice`; names may be
added, but do not change.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Final

import click

from gateway_claude_code.compatibility.findings import EXIT_NO_CLI, Finding, Verdict, exit_code

FORMAT: Final = 1

_COLOURS: Final[dict[Verdict, str]] = {"holds": "green", "differs": "red", "unknown": "yellow"}
_WORDS: Final[dict[Verdict, str]] = {"holds": "ok", "differs": "FAIL", "unknown": "unknown"}
_COUNTED: Final[dict[Verdict, str]] = {"holds": "ok", "differs": "failed", "unknown": "unknown"}
"""Words for people: in a row, and in the sum."""
_NAME_WIDTH: Final = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class CliFound:
    """The examined CLI. `origin` is the way in which it was found, `installed_by` the way of its
    installation, `age` is in words, `update` is the command for a newer one."""

    path: str
    version: str | None
    origin: str
    installed_by: str = "unknown"
    age: str | None = None
    update: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The findings of `dragoman doctor`."""

    dragoman: str
    python: str
    platform: str
    cli: CliFound | None
    findings: Sequence[Finding]
    seconds: float

    @property
    def exit_code(self) -> int:
        """0 if everything holds, 1 if something does not, 2 without a working CLI."""
        if self.cli is None or self.cli.version is None:
            return EXIT_NO_CLI
        return exit_code(self.findings)

    def as_json(self) -> str:
        """For machines: see the module."""
        values: dict[str, Any] = {"format": FORMAT, "exit_code": self.exit_code, **asdict(self)}
        return json.dumps({**values, "seconds": round(self.seconds, 2)}, indent=2)

    def as_text(self) -> str:
        """For people, with colours."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"dragoman {self.dragoman}, Python {self.python}, {self.platform}"
        if self.cli is not None:
            version = self.cli.version or "(unknown version)"
            age = f", {self.cli.age}" if self.cli.age else ""
            yield f"Claude Code CLI {version}{age}: {self.cli.path} ({self.cli.origin})"
            if self.cli.update:
                yield f"To update: {self.cli.update}"
        yield from self._finding_lines()

    def findings_as_text(self) -> str:
        """The findings and their sum, without colours."""
        return click.unstyle("\n".join(self._finding_lines()))

    def _finding_lines(self) -> Iterator[str]:
        for group, findings in groupby(self.findings, key=lambda finding: finding.group):
            yield f"\n{group}"
            for finding in findings:
                yield from _finding_lines(finding)
        yield f"\n{self._summary()}"

    def _summary(self) -> str:
        if self.exit_code == EXIT_NO_CLI:
            return "No CLI to test."
        counts = {
            verdict: sum(finding.verdict == verdict for finding in self.findings)
            for verdict in _COLOURS
        }
        said = ", ".join(
            f"{count} {_COUNTED[verdict]}" for verdict, count in counts.items() if count
        )
        return f"{said}, in {self.seconds:.1f} s"


def _finding_lines(finding: Finding) -> Iterator[str]:
    verdict = click.style(f"{_WORDS[finding.verdict]:8}", fg=_COLOURS[finding.verdict])
    yield f"  {verdict} {finding.name:{_NAME_WIDTH}} {finding.title}: {finding.seen}"
    if finding.advice:
        yield f"{'':13}{finding.advice}"
