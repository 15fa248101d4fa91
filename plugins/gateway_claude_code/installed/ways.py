"""The ways of installing the CLI, and the update command of each.

A way is recognised by the path of the CLI and by files around it; nothing is run for that. The commands
for the CLI's own installers are those of its documentation ("Update Claude Code",
code.claude.com/docs/en/setup, read in November 2026). `TRIED` names the ways whose command has been
run from an empty home, with 2.1.328 or 2.1.330 before and 2.1.332 after.
"""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.machine.installation import Environment, environment_of

PACKAGE: Final = "claude-agent-sdk"
"""The wheel; only the CLI in it is used, so its requirements need no update."""
UPDATE: Final = f"install --upgrade --no-deps {PACKAGE}"
TRIED: Final = ("npm", "checkout", "pipx", "uv tool", "uv venv", "venv")


@dataclass(frozen=True, slots=True)
class Way:
    """A way of installing, and the command for a newer CLI."""

    name: str
    update: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The place of a CLI: its path, the file behind all links, and the root of the file system."""

    path: Path
    target: Path
    root: Path = Path("/")

    @property
    def bundled(self) -> bool:
        """Whether it is the one in the wheel: PREFIX/lib/pythonX.Y/site-packages/….

        By its path before links are followed: uv may link the files of a wheel to its cache.
        """
        return self.path.parts[-3:-1] == ("claude_agent_sdk", "_bundled")

    @property
    def prefix(self) -> Path:
        """The environment in which the wheel is installed."""
        return self.path.parents[5]


def place_of(path: Path, root: Path = Path("/")) -> Place:
    """Follow the links of a CLI's path."""
    return Place(path=path, target=path.resolve(), root=root)


def way_of(place: Place) -> Way:
    """The way of a CLI: by the environment of the wheel, else the first of `OWN` that matches."""
    if place.bundled and len(place.path.parents) > 5:  # noqa: PLR2004 - see `prefix`
        kind = environment_of(place.prefix, place.root)
        quoted = {
            "prefix": shlex.quote(str(place.prefix)),
            "folder": shlex.quote(str(place.prefix.parent)),
            "name": shlex.quote(place.prefix.name),
        }
        return Way(kind, WHEEL[kind].format(**quoted))
    return next(Way(name, update(place)) for name, shows, update in OWN if shows(place))


# -- the CLI in the wheel -----------------------------------------------------------------

WHEEL: Final[Mapping[Environment, str]] = {
    "checkout": "make -C {folder} update-cli",
    "pipx": f"pipx runpip {{name}} {UPDATE}",
    "uv tool": f"uv pip {UPDATE} --python {{prefix}}",
    "container": "git pull && docker compose up --build --detach",
    "uv venv": f"uv pip {UPDATE} --python {{prefix}}",
    "venv": f"{{prefix}}/bin/python -m pip {UPDATE}",
}
"""The commands, by the kind of environment that the wheel is in."""


# -- the user's own CLI -------------------------------------------------------------------


def _by_cask(place: Place) -> bool:
    return "Caskroom" in place.target.parts


def _cask(place: Place) -> str:
    """`claude-code`, or `claude-code@latest`, which is a cask of its own."""
    parts = place.target.parts
    return f"brew upgrade {parts[parts.index('Caskroom') + 1]}"


def _by_npm(place: Place) -> bool:
    return "/lib/node_modules/@anthropic-ai/claude-code/" in str(place.target)


def _of_system(place: Place) -> bool:
    return place.target.is_relative_to(place.root.resolve() / "usr")


def _by_apt(place: Place) -> bool:
    return _of_system(place) and (place.root / "var/lib/dpkg/info/claude-code.list").is_file()


def _by_apk(place: Place) -> bool:
    database = place.root / "lib/apk/db/installed"
    if not (_of_system(place) and database.is_file()):
        return False
    return "\nP:claude-code\n" in f"\n{database.read_text(encoding='utf-8', errors='replace')}"


def _by_dnf(place: Place) -> bool:
    local = place.root.resolve() / "usr/local"
    return (
        _of_system(place)
        and not place.target.is_relative_to(local)
        and (place.root / "usr/bin/dnf").exists()
    )


def _by_native(place: Place) -> bool:
    """The native installer has ~/.local/share/claude/versions/2.1.330 (code.claude.com/docs/en/setup)."""
    return place.target.parts[-3:-1] == ("claude", "versions")


def _itself(place: Place) -> str:
    """The CLI's own command, which knows its installation (code.claude.com/docs/en/setup)."""
    usual = place.path.parent.name == "bin" and place.path.name == "claude"
    return f"{'claude' if usual else shlex.quote(str(place.path))} update"


OWN: Final[Sequence[tuple[str, Callable[[Place], bool], Callable[[Place], str]]]] = (
    ("Homebrew", _by_cask, _cask),
    ("npm", _by_npm, lambda _: "npm install -g @anthropic-ai/claude-code@latest"),
    ("apt", _by_apt, lambda _: "sudo apt update && sudo apt upgrade claude-code"),
    ("apk", _by_apk, lambda _: "apk update && apk upgrade claude-code"),
    ("dnf", _by_dnf, lambda _: "sudo dnf upgrade claude-code"),
    ("native", _by_native, _itself),
    ("unknown", lambda _: True, _itself),
)
"""Each way with its test and its command, in the order of the tests."""
