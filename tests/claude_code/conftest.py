"""A fake CLI, and an environment with an empty home."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.claude_code.claude_code_support import PRELUDE, FakeCli


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "home"
    home.mkdir()
    return {"HOME": str(home), "PATH": os.environ["PATH"]}


@pytest.fixture
def fake_cli(tmp_path: Path) -> Callable[[str], FakeCli]:
    """An executable that runs this Python, with the words of `PRELUDE` at hand."""

    def make(play: str) -> FakeCli:
        path = tmp_path / "claude"
        pid_file, input_file = tmp_path / "pid", tmp_path / "heard"
        prelude = PRELUDE.format(pid_file=str(pid_file), input_file=str(input_file))
        path.write_text(f"#!{sys.executable} -S\n{prelude}{play}\n", encoding="utf-8")
        path.chmod(0o755)
        return FakeCli(path=path, pid_file=pid_file, input_file=input_file)

    return make
