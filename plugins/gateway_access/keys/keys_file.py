"""The file that `dragoman keys` writes, and that a gateway reads."""

import fcntl
import os
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

import yaml
from pydantic import ValidationError

from gateway.config.settings import Config, FileConfig
from gateway.errors import ConfigurationError
from gateway.yaml_file.document import read_yaml_document
from gateway_access.config import AccessConfig, KeyEntry, KeysFile

DEFAULT: Final = "~/.config/dragoman/keys.yaml"
_HEAD: Final = "# Keys of Dragoman's clients, as hashes. `dragoman keys` rewrites this file.\n"
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH

Change: TypeAlias = Callable[[tuple[KeyEntry, ...]], tuple[KeyEntry, ...]]


def path_of(config: AccessConfig, beside: Path | None) -> Path | None:
    """Where the file is, whether it exists or not; None for a user without a home.

    A relative path starts at the folder of `beside`, the configuration file.
    """
    try:
        if config.keys_file is None:
            return Path(DEFAULT).expanduser()
        folder = beside.parent if beside is not None else Path()
        return folder / config.keys_file.expanduser()
    except RuntimeError:
        return None


def read_keys(path: Path) -> tuple[KeyEntry, ...]:
    """The keys of a file; none if there is no file.

    Raises `ConfigurationError` if it is not such a file, or if others could have written it.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read: {error}") from None
    if mode & _OTHERS_WRITE:
        raise ConfigurationError(f"{path} is writable by other users; run `chmod 600 {path}`")
    document = read_yaml_document(path)
    try:
        return KeysFile.model_validate(document.data).keys
    except ValidationError as error:
        place = Config(FileConfig(), path, document.lines)
        raise place.explain(error, (), KeysFile) from None


def change_keys(path: Path, change: Change) -> None:
    """Read, change and write the file as one step, whoever else does so at the same time.

    Raises `ConfigurationError` if that can't be done; the file is then as it was.
    """
    path = path.resolve()  # where a link leads is replaced, and not the link
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(path.parent):
            _write(path, change(read_keys(path)))
    except OSError as error:
        raise ConfigurationError(f"{path} can't be written: {error}") from None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)  # which gives the lock back


def _write(path: Path, entries: Iterable[KeyEntry]) -> None:
    """A gateway that reads meanwhile sees the old file or the new one, never half of it."""
    values = {"keys": [entry.model_dump(mode="json", exclude_defaults=True) for entry in entries]}
    # mkstemp makes files of mode 0600, and nothing changes that
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(_HEAD + yaml.safe_dump(values, sort_keys=False))
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
