"""A user without systemd or launchd: programs that note what they are told."""

from collections.abc import Callable, Mapping
from pathlib import Path

from click.testing import Result

Service = Callable[..., Result]
UNIT = ".config/systemd/user/dragoman.service"
PLIST = "Library/LaunchAgents/dragoman.gateway.plist"

PROGRAMS = ("systemctl", "journalctl", "launchctl", "tail", "loginctl")

_SCRIPT = """\
#!/bin/sh
echo "${0##*/} $*" >> {calls}
case "$*" in {cases} esac
"""


class System:
    """Stands for the system's commands. `says` is for arguments that contain something: what is
    printed, and the exit code."""

    def __init__(self, folder: Path) -> None:
        self._bin = folder / "bin"
        self._calls = folder / "calls"
        self._bin.mkdir()
        self.says({})

    @property
    def path(self) -> str:
        return f"{self._bin}:/usr/bin:/bin"

    def says(self, answers: Mapping[str, tuple[str, int]]) -> None:
        cases = " ".join(
            f"*'{part}'*) echo '{text}'; exit {code};;" for part, (text, code) in answers.items()
        )
        for name in PROGRAMS:
            program = self._bin / name
            text = _SCRIPT.replace("{calls}", str(self._calls)).replace("{cases}", cases)
            program.write_text(text, encoding="utf-8")
            program.chmod(0o755)

    def remove(self, name: str) -> None:
        (self._bin / name).unlink()

    @property
    def calls(self) -> list[str]:
        """What was called since the last look."""
        if not self._calls.exists():
            return []
        lines = self._calls.read_text(encoding="utf-8").splitlines()
        self._calls.unlink()
        return lines
