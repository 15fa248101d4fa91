"""Finding programs, but never in the current folder.

An empty or relative entry of PATH means a folder below the one that somebody happens to be in, and
so `cd` into a clone would be enough to run the `git` or `lsof` that lies there.
"""

import os
import shutil
from pathlib import Path


def absolute_entries(path: str) -> str:
    """A PATH without its empty and relative entries."""
    return os.pathsep.join(each for each in path.split(os.pathsep) if Path(each).is_absolute())


def program_on(path: str | None, name: str) -> Path | None:
    """The program `name` in one of the absolute folders of a PATH; the system's own for None."""
    found = shutil.which(name, path=absolute_entries(os.defpath if path is None else path))
    return Path(found).absolute() if found else None
