"""How `dragoman` can be typed."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from gateway.machine import command_name
from gateway.machine.command_name import command_line, typed

PROGRAM: Final = command_name._program
"""As it is outside of tests: see tests/conftest.py."""


@pytest.fixture(autouse=True)
def _as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_name, "_program", PROGRAM)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a checkout, whose program is linked to from a folder of programs."""
    for folder in ("bin", "check out/.venv/bin"):
        (tmp_path / folder).mkdir(parents=True)
    program = tmp_path / "check out/.venv/bin/dragoman"
    program.touch(mode=0o755)
    (tmp_path / "bin/dragoman").symlink_to(program)
    (tmp_path / "another").touch(mode=0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("on_path", "folder", "home_is", "says"),
    [
        ("check out/.venv/bin/dragoman", "", "", "dragoman"),
        ("bin/dragoman", "", "", "dragoman"),
        (None, "check out", "", ".venv/bin/dragoman"),
        ("another", "check out", "", ".venv/bin/dragoman"),
        (None, "check out/.venv/bin", "", "./dragoman"),
        (None, "", "", "'check out/.venv/bin/dragoman'"),
        (None, "bin", "", "~/'check out/.venv/bin/dragoman'"),
        (None, None, "", "~/'check out/.venv/bin/dragoman'"),
        (None, "bin", "check out", "~/.venv/bin/dragoman"),
        (None, "bin", "bin", "'HERE/check out/.venv/bin/dragoman'"),
        (None, "bin", None, "'HERE/check out/.venv/bin/dragoman'"),
    ],
)
def test_how_it_is_typed(
    home: Path, on_path: str | None, folder: str | None, home_is: str | None, says: str
) -> None:
    name = typed(
        home / "check out/.venv/bin/dragoman",
        on_path=None if on_path is None else str(home / on_path),
        folder=None if folder is None else home / folder,
        home=None if home_is is None else str(home / home_is),
    )
    assert name == says.replace("HERE", str(home))


def test_a_home_that_is_the_root_is_not_one() -> None:
    program = Path("/opt/dragoman/bin/dragoman")
    assert typed(program, on_path=None, folder=None, home="/") == str(program)


@pytest.mark.parametrize("folder", ["", "check out", "bin"])
def test_a_shell_finds_what_is_said(home: Path, folder: str) -> None:
    program = home / "check out/.venv/bin/dragoman"
    program.write_text("#!/bin/sh\necho found\n")
    name = typed(program, on_path=None, folder=home / folder, home=str(home))
    said = subprocess.run(
        ["/bin/sh", "-c", name],
        cwd=home / folder,
        env={"HOME": str(home), "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "found\n"


def test_the_words_after_it_are_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_name, "_program", lambda: None)
    assert command_line("keys", "new", "my key") == "dragoman keys new 'my key'"


def test_it_is_the_script_that_runs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home / "check out")
    monkeypatch.setenv("PATH", os.defpath)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr(sys, "argv", [".venv/bin/dragoman", "serve"])
    assert command_line("login") == ".venv/bin/dragoman login"
    assert command_line("login", anywhere=True) == "~/'check out/.venv/bin/dragoman' login"


def test_elsewhere_it_is_the_one_beside_this_python(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/uvicorn"])
    monkeypatch.setattr(sys, "executable", str(home / "check out/.venv/bin/python"))
    monkeypatch.setenv("PATH", os.defpath)
    monkeypatch.setenv("HOME", str(home))
    assert command_line(anywhere=True) == "~/'check out/.venv/bin/dragoman'"


def test_without_either_it_is_the_name(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/uvicorn"])
    monkeypatch.setattr(sys, "executable", str(home / "bin/python/python"))
    assert command_line("login") == "dragoman login"


def test_a_folder_that_is_gone_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    assert command_line("login").endswith("dragoman login")


BARE: Final = re.compile(r"`dragoman [a-z]|: dragoman [a-z]")
"""A command in a text, by a name that PATH may not lead to."""
ELSEWHERE: Final = {
    "gateway/machine/command_name.py": "has the name",
    "gateway/__main__.py": "on Windows there is no such program",
    "plugins/gateway_terminal/manual.py": "is a page of the documentation",
    "plugins/gateway_access/keys/keys_file.py": "is a comment in a file that stays",
    "plugins/gateway_service/systemd_unit.py": "is a comment in a file that stays",
}


def texts(path: Path) -> Iterator[str]:
    """The strings of a module, but for docstrings, which `--help` shows, and examples."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    alone = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if (
                id(node) not in alone and "Examples:\n" not in text
            ):
                yield text


def test_no_text_names_a_command_that_may_not_be_on_the_path() -> None:
    root = Path(__file__).parents[3]
    found = [
        f"{name}: {text}"
        for folder in ("gateway", "plugins")
        for path in sorted((root / folder).rglob("*.py"))
        if (name := str(path.relative_to(root))) not in ELSEWHERE
        for text in texts(path)
        if BARE.search(text)
    ]
    assert found == []
