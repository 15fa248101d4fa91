"""The command before anything else is imported."""

import subprocess
import sys

import pytest

from gateway import __version__
from gateway.__main__ import EXIT_UNSUPPORTED, WINDOWS

UNIX_ONLY = ("fcntl", "resource", "termios", "pwd", "grp", "uvloop")

ON_WINDOWS = """
import sys
class Absent:
    def find_spec(self, name, *_):
        if name in {absent}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
for name in {absent}:
    sys.modules.pop(name, None)
from gateway.__main__ import main
sys.platform = "win32"
sys.argv[1:] = {arguments}
main()
"""


@pytest.mark.parametrize("arguments", [["serve"], ["--version"], ["chat", "Hello"], []])
def test_on_windows_one_line_says_how_and_nothing_of_unix_is_needed(arguments: list[str]) -> None:
    script = ON_WINDOWS.format(absent=UNIX_ONLY, arguments=arguments)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30
    )
    assert (done.returncode, done.stdout) == (EXIT_UNSUPPORTED, "")
    assert done.stderr == f"{WINDOWS}\n"


def test_the_recipe_is_one_line_with_all_commands() -> None:
    assert "\n" not in WINDOWS
    for command in ("wsl --install", "pipx install", "dragoman serve"):
        assert command in WINDOWS


def test_it_runs_as_a_module_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "--version"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert __version__ in done.stdout
