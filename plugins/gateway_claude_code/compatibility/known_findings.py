"""Findings about each CLI in a small file of the user's, so that a CLI is checked only once.

Nothing of a conversation is in it, and a file that can't be read or written is as good as none.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from gateway import __version__
from gateway_claude_code.compatibility.behaviours import BEHAVIOURS, are_decisive
from gateway_claude_code.compatibility.findings import Finding
from gateway_claude_code.process.launch import Program
from gateway_claude_code.state_file import StateFile, state_path

MOST: Final = 20
"""The number of CLIs that are remembered; the last ones stay."""


def findings_file(environ: Mapping[str, str]) -> Path | None:
    """The file that they are kept in; None without a home."""
    return state_path(environ, "cli-checks.json")


class KnownFindings:
    """Findings by the CLI's path, stamp and version, and by Dragoman's own version."""

    def __init__(self, file: Path | None) -> None:
        self._file = StateFile(file)

    def recall(self, program: Program, version: str | None) -> list[Finding] | None:
        """The findings about this CLI, if there are any."""
        identity = _identity(program, version)
        found = next((entry for entry in self._entries() if entry["cli"] == identity), None)
        if found is None:
            return None
        try:
            findings = [
                BEHAVIOURS[name].found(name, said["verdict"], str(said["seen"]))
                for name, said in found["findings"].items()
            ]
        except (LookupError, TypeError, AttributeError):
            return None
        return findings if are_decisive(findings) else None

    def keep(self, program: Program, version: str | None, findings: Sequence[Finding]) -> None:
        """Remember them, if all is certain that has consequences; else it will be tried again."""
        if not are_decisive(findings):
            return
        identity = _identity(program, version)
        said = {
            finding.name: {"verdict": finding.verdict, "seen": finding.seen} for finding in findings
        }
        others = [entry for entry in self._entries() if entry["cli"] != identity]
        entries = [*others, {"cli": identity, "findings": said}][-MOST:]
        self._file.write({"entries": entries})

    def _entries(self) -> list[dict[str, Any]]:
        try:
            entries = self._file.read()["entries"]
            return [entry for entry in entries if {"cli", "findings"} <= entry.keys()]
        except (LookupError, TypeError, AttributeError):
            return []


def _identity(program: Program, version: str | None) -> list[object]:
    return [str(program.path), *program.stamp, version, __version__]
