"""Builds `.venv` and keeps it up to date: `bootstrap.py GROUP...`, with the standard library only.

Each group is one compiled file in `requirements/`: `run` to serve, `dev` to develop, `cli` for
the Claude Code CLI, which is left out where there is a `claude` already. A group is installed
again when what it was made from has changed. Its stamp is written last, so an interrupted run is
simply taken up by the next one; two runs at once wait for each other.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "stamps"
HOME = STAMPS / "home"
PROJECT = "project"
SOURCES = {
    "run": ["requirements/run.txt"],
    "dev": ["requirements/dev.txt"],
    "cli": ["requirements/cli.txt"],
    PROJECT: ["requirements/build.txt", "pyproject.toml", "gateway/__init__.py"],
}
NOTES = {"cli": " (there is no `claude` on PATH: a wheel of about 170 MB, once)"}


def main(groups: list[str]) -> None:
    """Bring the groups up to date, and the project itself with them."""
    if "cli" in groups and (shutil.which("claude") or os.environ.get("DRAGOMAN_CLAUDE_COMMAND")):
        groups.remove("cli")
    groups.append(PROJECT)
    with _lock():
        if _moved() or not PYTHON.exists() or any(_stale(group) for group in groups):
            _ensure_venv()
        for group in groups:
            if _stale(group):
                _install(group)


@contextlib.contextmanager
def _lock() -> Iterator[None]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another run that is setting up .venv ...", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _ensure_venv() -> None:
    if _moved() or not _works():
        version = ".".join(map(str, sys.version_info[:3]))
        print(f"Building .venv with Python {version} ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
    STAMPS.mkdir(exist_ok=True)
    HOME.write_text(str(ROOT))


def _moved() -> bool:
    """Whether the environment was built elsewhere: the paths inside it no longer hold."""
    return HOME.exists() and HOME.read_text() != str(ROOT)


def _works() -> bool:
    """Whether the environment's Python is new enough and has pip."""
    check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    return PYTHON.exists() and (
        subprocess.run([PYTHON, "-c", check], capture_output=True, check=False).returncode == 0
    )


def _install(group: str) -> None:
    stamp = STAMPS / group
    stamp.unlink(missing_ok=True)
    digest = _digest(group)
    print(f"Installing {group}{NOTES.get(group, '')} ...", flush=True)
    _pip("--require-hashes", "--no-deps", "-r", SOURCES[group][0])  # the files are complete
    if group == PROJECT:
        _pip("--no-deps", "--no-build-isolation", "-e", ".")
    stamp.write_text(digest)


def _pip(*arguments: str) -> None:
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--no-input", *arguments]
    quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_USER": "0"}
    subprocess.run(command, cwd=ROOT, env={**os.environ, **quiet}, check=True)


def _stale(group: str) -> bool:
    stamp = STAMPS / group
    return not stamp.exists() or stamp.read_text() != _digest(group)


def _digest(group: str) -> str:
    contents = b"\0".join((ROOT / source).read_bytes() for source in SOURCES[group])
    return hashlib.sha256(contents).hexdigest()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except subprocess.CalledProcessError as error:
        sys.exit(f"Setting up .venv failed: {' '.join(map(str, error.cmd))}: see above.")
    except KeyboardInterrupt:
        sys.exit(130)
