"""How a CLI came onto the machine, by real files in an empty root; and the command for a newer one."""

import shutil
from pathlib import Path

import pytest

from gateway_claude_code.installed.report import health_of, installed
from gateway_claude_code.installed.ways import OWN, TRIED, WHEEL, place_of, way_of

BUNDLED = "lib/python3.13/site-packages/claude_agent_sdk/_bundled/claude"
NPM = "lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe"


def made(root: Path, *files: str, **texts: str) -> Path:
    """Make files below a root; the first is the CLI."""
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts.get(path.name.partition(".")[0], ""), encoding="utf-8")
    return root / files[0]


def found(path: Path, root: Path) -> tuple[str, str]:
    way = way_of(place_of(path, root))
    return way.name, way.update.replace(str(root), "")


@pytest.mark.parametrize(
    ("prefix", "beside", "texts", "way", "command"),
    [
        (
            "src/.venv",
            ("src/.venv/stamps/project", "src/scripts/bootstrap.py"),
            {},
            "checkout",
            "make -C /src update-cli",
        ),
        (
            "u/.local/share/pipx/venvs/dragoman-2",
            ("u/.local/share/pipx/venvs/dragoman-2/pipx_metadata.json",),
            {},
            "pipx",
            "pipx runpip dragoman-2 install --upgrade --no-deps claude-agent-sdk",
        ),
        (
            "u/.local/share/uv/tools/dragoman",
            (
                "u/.local/share/uv/tools/dragoman/uv-receipt.toml",
                "u/.local/share/uv/tools/dragoman/pyvenv.cfg",
            ),
            {"pyvenv": "uv = 0.13.9\n"},
            "uv tool",
            "uv pip install --upgrade --no-deps claude-agent-sdk "
            "--python /u/.local/share/uv/tools/dragoman",
        ),
        (
            "my venv",
            ("my venv/pyvenv.cfg",),
            {"pyvenv": "home = /usr/bin\nuv = 0.13.9\n"},
            "uv venv",
            "uv pip install --upgrade --no-deps claude-agent-sdk --python '/my venv'",
        ),
        (
            "venv",
            ("venv/pyvenv.cfg",),
            {"pyvenv": "home = /usr/bin\n"},
            "venv",
            "/venv/bin/python -m pip install --upgrade --no-deps claude-agent-sdk",
        ),
        ("opt/dragoman", (), {}, "container", "git pull && docker compose up --build --detach"),
    ],
)
def test_the_cli_in_the_wheel(
    prefix: str, beside: tuple[str, ...], texts: dict[str, str], way: str, command: str,
    tmp_path: Path,
) -> None:  # fmt: skip
    path = made(tmp_path, f"{prefix}/{BUNDLED}", *beside, **texts)
    assert found(path, tmp_path) == (way, command)


@pytest.mark.parametrize(
    ("target", "link", "beside", "texts", "way", "command"),
    [
        (
            "u/.local/share/claude/versions/2.1.330",
            "u/.local/bin/claude",
            (),
            {},
            "native",
            "claude update",
        ),
        (
            f"u/npm/{NPM}",
            "u/npm/bin/claude",
            (),
            {},
            "npm",
            "npm install -g @anthropic-ai/claude-code@latest",
        ),
        (
            f"usr/{NPM}",
            "usr/bin/claude",
            ("usr/bin/dnf",),
            {},
            "npm",
            "npm install -g @anthropic-ai/claude-code@latest",
        ),
        (
            "opt/homebrew/Caskroom/claude-code/2.1.330/claude",
            "opt/homebrew/bin/claude",
            (),
            {},
            "Homebrew",
            "brew upgrade claude-code",
        ),
        (
            "opt/homebrew/Caskroom/claude-code@latest/2.1.330/claude",
            "opt/homebrew/bin/claude",
            (),
            {},
            "Homebrew",
            "brew upgrade claude-code@latest",
        ),
        (
            "usr/bin/claude",
            None,
            ("var/lib/dpkg/info/claude-code.list",),
            {},
            "apt",
            "sudo apt update && sudo apt upgrade claude-code",
        ),
        (
            "usr/bin/claude",
            None,
            ("lib/apk/db/installed",),
            {"installed": "P:musl\nV:1\n\nP:claude-code\nV:2.1.330\n"},
            "apk",
            "apk update && apk upgrade claude-code",
        ),
        (
            "usr/bin/claude",
            None,
            ("lib/apk/db/installed",),
            {"installed": "P:claude-code-doc\n"},
            "unknown",
            "claude update",
        ),
        ("usr/bin/claude", None, ("usr/bin/dnf",), {}, "dnf", "sudo dnf upgrade claude-code"),
        ("usr/local/bin/claude", None, ("usr/bin/dnf",), {}, "unknown", "claude update"),
        ("opt/a cli", None, (), {}, "unknown", "'/opt/a cli' update"),
    ],
)
def test_the_user_s_own(
    target: str, link: str | None, beside: tuple[str, ...], texts: dict[str, str], way: str,
    command: str, tmp_path: Path,
) -> None:  # fmt: skip
    path = made(tmp_path, target, *beside, **texts)
    if link is not None:
        (tmp_path / link).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / link).symlink_to(path)
        path = tmp_path / link
    name, said = found(path, tmp_path)
    assert (name, said.replace("'//", "'/")) == (way, command)


def test_each_way_is_in_these_tables() -> None:
    """And what was tried is a way."""
    names = [*WHEEL, *(name for name, *_ in OWN)]
    assert len(set(names)) == len(names)
    assert set(TRIED) <= set(names)
    source = Path(__file__).read_text(encoding="utf-8")
    assert all(f'"{name}"' in source for name in names)


def test_this_checkout_says_what_to_type() -> None:
    import claude_agent_sdk  # noqa: PLC0415 - only its place is wanted

    path = Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"
    place = place_of(path)
    assert way_of(place).name in {"checkout", "venv"}
    assert place.prefix == Path(claude_agent_sdk.__file__).parents[4]


def test_an_installed_cli(tmp_path: Path) -> None:
    path = made(tmp_path, "x/claude")
    old = installed(path, "2.0.0")
    assert old.days is not None
    assert (old.by, old.stale, old.age) == ("unknown", True, f"{old.days} days old")
    newer = installed(path, "99.1.1")
    assert (newer.days, newer.stale) == (None, False)
    assert newer.age == "newer than this Dragoman knows"
    nothing = installed(path, None)
    assert (nothing.days, nothing.age) == (None, None)


def test_the_part_of_the_health_report(tmp_path: Path) -> None:
    path = made(tmp_path, f"opt/dragoman/{BUNDLED}")
    health = health_of({"cli_path": str(path), "cli_version": "99.1.1"})
    assert health["cli_installed"] == {
        "by": "venv",
        "age_days": None,
        "age": "newer than this Dragoman knows",
        "stale": False,
        "update": f"{tmp_path}/opt/dragoman/bin/python -m pip install --upgrade --no-deps "
        "claude-agent-sdk",
    }
    assert health_of({"status": "unavailable"}) == {}
    shutil.rmtree(tmp_path / "opt")
    assert health_of({"cli_path": str(path), "cli_version": None})["cli_installed"]["age"] is None
