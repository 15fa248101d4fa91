"""`dragoman plugins`: list, check and new."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway import __version__
from gateway.cli.main import cli
from tests.gateway.core_support import entry_point, install, module

Write = Callable[..., Path]

OBSERVER = """\
from gateway import hookimpl

@hookimpl
def gateway_observe(request, ctx):
    return None
"""
CONFIG = "models: {m: {backend: b}}\nplugins: {two: true, three: false}\n"
CLAIMS = OBSERVER + (
    "from pydantic import BaseModel\nclass C(BaseModel): pass\n@hookimpl\ndef gateway_register_config(register):\n"
    "    register('two', C)\n"
)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["plugins", *map(str, arguments)])


@pytest.fixture
def config(write: Write, monkeypatch: pytest.MonkeyPatch) -> Path:
    install(monkeypatch, entry_point("bare", "another", module("bare")))
    write(OBSERVER, "plugins/one.py")
    write(CLAIMS, "plugins/two.py")
    write("raise KeyError", "plugins/three.py")
    return write(CONFIG)


def test_list_says_what_there_is_and_in_which_order(config: Path) -> None:
    found = json.loads(run("list", "--json", "--config", config).stdout)
    folder = config.parent / "plugins"
    rows = [(one["name"], one["origin"], one["version"], one["state"]) for one in found]
    assert rows == [
        ("health", "dragoman", __version__, "on"),
        ("bare", "another", "1.2", "on"),
        ("one", str(folder / "one.py"), None, "on"),
        ("two", str(folder / "two.py"), None, "configured"),
        ("three", "", None, "off"),
    ]
    places = {one["name"]: one["hooks"].get("gateway_observe") for one in found}
    assert (places["two"], places["one"]) == (1, 2)


def test_list_can_be_read(config: Path) -> None:
    said = run("list", "--config", config).stdout
    assert "one (" in said
    assert "\n  gateway_observe #2 [notify]\n" in said
    assert "three (off)" in said


def test_check_says_what_a_file_takes_part_in(write: Write) -> None:
    checked = run("check", write(OBSERVER, "plugins/one.py"))
    assert checked.exit_code == 0
    assert "gateway_observe [notify]" in checked.stdout


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import no_such_module", "can't be imported: ModuleNotFoundError"),
        (OBSERVER.replace("observe", "obsreve"), "gateway_obsreve"),
        (OBSERVER.replace("ctx", "contxt"), "contxt"),
        (OBSERVER.replace("def", "async def"), "must be a plain `def`"),
        (CLAIMS.replace("'two', C", "'two', 3"), "failed in gateway_register_config"),
        (
            OBSERVER.replace("gateway_observe(request, ctx)", "gateway_register_routes()").replace(
                "return None", "raise KeyError('x')"
            ),
            "failed in gateway_register_routes: KeyError('x')",
        ),
        ("x = 1", "has no hooks"),
    ],
)
def test_check_says_what_the_start_would(source: str, said: str, write: Write) -> None:
    checked = run("check", write(source, "plugins/one.py"))
    assert checked.exit_code == 2
    assert checked.stderr.startswith("dragoman: plugin")
    assert said in checked.stderr
    assert "\n" not in checked.stderr.strip()


def pytest_in(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_new_file_is_right_and_its_test_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("new", "brief").stdout == "wrote plugins/brief.py\nwrote tests/test_brief.py\n"
    assert "gateway_transform_request" in run("check", "plugins/brief.py").stdout
    tested = pytest_in(tmp_path)
    assert tested.returncode == 0, tested.stdout
    again = run("new", "brief")
    assert (again.exit_code, "already exists" in again.stderr) == (2, True)


def test_a_new_package_has_an_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`scripts/check-plugins` installs one and runs its test."""
    monkeypatch.chdir(tmp_path)
    run("new", "be_brief", "--package")
    folder = tmp_path / "dragoman-be-brief"
    assert 'be_brief = "dragoman_be_brief"' in (folder / "pyproject.toml").read_text()
    assert 'installed=("be_brief",)' in (folder / "tests" / "test_be_brief.py").read_text()
    assert run("check", folder / "dragoman_be_brief" / "__init__.py").exit_code == 0


@pytest.mark.parametrize("name", ["Brief", "be-brief", "1st", "a/b"])
def test_a_name_that_python_cannot_import_is_refused(name: str) -> None:
    refused = run("new", name)
    assert (refused.exit_code, "is not a valid plugin name" in refused.stderr) == (2, True)
