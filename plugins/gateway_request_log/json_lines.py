"""A file of JSON lines, with older ones beside it: `requests.jsonl`, `requests.jsonl.1`, …"""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from gateway_request_log.row import Row, as_json


class JsonLines:
    """A sink. `files` is how many there are at most, each of about `max_bytes`."""

    def __init__(self, path: Path, max_bytes: int, files: int) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._files = files

    def write(self, rows: Sequence[Row]) -> None:
        """Append rows in one go; what was written of them only in part is taken back."""
        data = "".join(json.dumps(as_json(row), ensure_ascii=False) + "\n" for row in rows)
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._rotate()
        number = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with open(number, "ab", buffering=0) as file:  # noqa: PTH123 - a descriptor
            before = os.fstat(number).st_size
            encoded = data.encode("utf-8")
            try:
                written = file.write(encoded)
                while written < len(encoded):
                    written += file.write(encoded[written:])
            except OSError:
                os.ftruncate(number, before)
                raise

    def close(self) -> None:
        """Nothing stays open between two batches."""

    def _rotate(self) -> None:
        if not self._path.exists() or self._path.stat().st_size < self._max_bytes:
            return
        names = [self._path, *(self._numbered(number) for number in range(1, self._files))]
        names[-1].unlink(missing_ok=True)
        for older, newer in zip(reversed(names[1:]), reversed(names[:-1]), strict=True):
            if newer.exists():
                newer.rename(older)

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")
