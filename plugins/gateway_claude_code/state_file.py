"""Small JSON files of the user's, in which something is remembered from one start to the next.

A file that can't be read or written is as good as none.
"""

import json
import logging
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

log = logging.getLogger("gateway_claude_code")


def state_path(environ: Mapping[str, str], name: str) -> Path | None:
    """`~/.local/state/dragoman/NAME`, or where XDG_STATE_HOME says; None without a home."""
    state, home = environ.get("XDG_STATE_HOME"), environ.get("HOME")
    if not (state and Path(state).is_absolute()):
        state = str(Path(home) / ".local" / "state") if home else None
    return Path(state) / "dragoman" / name if state else None


class StateFile:
    """One such file; None remembers nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._complained = False

    def read(self) -> Mapping[str, Any]:
        """The content, if it is a JSON object; else an empty one."""
        try:
            content = json.loads(self._path.read_text(encoding="utf-8")) if self._path else {}
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def write(self, content: Mapping[str, Any]) -> None:
        """Put the whole content in the place of the old one, readable by its owner only."""
        if self._path is None:
            return
        try:
            _replace(self._path, json.dumps(content, indent=1))
            self._complained = False
        except OSError as error:
            if not self._complained:
                log.warning("%s can't be written: %s", self._path, error)
            self._complained = True


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as output:
            output.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
