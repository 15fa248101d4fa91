"""What processes leave: secrets in files, and open files and sockets (Linux)."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tests.prove_reuse.marks import BYTES

MOST_MORE: Final = 6
"""How many more descriptors one process may have than another: what it asks the model with."""


def files_with_secrets(folders: Iterable[Path]) -> Iterator[str]:
    """Files below these folders that hold a secret, or have one in their name."""
    for top in folders:
        for folder, _, names in os.walk(top):
            for path in (Path(folder, name) for name in names):
                if BYTES.search(str(path).encode()) or BYTES.search(_content(path)):
                    yield str(path)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.is_file() else b""
    except OSError:
        return b""


def descriptors(pid: int | str = "self") -> list[str]:
    """What a process has open."""
    found = []
    for link in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            found.append(str(link.readlink()))
        except OSError:
            continue
    return found
