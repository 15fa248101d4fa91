"""Variables that would lead into the current folder."""

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.machine.safe_environment import make_safe
from tests.cells import on_demand


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PATH", ":/usr/bin:.:bin:/bin", "/usr/bin:/bin"),
        ("XDG_RUNTIME_DIR", ".", None),
        ("XDG_CACHE_HOME", "cache", None),
        ("XDG_STATE_HOME", "/state", "/state"),
        ("XDG_CONFIG_DIRS", "/etc/xdg", "/etc/xdg"),
        ("XDG_SESSION_TYPE", "wayland", "wayland"),
        ("TMPDIR", "tmp", None),
        ("TMPDIR", "/tmp", "/tmp"),
        ("CLAUDE_CONFIG_DIR", "/home/me/.claude", "/home/me/.claude"),
        ("HOME", "/home/me", "/home/me"),
        ("HOME", "~", pwd.getpwuid(os.getuid()).pw_dir),
        ("EDITOR", "vi", "vi"),
    ],
)
def test_relative_folders_do_not_count(name: str, value: str, expected: str | None) -> None:
    environ = {name: value}
    make_safe(environ)
    assert environ.get(name) == expected


def test_the_folder_of_a_login_is_the_one_that_was_meant() -> None:
    environ = {"CLAUDE_CONFIG_DIR": "other"}
    make_safe(environ)
    assert environ["CLAUDE_CONFIG_DIR"] == str(Path("other").absolute())


def test_python_takes_no_packages_out_of_the_current_folder() -> None:
    environ: dict[str, str] = {}
    make_safe(environ)
    assert environ == {"PYTHONSAFEPATH": "1"}


@pytest.mark.parametrize(
    "closed", [on_demand("<&-"), on_demand(">&-"), on_demand("2>&-"), "<&- >&- 2>&-"]
)
def test_commands_work_with_closed_streams(closed: str, tmp_path: Path) -> None:
    dragoman = Path(sys.executable).with_name("dragoman")
    done = subprocess.run(
        ["sh", "-c", f"exec {dragoman} status --url http://127.0.0.1:1 {closed}"],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
