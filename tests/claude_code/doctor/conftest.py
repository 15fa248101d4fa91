"""A home of its own, and CLIs that are broken in one way each."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("fake_claude.py")
ROOT = Path(__file__).parents[3]
MakeCli = Callable[..., Path]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and nothing else of the user's that the CLI could be found by."""
    home = tmp_path / "home"
    home.mkdir()
    for name in os.environ:
        if name.startswith(("XDG_", "ANTHROPIC_", "CLAUDE", "DRAGOMAN_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture
def fake_claude(tmp_path: Path) -> MakeCli:
    """Makes the fake CLI, `broken` in one behaviour, at a path of its own."""

    def make(broken: str = "", version: str = "9.9.9") -> Path:
        path = tmp_path / "claude"
        source = SOURCE.read_text(encoding="utf-8")
        source = source.replace('BREAK = ""', f"BREAK = {broken!r}", 1)
        source = source.replace('VERSION = "9.9.9"', f"VERSION = {version!r}", 1)
        start = f"#!{sys.executable} -IS\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        path.write_text(start + source, encoding="utf-8")
        path.chmod(0o755)
        return path

    return make
