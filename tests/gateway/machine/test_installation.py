"""How Dragoman was installed, by real files; and what adds packages to it."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from gateway.machine import installation
from gateway.machine.installation import command_for_extra, environment_of

STATED = [
    "anyio>=4.6",
    'uvloop>=0.21; sys_platform != "win32"',
    'mcp>=2.3; extra == "mcp"',
    "httpx2>=2.10; extra == 'mcp'",
    'odd>=1; python_version < "3.12" and extra == "mcp"',
    'pytest; extra == "dev"',
]

PREFIXES = {
    "checkout": ("src/.venv", ("src/.venv/stamps/project", "src/scripts/bootstrap.py"), ""),
    "pipx": ("pipx/venvs/dragoman", ("pipx/venvs/dragoman/pipx_metadata.json",), ""),
    "uv tool": ("uv/tools/dragoman", ("uv/tools/dragoman/uv-receipt.toml",), "uv = 0.13"),
    "container": ("opt/dragoman", (), "home = /usr/bin"),
    "uv venv": ("a venv", (), "home = /usr/bin\nuv = 0.13.9"),
    "venv": ("venv", (), "home = /usr/bin\nuvx = 1"),
}


def made(kind: str, root: Path) -> Path:
    """An environment as the program of this name makes it."""
    prefix, marks, settings = PREFIXES[kind]
    for name in (f"{prefix}/pyvenv.cfg", *marks):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(settings, encoding="utf-8")
    return root / prefix


@pytest.mark.parametrize("kind", PREFIXES)
def test_which_program_made_an_environment(kind: str, tmp_path: Path) -> None:
    assert environment_of(made(kind, tmp_path), tmp_path) == kind


def test_a_python_that_is_no_environment_is_taken_for_a_plain_one(tmp_path: Path) -> None:
    assert environment_of(tmp_path, tmp_path) == "venv"


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ("checkout", "/src/.venv/bin/python -m pip install"),
        ("pipx", "pipx inject dragoman"),
        ("uv tool", "uv pip install --python /uv/tools/dragoman"),
        ("uv venv", "uv pip install --python '/a venv'"),
        ("venv", "/venv/bin/python -m pip install"),
    ],
)
def test_what_adds_the_packages_of_an_extra(
    kind: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "requires", lambda _: STATED)
    said = command_for_extra("mcp", made(kind, tmp_path)).replace(str(tmp_path), "")
    assert said == f"{command} 'mcp>=2.3' 'httpx2>=2.10' 'odd>=1'"


def test_the_packages_are_those_of_this_project() -> None:
    assert "'mcp>=2.3'" in command_for_extra("mcp")
    assert "opentelemetry-sdk" in command_for_extra("otel")
    assert "claude-agent-sdk==" in command_for_extra("cli"), "exactly the one that is tested"


def test_a_wheel_brings_the_cli_that_a_checkout_has() -> None:
    """The extra must not float to a CLI that nobody has tested."""
    locked = Path(__file__).parents[3] / "requirements" / "cli.txt"
    pins = [line.split()[0] for line in locked.read_text().splitlines() if "==" in line]
    assert [command_for_extra("cli").split()[-1]] == pins


def test_no_command_asks_an_index_for_dragoman(tmp_path: Path) -> None:
    """Nobody has registered the name there yet. `pipx inject` takes it for its own environment."""
    for kind in PREFIXES:
        words = command_for_extra("mcp", made(kind, tmp_path)).split()
        assert "dragoman" not in words or words[:2] == ["pipx", "inject"]
        assert not any(word.startswith("dragoman[") for word in words)


def test_without_metadata_no_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: str) -> list[str]:
        raise PackageNotFoundError

    monkeypatch.setattr(installation, "requires", missing)
    assert command_for_extra("mcp").endswith("pip install ")
