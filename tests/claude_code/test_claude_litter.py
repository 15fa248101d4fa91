"""What a killed CLI leaves behind is removed, and nothing else."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gateway_claude_code.litter import litter_of, remove_litter


@pytest.fixture
def dead() -> int:
    """The id of a process that there is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def fill(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.mark.parametrize("configured", [False, True])
def test_a_dead_process_s_files_go(tmp_path: Path, dead: int, *, configured: bool) -> None:
    others = ["work/notes", f"tmp/cc-socks/1{dead}.sock"]
    others += [f"home/.claude/sessions/{pid}.json" for pid in (f"1{dead}", f"{dead}1", os.getpid())]
    fill(tmp_path, "home/.claude.json", *others)
    folder = tmp_path / ("config" if configured else "home")
    sessions = "sessions" if configured else ".claude/sessions"
    its_own = [f"{sessions}/{dead}.json", f"{sessions}/{dead}.a1.key", f".claude.json.tmp.{dead}.1"]
    fill(folder, *its_own)
    fill(tmp_path, f"tmp/cc-socks/{dead}.sock")
    environment = {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "tmp")}
    if configured:
        environment["CLAUDE_CONFIG_DIR"] = str(folder)
    assert len(litter_of(dead, environment)) == 4
    remove_litter(dead, environment)
    assert files(tmp_path) == {"home/.claude.json", *others}


def test_those_of_a_process_that_runs_stay(tmp_path: Path) -> None:
    name = f".claude/sessions/{os.getpid()}.json"
    fill(tmp_path, name)
    remove_litter(os.getpid(), {"HOME": str(tmp_path)})
    assert files(tmp_path) == {name}


def test_folders_that_there_are_none_of(tmp_path: Path, dead: int) -> None:
    assert litter_of(dead, {"HOME": str(tmp_path / "none"), "TMPDIR": str(tmp_path)}) == []


def test_nothing_is_compiled_for_each_process(
    tmp_path: Path, dead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `Path.glob` does, and the standard library keeps thousands of such patterns."""
    compiled: list[object] = []
    compile_pattern = re.compile
    monkeypatch.setattr(
        re, "compile", lambda *given: compiled.append(given) or compile_pattern(*given)
    )
    fill(tmp_path, f".claude/sessions/{dead}.json")
    assert len(litter_of(dead, {"HOME": str(tmp_path)})) == 1
    assert compiled == []
