"""Which configuration a command uses: the one place where it is decided.

The file named with `--config`; else the user's own, `~/.config/dragoman/models.yaml`; else the one
that came with the distribution, or with the checkout that runs. Only `serve` also looks into the
current folder, and does not trust what it finds there (see `gateway.yaml_file.trust`): every other command
can be run anywhere, such as `git diff | dragoman chat …` in somebody else's repository.
"""

import difflib
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.config.settings import Config, FileConfig, find_file, load, packaged_file, user_file
from gateway.errors import ConfigurationError
from gateway.yaml_file.document import MAX_BYTES, read_yaml_document

log = logging.getLogger("gateway")

NAME: Final = "models.yaml"
KEYS: Final = tuple(FileConfig.model_fields)

_NEAR: Final = 0.75
"""How alike a misspelt key is, as `difflib` counts: "modles" is 0.83, "version" is 0.46."""
_OF_AN_ENTRY: Final = frozenset(("backend", "split"))
"""Each entry of `models:` has one of them."""
_TOP_LEVEL: Final = re.compile(r"^([A-Za-z_][\w-]*)\s*:", re.MULTILINE)
_TEMPLATE: Final = re.compile(r"\{\{|\{%")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A configuration file; `trusted` unless it merely lay in the current folder."""

    path: Path
    trusted: bool = True


def configuration(explicit: Path | None = None, *, from_folder: bool = False) -> Config:
    """Find and read a command's configuration; `from_folder` is for `serve` alone.

    Raises `ConfigurationError`.
    """
    found = find(explicit, from_folder=from_folder)
    return load(found.path, packaged_file(), trusted=found.trusted)


def find(explicit: Path | None = None, *, from_folder: bool = False) -> FoundFile:
    """The file to read. A foreign one in the current folder is passed over with a warning."""
    usual = find_file(explicit, packaged_file())
    if explicit is not None or not from_folder or not _is_file(Path(NAME)):
        return FoundFile(path=usual)
    real = Path(NAME).resolve()
    if (own := user_file()) is not None and own.resolve() == real:
        # whoever put a link here decides neither what it leads to, nor what lies beside that
        return FoundFile(path=own)
    if packaged_file().resolve() == real:
        return FoundFile(path=usual)  # in a checkout, as for all other commands
    if (reason := why_foreign(Path(NAME))) is None:
        return FoundFile(path=Path(NAME), trusted=False)
    log.warning(
        "ignoring %s in the current folder, which is not Dragoman's: %s; using %s",
        NAME,
        reason,
        usual,
    )
    return FoundFile(path=usual)


def folder_has_its_own() -> bool:
    """Whether `serve` uses the current folder's file: Dragoman's, not the user's or packaged one."""
    here = Path(NAME)
    return _is_file(here) and why_foreign(here) is None and not find(from_folder=True).trusted


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def why_foreign(path: Path) -> str | None:
    """Why a file belongs to some other program; None for Dragoman's, also one with mistakes.

    dbt, for one, has a `models.yaml` of its own: `version: 2` and `models:` with a list.
    """
    try:
        data = read_yaml_document(path).data
    except ConfigurationError as error:
        return None if _was_meant(path) else str(error)
    if any(_is_ours(str(key), value) for key, value in data.items()):
        return None
    if isinstance(data.get("models"), Mapping):
        return "none of its models has a backend"
    return f"it has no section named {', '.join(KEYS[:-1])} or {KEYS[-1]}"


def _is_ours(key: str, value: object) -> bool:
    """Whether a section is one of Dragoman's. Other programs have a mapping `models:` as well."""
    if not isinstance(value, Mapping) or not _is_near(key):
        return False
    entries = [entry for entry in value.values() if isinstance(entry, Mapping)]
    return key != "models" or any(_OF_AN_ENTRY & set(entry) for entry in entries)


def _was_meant(path: Path) -> bool:
    """Whether text that can't be read as a mapping was meant as one of Dragoman's."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return False
    keys = _TOP_LEVEL.findall(text)
    return bool(keys) and all(map(_is_near, keys)) and not _TEMPLATE.search(text)


def _is_near(key: str) -> bool:
    return bool(difflib.get_close_matches(key, KEYS, n=1, cutoff=_NEAR))
