"""Builds the environments and keeps them up to date: `bootstrap.py GROUP...`, standard library only.

Each group is one compiled file in `requirements/`: `run` to serve, `dev` to develop, `cli` for
the Claude Code CLI, which is left out where there is a `claude` already. They go into `.venv`.
`clients` goes into `.venv-clients`, as these clients' requirements don't agree with `dev`'s, and
`docs`, which builds the site, into `.venv-docs`, without the project. A group is installed again
when what it was made from has changed. Its stamp is written last, so an
interrupted run is simply taken up by the next one; two runs at once wait for each other.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROJECT = "project"
SOURCES = {
    "run": ["requirements/run.txt"],
    "dev": ["requirements/dev.txt"],
    "cli": ["requirements/cli.txt"],
    "clients": ["requirements/clients.txt"],
    "docs": ["requirements/docs.txt"],
    PROJECT: ["requirements/build.txt", "pyproject.toml", "gateway/__init__.py"],
}
APART = ("clients", "docs")
NOTES = {
    "cli": " (there is no `claude` on PATH: a wheel of about 170 MB, once)",
    "clients": " (what Dragoman is tested with: about 700 MB on disk, once)",
}


def main(groups: list[str]) -> None:
    """Bring the groups up to date, and the project itself with them."""
    if "cli" in groups and (shutil.which("claude") or os.environ.get("DRAGOMAN_CLAUDE_COMMAND")):
        groups.remove("cli")
    together = [group for group in groups if group not in APART]
    with _lock():
        if together:
            Environment(".venv").update([*together, PROJECT])
        if "clients" in groups:
            Environment(".venv-clients").update(["clients", PROJECT])
        if "docs" in groups:
            Environment(".venv-docs").update(["docs"])


@contextlib.contextmanager
def _lock() -> Iterator[None]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another run that is setting up .venv ...", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class Environment:
    """A virtual environment, by the name of its folder."""

    name: str

    @property
    def python(self) -> Path:
        return ROOT / self.name / "bin" / "python"

    @property
    def stamps(self) -> Path:
        return ROOT / self.name / "stamps"

    @property
    def home(self) -> Path:
        return self.stamps / "home"

    def update(self, groups: list[str]) -> None:
        """Install those of the groups that have changed."""
        if self._moved() or not self.python.exists() or any(map(self._stale, groups)):
            self._ensure()
        for group in groups:
            if self._stale(group):
                self._install(group)

    def _ensure(self) -> None:
        if self._moved() or not self._works():
            version = ".".join(map(str, sys.version_info[:3]))
            print(f"Building {self.name} with Python {version} ...", flush=True)
            subprocess.run([sys.executable, "-m", "venv", "--clear", ROOT / self.name], check=True)
        self.stamps.mkdir(exist_ok=True)
        self.home.write_text(str(ROOT))

    def _moved(self) -> bool:
        """Whether it was built elsewhere: the paths inside it no longer hold."""
        return self.home.exists() and self.home.read_text() != str(ROOT)

    def _works(self) -> bool:
        """Whether its Python is new enough and has pip."""
        check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
        return self.python.exists() and (
            subprocess.run([self.python, "-c", check], capture_output=True, check=False).returncode
            == 0
        )

    def _install(self, group: str) -> None:
        stamp = self.stamps / group
        stamp.unlink(missing_ok=True)
        digest = _digest(group)
        print(f"Installing {group}{NOTES.get(group, '')} ...", flush=True)
        # The files are complete.
        self._pip("--require-hashes", "--no-deps", "-r", SOURCES[group][0])
        if group == PROJECT:
            self._pip("--no-deps", "--no-build-isolation", "-e", ".")
        stamp.write_text(digest)

    def _pip(self, *arguments: str) -> None:
        command = [str(self.python), "-m", "pip", "install", "--quiet", "--no-input", *arguments]
        quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_USER": "0"}
        subprocess.run(command, cwd=ROOT, env={**os.environ, **quiet}, check=True)

    def _stale(self, group: str) -> bool:
        stamp = self.stamps / group
        return not stamp.exists() or stamp.read_text() != _digest(group)


def _digest(group: str) -> str:
    contents = b"\0".join((ROOT / source).read_bytes() for source in SOURCES[group])
    return hashlib.sha256(contents).hexdigest()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except subprocess.CalledProcessError as error:
        sys.exit(f"Setting up failed: {' '.join(map(str, error.cmd))}: see above.")
    except KeyboardInterrupt:
        sys.exit(130)
