"""The file of JSON lines and its older ones."""

import json
import os
from pathlib import Path

import pytest

from gateway_request_log.json_lines import JsonLines
from tests.request_log.request_log_support import row


def ids(path: Path) -> list[str]:
    return [json.loads(line)["request_id"] for line in path.read_text().splitlines()]


def test_each_row_is_a_line(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "r.jsonl"
    sink = JsonLines(path, 10**6, 3)
    sink.write([row(request_id="a"), row(request_id="b", error_message="zwei\nZeilen ü")])
    sink.write([row(request_id="c", answer='[{"type": "text"}]')])
    sink.close()
    assert ids(path) == ["a", "b", "c"]
    last = json.loads(path.read_text().splitlines()[-1])
    assert last["answer"] == [{"type": "text"}]
    assert "request" not in last


def test_a_full_file_becomes_an_older_one_and_the_oldest_goes(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    sink = JsonLines(path, 100, 3)
    for number in range(5):
        sink.write([row(request_id=f"{number}")])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["r.jsonl", "r.jsonl.1", "r.jsonl.2"]
    assert [ids(tmp_path / name) for name in ("r.jsonl", "r.jsonl.1", "r.jsonl.2")] == [
        ["4"],
        ["3"],
        ["2"],
    ]


def test_a_single_file_begins_anew(tmp_path: Path) -> None:
    sink = JsonLines(tmp_path / "r.jsonl", 100, 1)
    for number in range(3):
        sink.write([row(request_id=f"{number}")])
    assert [file.name for file in tmp_path.iterdir()] == ["r.jsonl"]
    assert ids(tmp_path / "r.jsonl") == ["2"]


def test_half_a_batch_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.jsonl"
    sink = JsonLines(path, 10**6, 2)
    sink.write([row(request_id="whole")])
    truncate = os.ftruncate
    truncated: list[int] = []

    def note(number: int, size: int) -> None:
        truncated.append(size)
        truncate(number, size)

    class Full:
        def __enter__(self) -> "Full":
            return self

        def __exit__(self, *_: object) -> None:
            os.close(self.number)

        def __init__(self, number: int, *_: object, **__: object) -> None:
            self.number = number
            self.calls = 0

        def write(self, data: bytes) -> int:
            self.calls += 1
            if self.calls > 1:
                raise OSError(28, "No space left on device")
            return os.write(self.number, data[:50])

    monkeypatch.setattr(os, "ftruncate", note)
    monkeypatch.setattr("builtins.open", Full)
    with pytest.raises(OSError, match="No space left"):
        sink.write([row(request_id="cut")])
    monkeypatch.undo()
    assert len(truncated) == 1
    assert ids(path) == ["whole"]
