"""Programs are found in absolute folders of PATH, and never in the current one."""

from pathlib import Path

import pytest

from gateway.machine.search_path import absolute_entries, program_on


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in the current folder, and in a folder below it."""
    for path in (tmp_path / "tool", tmp_path / "bin" / "tool"):
        path.parent.mkdir(exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o700)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("path", ["", ":", ".", "bin", ":/nowhere", "/nowhere:", "./bin:/nowhere"])
def test_the_current_folder_is_not_searched(path: str, planted: Path) -> None:
    assert program_on(path, "tool") is None


def test_an_absolute_folder_is(planted: Path) -> None:
    assert program_on(f".:{planted}/bin", "tool") == planted / "bin" / "tool"


def test_without_a_path_the_systems_own_holds(planted: Path) -> None:
    assert program_on(None, "tool") is None
    assert program_on(None, "sh") is not None


def test_empty_and_relative_entries_are_left_out() -> None:
    assert absolute_entries(":/usr/bin:.:bin:/bin") == "/usr/bin:/bin"
    assert absolute_entries("") == ""
