"""How Dragoman was installed, and the command that adds packages to it.

No command here names Dragoman on a package index: it is on none yet, and whoever took the name there
could run code on a reader's machine.
"""

import re
import shlex
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Final, Literal, TypeAlias

Environment: TypeAlias = Literal["checkout", "pipx", "uv tool", "container", "uv venv", "venv"]

_ADD: Final[Mapping[Environment, str]] = {
    "checkout": "{prefix}/bin/python -m pip install {packages}",
    "pipx": "pipx inject {name} {packages}",
    "uv tool": "uv pip install --python {prefix} {packages}",
    "container": "{prefix}/bin/python -m pip install {packages}",
    "uv venv": "uv pip install --python {prefix} {packages}",
    "venv": "{prefix}/bin/python -m pip install {packages}",
}
_REQUIREMENT: Final = re.compile(r"(?P<what>[^;]+?)\s*;.*\bextra == ['\"](?P<extra>\w+)['\"]")


def environment_of(prefix: Path, root: Path = Path("/")) -> Environment:
    """Which program made a Python environment."""
    if (prefix / "stamps/project").is_file() and (prefix.parent / "scripts/bootstrap.py").is_file():
        return "checkout"
    if (prefix / "pipx_metadata.json").is_file():
        return "pipx"
    if (prefix / "uv-receipt.toml").is_file():
        return "uv tool"
    if prefix == root / "opt/dragoman":  # where the Dockerfile of this project installs it
        return "container"
    return "uv venv" if _made_by_uv(prefix / "pyvenv.cfg") else "venv"


def command_for_extra(extra: str, prefix: Path | None = None) -> str:
    """What is typed to add the packages of an extra to this installation."""
    here = prefix or Path(sys.prefix)
    return _ADD[environment_of(here)].format(
        prefix=shlex.quote(str(here)),
        name=shlex.quote(here.name),
        packages=shlex.join(_packages(extra)),
    )


def _made_by_uv(file: Path) -> bool:
    """Such an environment has no pip. uv notes its version under `uv`."""
    if not file.is_file():
        return False
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return any(line.partition("=")[0].strip() == "uv" for line in lines)


def _packages(extra: str) -> list[str]:
    """What the installed package's own metadata says that an extra needs."""
    try:
        stated: Iterable[str] = requires("dragoman") or ()
    except PackageNotFoundError:
        stated = ()
    found = (_REQUIREMENT.fullmatch(requirement) for requirement in stated)
    return [match["what"] for match in found if match is not None and match["extra"] == extra]
