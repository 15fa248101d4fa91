"""Putting a configuration into a client's own file: merged, with a backup."""

import json
import os
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from gateway.errors import ConfigurationError
from gateway.machine.command_name import command_line
from gateway_terminal.connect.clients import Client, document

CODEX_HOME: Final = "CODEX_HOME"
"""The variable that names Codex's folder (codex-rs/utils/home-dir/src/lib.rs)."""
ELSEWHERE: Final = {"openclaw": "OPENCLAW_CONFIG_PATH", "opencode": "OPENCODE_CONFIG"}
"""The variable that names another file, by client."""

Merge = Callable[[str, str], str]
"""The new text, from that of the file and the configuration. Raises `ValueError`."""


def path_of(client: Client) -> Path:
    """Where the client looks. Raises `ConfigurationError` if it has no file of its own."""
    if client.path is None:
        raise ConfigurationError(
            f"{client.name} has no file to write; "
            f"`{command_line('connect', client.name)}` prints its settings"
        )
    if client.name == "llm":
        return _folder_of_llm() / client.path
    if client.name == "codex" and (folder := os.environ.get(CODEX_HOME)):
        return Path(folder).expanduser() / Path(client.path).name
    if elsewhere := os.environ.get(ELSEWHERE.get(client.name, "")):
        return Path(elsewhere).expanduser()
    return Path("~").expanduser() / client.path


def write(client: Client, text: str) -> tuple[Path, Path | None]:
    """The file that was written, and the backup. Raises `ConfigurationError`."""
    path = path_of(client)
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        backup = write_text(path, before, MERGES[client.name](before, text))
    except (ValueError, yaml.YAMLError) as error:
        why = str(error) if type(error) is ValueError else "it can't be parsed"
        raise ConfigurationError(
            f"{path} was left unchanged: {why}; add the output of "
            f"`{command_line('connect', client.name)}` by hand"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    return path, backup


def write_text(path: Path, before: str, after: str) -> Path | None:
    """Replace the file's text, whose copy is returned; nothing if both are the same."""
    if after == before:
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    backup = _backup(path) if before else None
    _replace(path, after)
    return backup


def merge_json(before: str, text: str) -> str:
    """Merge ours into theirs, key by key. Only plain JSON: comments would be lost."""
    old = json.loads(before) if before.strip() else {}
    if not isinstance(old, dict):
        raise ValueError("it is not an object")  # noqa: TRY004 - of the file, not of an argument
    merged = _merged(old, document(text))
    return before if merged == old else json.dumps(merged, indent=2, ensure_ascii=False) + "\n"


def merge_llm(before: str, text: str) -> str:
    """One more entry in a list, or the entry of this name anew."""
    return _merge_list(before, text, None, "model_id")


def merge_continue(before: str, text: str) -> str:
    """One more entry in `models:`, or the entry of this name anew."""
    return _merge_list(before, text, "models", "name")


def merge_codex(before: str, text: str) -> str:
    """Its first lines before all of theirs, as a table follows these, and its table after them."""
    old, new = tomllib.loads(before), tomllib.loads(text)
    if _merged(old, new) == old:
        return before
    tables = "model_providers"
    taken = [key for key in new if key in old and key != tables]
    if taken or old.get(tables, {}).keys() & new[tables].keys():
        raise ValueError(f"it has {taken[0] if taken else 'this provider'!r} already")
    first, table = text.split("\n[", 1)
    return "\n\n".join(part for part in (first.strip(), before.strip(), f"[{table}") if part)


MERGES: Final[Mapping[str, Merge]] = {
    "codex": merge_codex,
    "continue": merge_continue,
    "llm": merge_llm,
    "openclaw": merge_json,
    "opencode": merge_json,
}


def _merge_list(before: str, text: str, within: str | None, name: str) -> str:
    if not before.strip():
        return text
    old, new = yaml.safe_load(before), yaml.safe_load(text)
    entries = old if within is None else old.setdefault(within, []) if isinstance(old, dict) else 0
    [entry] = new if within is None else new[within]
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise ValueError("it has an unexpected structure")
    if entry in entries:
        return before
    at = next((i for i, each in enumerate(entries) if each.get(name) == entry[name]), None)
    if within is None and at is None and before.lstrip().startswith(("-", "#")):
        return f"{before.rstrip()}\n{text}"
    if "#" in before:
        raise ValueError("it has comments, which would be lost")
    if at is None:
        entries.append(entry)
    else:
        entries[at] = entry
    return yaml.safe_dump(old, sort_keys=False, allow_unicode=True)


def _merged(old: Any, new: Any) -> Any:  # noqa: ANN401
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    return {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}


def _backup(path: Path) -> Path:
    backup = path.with_name(f"{path.name}.before-dragoman")
    number = 1
    while backup.exists():
        number += 1
        backup = path.with_name(f"{path.name}.before-dragoman-{number}")
    shutil.copy2(path, backup)
    return backup


def _replace(path: Path, text: str) -> None:
    """All or nothing, through links, and with the rights that the file has."""
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
    try:
        temporary.touch(mode, exist_ok=False)  # such files hold keys: never wider, not for a moment
        temporary.write_text(text, encoding="utf-8", newline="")
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _folder_of_llm() -> Path:
    """Its own word for it: `LLM_USER_PATH`, else what `llm logs path` says."""
    if folder := os.environ.get("LLM_USER_PATH"):
        return Path(folder)
    if (llm := shutil.which("llm")) is not None:
        try:
            said = subprocess.run(  # noqa: S603 - no argument is anybody's
                [llm, "logs", "path"], capture_output=True, text=True, timeout=20, check=True
            ).stdout
            return Path(said.strip()).parent
        except (OSError, subprocess.SubprocessError):
            pass
    raise ConfigurationError("`llm` is not on PATH, and LLM_USER_PATH is not set")
