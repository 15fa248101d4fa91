"""A service's file on disk: written whole or not at all."""

import os
from pathlib import Path

from gateway.errors import ConfigurationError


def write_file(path: Path, text: str) -> None:
    """Write it, with its folder. Raises `ConfigurationError` if that can't be."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            beside.write_text(text, encoding="utf-8")
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{path} can't be written: {error.strerror}") from None


def remove_file(path: Path) -> None:
    """Remove it. Raises `ConfigurationError` if that can't be."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{path} can't be removed: {error.strerror}") from None
