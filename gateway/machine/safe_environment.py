"""What a process was started with, made harmless before it does anything.

Whoever made the current folder may have planted programs, Python packages and settings in it.
"""

import os
import pwd
import sys
from collections.abc import MutableMapping
from pathlib import Path

from gateway.machine.search_path import absolute_entries


def make_safe(environ: MutableMapping[str, str]) -> None:
    """Change the environment of this process, and so that of all that it starts.

    `PYTHONSAFEPATH` keeps `python -m` from taking packages out of the current folder (Python 3.11,
    "Command line and environment"). Relative values of `XDG_*` do not count (XDG Base Directory
    Specification, "Basics"); a relative home is none.
    """
    environ["PYTHONSAFEPATH"] = "1"
    if (path := environ.get("PATH")) is not None:
        environ["PATH"] = absolute_entries(path)
    for name in [each for each in environ if each.startswith("XDG_") or each == "TMPDIR"]:
        if (value := environ[name]) and _leads_into_the_folder(name, value):
            del environ[name]
    for name in [each for each in environ if each.endswith("_CONFIG_DIR")]:  # of other programs
        if (folder := environ[name]) and not Path(folder).is_absolute():
            environ[name] = str(Path(folder).absolute())
    if (home := environ.get("HOME")) and not Path(home).is_absolute():
        environ["HOME"] = pwd.getpwuid(os.getuid()).pw_dir


def open_standard_streams() -> None:
    """Have those that were closed (`dragoman status >&-`) lead nowhere.

    Python has None for them, and the next file or socket would be taken for one of them.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115 - for good
            setattr(sys, name, stream)


def _leads_into_the_folder(name: str, value: str) -> bool:
    is_path = name.endswith(("_DIR", "_HOME")) or name == "TMPDIR"
    return is_path and not Path(value).is_absolute()
