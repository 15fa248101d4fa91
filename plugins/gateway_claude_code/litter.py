"""What a CLI leaves behind that did not get to end by itself, and its removal.

The CLI notes each of its sessions in its configuration folder, and has a socket in the temporary
folder; it takes them away at an end of input and at SIGTERM, but not when it is killed, crashes, or
gets the signal in the first moments of its life (seen with 2.1.330). All of these names have the process' id in them.
"""

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def remove_litter(pid: int, environment: Mapping[str, str]) -> None:
    """Remove what a process left that is dead, and ran in this environment."""
    if _runs(pid):
        return  # the id was given to another one meanwhile
    for path in litter_of(pid, environment):
        with contextlib.suppress(OSError):
            path.unlink()


def litter_of(pid: int, environment: Mapping[str, str]) -> list[Path]:
    """The files of this process that there are."""
    home = Path(environment.get("HOME") or "/nonexistent")
    configured = environment.get("CLAUDE_CONFIG_DIR")
    folder = Path(configured) if configured else home / ".claude"
    temporary = Path(environment.get("TMPDIR") or tempfile.gettempdir())
    places = (
        (folder / "sessions", f"{pid}."),
        (folder if configured else home, f".claude.json.tmp.{pid}."),
        (temporary / "cc-socks", f"{pid}.sock"),
    )
    return [path for place, start in places for path in _beginning_with(start, place)]


def _beginning_with(start: str, folder: Path) -> list[Path]:
    """The files of a folder by how their names begin.

    Not `Path.glob`: it keeps what it has compiled for thousands of patterns, and these have the
    number of a process in them, so that none is ever asked for again.
    """
    try:
        return [path for path in folder.iterdir() if path.name.startswith(start)]
    except OSError:
        return []


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
