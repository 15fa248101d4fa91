"""What a CLI leaves behind that did not get to end by itself, and its removal.

The CLI notes each of its sessions in its configuration folder, and has a socket in the temporary
folder; it takes them away at an end of input and at SIGTERM, but not when it is killed, crashes, or
gets the signal in the first moments of its life (seen with 2.1.330). All of these names have the
process' id in them. Two more things stay in any case, and have none:

- the log of each connection to tools, with their names and the text of results that are errors
  (2.1.330: `<cache>/claude-cli-nodejs/<folder>/mcp-logs-<server>/<time>.jsonl`);
- the folder in which it tries out the watching of files, of a process that was ended meanwhile
  (2.1.330: `<temporary>/claude-<user id>/fswatch-probe-<random>`; the trial takes up to 1.5 s).
"""

import contextlib
import os
import re
import sys
import tempfile
import time
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Final

from gateway_claude_code import cli_variables
from gateway_claude_code.process.command import MCP_SERVER

PROBE_SECONDS: Final = 5
"""An older folder of a trial is left over; a younger one may be in use."""
MOST_PROBES: Final = 50
_LONGEST_NAME: Final = 200
"""Characters of a folder's path that the CLI keeps in the name of its logs' folder (2.1.330)."""


def remove_leftovers(pid: int, environment: Mapping[str, str]) -> None:
    """Remove what a process left that is dead, and ran in this environment."""
    if _runs(pid):
        return  # the id was given to another one meanwhile
    for path in leftovers_of(pid, environment):
        _remove(path)


def remove_logs(environment: Mapping[str, str], folder: Path, since: float = 0) -> None:
    """Remove the logs of the client's tools of processes that ran in `folder`.

    Those written to after `since` (seconds since 1970). One that another process still writes to may
    go as well: it is made anew.
    """
    for path in _beginning_with("", _logs(environment, folder) / f"mcp-logs-{MCP_SERVER}"):
        with contextlib.suppress(OSError):
            if path.suffix == ".jsonl" and path.lstat().st_mtime >= since:
                path.unlink()


def remove_probes(
    environment: Mapping[str, str], now: float | None = None, most: int | None = MOST_PROBES
) -> None:
    """Remove the folders of trials of watching that were not brought to an end.

    It looks at `most` of them, as thousands may have come together.
    """
    latest = (time.time() if now is None else now) - PROBE_SECONDS
    folder = _temporary(environment) / f"claude-{os.getuid()}"
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        probes = (Path(entry) for entry in entries if entry.name.startswith("fswatch-probe-"))
        for path in islice(probes, most):
            with contextlib.suppress(OSError):
                if path.lstat().st_mtime < latest:
                    _remove(path / "probe")
                    path.rmdir()


def _logs(environment: Mapping[str, str], folder: Path) -> Path:
    home = Path(environment.get("HOME") or "/nonexistent")
    if sys.platform == "darwin":
        cache = home / "Library" / "Caches"
    else:
        cache = Path(environment.get("XDG_CACHE_HOME") or home / ".cache")
    name = re.sub("[^a-zA-Z0-9]", "-", os.path.realpath(folder))
    place = cache / "claude-cli-nodejs"
    if len(name) <= _LONGEST_NAME:
        return place / name
    found = _beginning_with(f"{name[:_LONGEST_NAME]}-", place)
    return found[0] if len(found) == 1 else place / name


def _temporary(environment: Mapping[str, str]) -> Path:
    named = environment.get(cli_variables.TMPDIR) or environment.get("TMPDIR")
    return Path(named or tempfile.gettempdir())


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def leftovers_of(pid: int, environment: Mapping[str, str]) -> list[Path]:
    """The files of this process that there are."""
    home = Path(environment.get("HOME") or "/nonexistent")
    configured = environment.get(cli_variables.CONFIG_DIR)
    folder = Path(configured) if configured else home / ".claude"
    sockets = Path(environment.get("XDG_RUNTIME_DIR") or _temporary(environment))
    places = (
        (folder / "sessions", f"{pid}."),
        (folder if configured else home, f".claude.json.tmp.{pid}."),
        (sockets / "cc-socks", f"{pid}.sock"),
        # where that path is too long for a socket (2.1.330: 103 bytes)
        (Path(f"/tmp/cc-socks-{os.getuid()}"), f"{pid}.sock"),  # noqa: S108 - the CLI's own choice
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
