"""The ways in which a CLI gets onto a machine, and the command of each that brings a newer one.

A way is known by the path of the CLI and by files around it; nothing is run for that. The commands
of the CLI's own installers are those of its documentation (code.claude.com/docs/en/setup, read in
November 2026); `TRIED` names the ways whose command was tried here with 2.1.330.
"""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PACKAGE: Final = "claude-agent-sdk"
"""The wheel of which only the CLI in it is used, so that its requirements need no update."""
UPDATE: Final = f"install --upgrade --no-deps {PACKAGE}"
TRIED: Final = ("npm", "checkout", "pipx", "uv tool", "uv venv", "venv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a CLI is: its path, the file behind all links, and the root of the file system."""

    path: Path
    target: Path
    root: Path = Path("/")

    @property
    def bundled(self) -> bool:
        """Whether it is the one in the wheel: PREFIX/lib/pythonX.Y/site-packages/….

        By its path as it is imported: uv may link the files of a wheel to its cache.
        """
        return self.path.parts[-3:-1] == ("claude_agent_sdk", "_bundled")

    @property
    def prefix(self) -> Path:
        """The environment in which the wheel is installed."""
        return self.path.parents[5] if len(self.path.parents) > 5 else self.root  # noqa: PLR2004

    def has(self, name: str) -> bool:
        """Whether the wheel's environment has this file."""
        return self.bundled and (self.prefix / name).is_file()


@dataclass(frozen=True, slots=True)
class Way:
    """A way of installing: its name, how it shows, and the command."""

    name: str
    shows: Callable[[Place], bool]
    command: Callable[[Place], str]


def place_of(path: Path, root: Path = Path("/")) -> Place:
    """Follow the links of a CLI's path."""
    return Place(path=path, target=path.resolve(), root=root)


def way_of(place: Place) -> Way:
    """The first of `WAYS` that shows; the last one always does."""
    return next(way for way in WAYS if way.shows(place))


def _in_container(place: Place) -> bool:
    """As the Dockerfile of this project installs it."""
    return place.bundled and place.prefix == place.root / "opt/dragoman"


def _in_checkout(place: Place) -> bool:
    return place.has("stamps/project") and place.has("../scripts/bootstrap.py")


def _made_by_uv(place: Place) -> bool:
    if not place.has("pyvenv.cfg"):
        return False
    lines = (place.prefix / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    return any(line.partition("=")[0].strip() == "uv" for line in lines)


def _by_cask(place: Place) -> bool:
    return "Caskroom" in place.target.parts


def _by_npm(place: Place) -> bool:
    parts = place.target.parts
    return ("lib", "node_modules", "@anthropic-ai", "claude-code") in zip(
        parts, parts[1:], parts[2:], parts[3:], strict=False
    )


def _of_system(place: Place) -> bool:
    return place.target.is_relative_to(place.root / "usr")


def _by_apt(place: Place) -> bool:
    return _of_system(place) and (place.root / "var/lib/dpkg/info/claude-code.list").is_file()


def _by_apk(place: Place) -> bool:
    database = place.root / "lib/apk/db/installed"
    if not (_of_system(place) and database.is_file()):
        return False
    return "\nP:claude-code\n" in f"\n{database.read_text(encoding='utf-8', errors='replace')}"


def _by_dnf(place: Place) -> bool:
    return _of_system(place) and (place.root / "usr/bin/dnf").exists()


def _cask(place: Place) -> str:
    """`claude-code`, or `claude-code@latest`, which is a cask of its own."""
    parts = place.target.parts
    return f"brew upgrade {parts[parts.index('Caskroom') + 1]}"


def _own(place: Place) -> str:
    """The CLI updates itself."""
    named = place.path.parent.name == "bin" and place.path.name == "claude"
    return f"{'claude' if named else shlex.quote(str(place.path))} update"


def _always(command: str) -> Callable[[Place], str]:
    return lambda _: command


def _in_prefix(command: str) -> Callable[[Place], str]:
    return lambda place: command.format(prefix=shlex.quote(str(place.prefix)))


WAYS: Final[Sequence[Way]] = (
    # of the wheel
    Way(
        "checkout",
        _in_checkout,
        lambda place: f"make -C {shlex.quote(str(place.prefix.parent))} update-cli",
    ),
    Way(
        "pipx",
        lambda place: place.has("pipx_metadata.json"),
        lambda place: f"pipx runpip {place.prefix.name} {UPDATE}",
    ),
    Way(
        "uv tool",
        lambda place: place.has("uv-receipt.toml"),
        _in_prefix(f"uv pip {UPDATE} --python {{prefix}}"),
    ),
    Way("container", _in_container, _always("git pull && docker compose up --build --detach")),
    Way("uv venv", _made_by_uv, _in_prefix(f"uv pip {UPDATE} --python {{prefix}}")),
    Way("venv", lambda place: place.bundled, _in_prefix(f"{{prefix}}/bin/python -m pip {UPDATE}")),
    # the user's own; "Update Claude Code" in the documentation
    Way("Homebrew", _by_cask, _cask),
    Way("npm", _by_npm, _always("npm install -g @anthropic-ai/claude-code@latest")),
    Way("apt", _by_apt, _always("sudo apt update && sudo apt upgrade claude-code")),
    Way("apk", _by_apk, _always("apk update && apk upgrade claude-code")),
    Way("dnf", _by_dnf, _always("sudo dnf upgrade claude-code")),
    Way("native", lambda place: _versions(place.target), _own),
    Way("unknown", lambda _: True, _own),
)


def _versions(target: Path) -> bool:
    """The native installer's files: ~/.local/share/claude/versions/2.1.330."""
    return target.parts[-3:-1] == ("claude", "versions")
