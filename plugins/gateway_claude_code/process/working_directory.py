"""The folder that the CLI runs in: empty, always the same, and without the user's name in its path.

The CLI tells the model where it runs ("Primary working directory", seen with 2.1.330), so a folder in
the user's home would send the user's name upstream with every request; and a folder that changes
would change the cached prefix.
"""

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gateway.errors import BackendUnavailable

SHARED: Final = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - see `_is_private`
"""Folders shared by all users, with the sticky bit: others can't replace a folder in them. Not
`TMPDIR`, which differs from one start to the next on some systems and contains the user's name on
others."""

_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


def neutral_directory(fallback: Path, shared: Sequence[Path] = SHARED) -> Path:
    """Our own folder in one of `shared`, created if missing; `fallback` if none is usable.

    A folder of that name that belongs to another user is not used. Raises `OSError`.
    """
    for folder in shared:
        own = own_below(folder)
        if _sticky(folder) and _made(own.parent) and _made(own):
            return own
    fallback.mkdir(parents=True, exist_ok=True, mode=0o700)
    return fallback


def own_below(folder: Path) -> Path:
    """This user's folder in a shared one, whether it exists or not."""
    return folder / f"dragoman-{os.getuid()}" / "empty"


def is_own(path: Path) -> bool:
    """Whether it is such a folder, in which only this user's gateways run the CLI."""
    return any(path == own_below(folder) for folder in SHARED)


def _sticky(folder: Path) -> bool:
    """Whether users cannot replace each other's folders in it."""
    try:
        mode = folder.stat().st_mode
    except OSError:
        return False
    return bool(mode & stat.S_ISVTX) or not mode & _OTHERS_WRITE


def _made(path: Path) -> bool:
    """Whether this is a folder that only we can write to; it is created if missing."""
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid == os.geteuid()
        and not found.st_mode & _OTHERS_WRITE
    )


def check_empty(path: Path) -> Path:
    """The folder itself. Raises `BackendUnavailable` if it is not empty."""
    try:
        present = next(path.iterdir(), None)
    except OSError as error:
        raise unusable(error) from None
    if present is not None:
        raise BackendUnavailable(
            f"the CLI's working directory {path} must be empty, but contains {present.name!r}"
        )
    return path


def unusable(error: OSError) -> BackendUnavailable:
    """The error for a folder that can't be created or read."""
    return BackendUnavailable(f"the CLI's working directory can't be used: {error}")
