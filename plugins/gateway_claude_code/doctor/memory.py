"""What was found of which CLI, in a small file of the user's: a CLI is tried out once.

Nothing of a conversation is in it, and a file that can't be read or written is as good as none.
"""

import json
import logging
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from gateway import __version__
from gateway_claude_code.doctor.behaviours import BEHAVIOURS, HISTORY, SAFETY
from gateway_claude_code.doctor.findings import Finding
from gateway_claude_code.launch import Program

log = logging.getLogger("gateway_claude_code")

MOST: Final = 20
"""How many CLIs are remembered; the last ones stay."""


def memory_file(environ: Mapping[str, str]) -> Path | None:
    """`~/.local/state/dragoman/cli-checks.json`, or where XDG_STATE_HOME says; None without a home."""
    state, home = environ.get("XDG_STATE_HOME"), environ.get("HOME") or environ.get("USERPROFILE")
    if not (state and Path(state).is_absolute()):
        state = str(Path(home) / ".local" / "state") if home else None
    return Path(state) / "dragoman" / "cli-checks.json" if state else None


class Memory:
    """Findings by the CLI's path, stamp and version, and by Dragoman's own version."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def recall(self, program: Program, version: str | None) -> list[Finding] | None:
        """What was found of this CLI, if anything was."""
        identity = _identity(program, version)
        found = next((entry for entry in self._entries() if entry["cli"] == identity), None)
        if found is None:
            return None
        try:
            return [
                BEHAVIOURS[name].found(name, said["verdict"], str(said["seen"]))
                for name, said in found["findings"].items()
            ]
        except (LookupError, TypeError, AttributeError):
            return None

    def keep(self, program: Program, version: str | None, findings: Sequence[Finding]) -> None:
        """Remember them, if all is certain that has consequences; else it will be tried again."""
        certain = {finding.name for finding in findings if finding.verdict != "unknown"}
        if self._file is None or not certain.issuperset((*SAFETY, HISTORY)):
            return
        identity = _identity(program, version)
        said = {
            finding.name: {"verdict": finding.verdict, "seen": finding.seen} for finding in findings
        }
        others = [entry for entry in self._entries() if entry["cli"] != identity]
        entries = [*others, {"cli": identity, "findings": said}][-MOST:]
        try:
            _write(self._file, json.dumps({"entries": entries}, indent=1))
        except OSError as error:
            log.info("what was found of the CLI can't be remembered: %s", error)

    def _entries(self) -> list[dict[str, Any]]:
        try:
            content = json.loads(self._file.read_text(encoding="utf-8")) if self._file else {}
            entries = content["entries"]
            return [entry for entry in entries if {"cli", "findings"} <= entry.keys()]
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return []


def _identity(program: Program, version: str | None) -> list[object]:
    return [str(program.path), *program.stamp, version, __version__]


def _write(file: Path, text: str) -> None:
    """Put a whole file, readable by its owner only, in the place of the old one."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=file.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as output:
            output.write(text)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
