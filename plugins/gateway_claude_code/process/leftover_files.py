"""Files that a CLI leaves behind when it cannot end by itself, and their removal.

The CLI notes each session in its configuration folder, and has a socket in the temporary folder. It
removes both at the end of input and at SIGTERM, but not when it is killed, crashes, or gets the
signal in the first moments of its life (seen with 2.1.330). All of these names contain the process
id. Two more things are left in any case, without a process id in their names:

- the log of each connection to tools, with their names and the text of results that are errors
  (2.1.330: `<cache>/claude-cli-nodejs/<folder>/mcp-logs-<server>/<time>.jsonl`);
- the folder in which a process tests its file watching, if it is ended during that test
  (2.1.330: `<temporary>/claude-<user id>/fswatch-probe-<random>`; the test takes up to 1.5 s).
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
"""The folder of an older test is left over; a younger one may be in use."""
MOST_PROBES: Final = 50
_LONGEST_NAME: Final = 200
"""Characters of a folder's path that the CLI keeps in the name of its logs' folder (2.1.330)."""


def remove_leftovers(pid: int, environment: Mapping[str, str]) -> None:
    """Remove the files of a dead process that ran in this environment."""
    if _runs(pid):
        return  # the system has given the id to another process
    for path in leftovers_of(pid, environment):
        _remove(path)


def remove_logs(environment: Mapping[str, str], folder: Path, since: float = 0) -> None:
    """Remove the logs of the client's tools, of processes that ran in `folder`.

    Only logs written after `since` (seconds since 1970). The log of a running process may be
    removed too: the CLI creates it again.
    """
    for path in _beginning_with("", _logs(environment, folder) / f"mcp-logs-{MCP_SERVER}"):
        with contextlib.suppress(OSError):
            if path.suffix == ".jsonl" and path.lstat().st_mtime >= since:
                path.unlink()


def remove_probes(
    environment: Mapping[str, str], now: float | None = None, most: int | None = MOST_PROBES
) -> None:
    """Remove the folders of unfinished tests of file watching: `most` a call, as thousands may exist."""
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
    # as the npm package env-paths has it: on Linux seen with 2.1.330, on macOS assumed
    if sys.platform == "darwin":
        cache = home / "Library" / "Caches"
    else:
        cache = Path(environment.get("XDG_CACHE_HOME") or home / ".cache")
    # the path in the form that the CLI gives it as a name (seen with 2.1.330)
    name = re.sub("[^a-zA-Z0-9]", "-", os.path.realpath(folder))
    place = cache / "claude-cli-nodejs"
    if len(name) <= _LONGEST_NAME:
        return place / name
    # the rest of a longer path is replaced by a suffix (seen with 2.1.330)
    found = _beginning_with(f"{name[:_LONGEST_NAME]}-", place)
    return found[0] if len(found) == 1 else place / name


def _temporary(environment: Mapping[str, str]) -> Path:
    # code.claude.com/docs/en/env-vars: the CLI appends `claude-<user id>` to it
    named = environment.get(cli_variables.TMPDIR) or environment.get("TMPDIR")
    return Path(named or tempfile.gettempdir())


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def leftovers_of(pid: int, environment: Mapping[str, str]) -> list[Path]:
    """The existing files of this process."""
    home = Path(environment.get("HOME") or "/nonexistent")
    configured = environment.get(cli_variables.CONFIG_DIR)
    folder = Path(configured) if configured else home / ".claude"
    sockets = Path(environment.get("XDG_RUNTIME_DIR") or _temporary(environment))
    places = (
        # the session and its key: `PID.json`, `PID.*.key` (seen with 2.1.330)
        (folder / "sessions", f"{pid}."),
        # settings that were half written when it ended (seen with 2.1.330)
        (folder if configured else home, f".claude.json.tmp.{pid}."),
        (sockets / "cc-socks", f"{pid}.sock"),
        # for a path too long for a socket (2.1.330: more than 103 bytes)
        (Path(f"/tmp/cc-socks-{os.getuid()}"), f"{pid}.sock"),  # noqa: S108 - the CLI's own choice
    )
    return [path for place, start in places for path in _beginning_with(start, place)]


def _beginning_with(start: str, folder: Path) -> list[Path]:
    """The files of a folder whose names begin with `start`.

    Not `Path.glob`, which caches each compiled pattern (CPython 3.11, fnmatch): with a process id in it, a
    pattern is never used again.
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
