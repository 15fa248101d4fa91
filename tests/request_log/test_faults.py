"""The request log of a real gateway that is killed, or whose disk is full."""

import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml

from tests.request_log.request_log_support import read

BODY = {"model": "m", "messages": [{"role": "user", "content": "Hello!"}]}
PATIENCE = 20


@dataclass(frozen=True, slots=True)
class Running:
    process: "subprocess.Popen[bytes]"
    url: str
    log: Path

    def ask(self, number: int) -> None:
        with httpx.Client(base_url=self.url, timeout=PATIENCE) as client:
            for _ in range(number):
                assert client.post("/v1/chat/completions", json=BODY).status_code == 200


def wait_until(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.02)


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    plugins = {"claude_code": False, "request_log": {"database": str(folder / "r.db")}}
    config = folder / "models.yaml"
    config.write_text(yaml.safe_dump({"models": {"m": {"backend": "echo"}}, "plugins": plugins}))
    log = folder / "gateway.log"
    command = [str(Path(sys.executable).parent / "dragoman"), "serve"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--config", str(config), "--port", "0"],
            stdout=output,
            stderr=output,
            cwd=folder,
            env={"PATH": os.defpath, "HOME": str(folder)},
        )
        try:
            wait_until(lambda: "serving at" in log.read_text() or process.poll() is not None, "up")
            found = re.search(r"serving at (http://\S+)", log.read_text())
            assert found is not None, log.read_text()
            httpx.get(f"{found[1]}/healthz", timeout=PATIENCE)
            yield Running(process, found[1], log)
        finally:
            process.kill()
            process.wait(PATIENCE)


def rows(folder: Path) -> int:
    try:
        return len(read(folder / "r.db")) if (folder / "r.db").exists() else 0
    except sqlite3.OperationalError:  # there is a file, but no table yet
        return 0


def test_a_killed_gateway_loses_the_last_batch_at_most(tmp_path: Path) -> None:
    with running(tmp_path) as gateway:
        gateway.ask(30)
        wait_until(lambda: rows(tmp_path) == 30, "the rows are written within a batch's time")
        gateway.ask(30)
        gateway.process.send_signal(signal.SIGKILL)
        gateway.process.wait(PATIENCE)
    assert read(tmp_path / "r.db", "PRAGMA integrity_check") == [{"integrity_check": "ok"}]
    survived = rows(tmp_path)
    assert 30 <= survived <= 60
    with running(tmp_path) as gateway:
        gateway.ask(1)
        wait_until(lambda: rows(tmp_path) == survived + 1, "the next gateway goes on with it")


def test_a_full_disk_fails_no_request_and_is_said(tmp_path: Path) -> None:
    with running(tmp_path) as gateway:
        gateway.ask(1)
        wait_until(lambda: rows(tmp_path) == 1, "the first row is written")
        # no file may grow any more, as far as SQLite is concerned
        size = (tmp_path / "r.db-wal").stat().st_size
        resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (size, -1))
        gateway.ask(50)
        wait_until(lambda: "waiting: " in gateway.log.read_text(), "the log says so")
        resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (-1, -1))
        wait_until(lambda: rows(tmp_path) == 51, "with room again all rows are written")
    assert read(tmp_path / "r.db", "PRAGMA integrity_check") == [{"integrity_check": "ok"}]
