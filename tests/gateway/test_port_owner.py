"""Who has a port."""

import http.server
import json
import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway import port_owner
from gateway.port_owner import Owner, owner_of, taken_by

ROW = "  0: 0100007F:{port:04X} 00000000:0000 {state} 0:0 00:0 0 0 0 {inode} 1 0\n"


def proc(
    folder: Path, *, state: str = "0A", command: str = "python3\0-m\0x", port: int = 80
) -> Path:
    (folder / "net").mkdir(parents=True)
    (folder / "net/tcp").write_text("head\n" + ROW.format(port=port, state=state, inode=77))
    for pid, inode in ((1, 5), (42, 77)):
        (folder / f"{pid}/fd").mkdir(parents=True)
        (folder / f"{pid}/fd/3").symlink_to(f"socket:[{inode}]")
        (folder / f"{pid}/cmdline").write_text(command)
        (folder / f"{pid}/comm").write_text("python3\n")
    return folder


@pytest.mark.parametrize(
    ("changes", "owner"),
    [
        ({}, Owner(pid=42, name="python3")),
        (
            {"command": "py\0/x/bin/dragoman\0serve"},
            Owner(pid=42, name="python3", is_dragoman=True),
        ),
        ({"state": "01"}, None),
        ({"port": 81}, None),
    ],
)
def test_linux_tells_by_proc(tmp_path: Path, changes: dict[str, Any], owner: Owner | None) -> None:
    assert port_owner._by_proc(80, proc(tmp_path, **changes)) == owner


@pytest.mark.parametrize(
    ("said", "owner"),
    [("p42\ncControlCe\n", Owner(pid=42, name="ControlCe")), ("", None)],
)
def test_macos_tells_by_lsof(
    said: str, owner: Owner | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: "/usr/sbin/lsof")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(stdout=said))
    assert port_owner._by_lsof(80) == owner


def test_without_lsof_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert port_owner._by_lsof(80) is None


def test_this_process_is_found_on_linux() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        owner = owner_of(listener.getsockname()[1])
    assert owner is None or owner.pid == os.getpid()


@pytest.mark.parametrize(
    ("owner", "version", "said"),
    [
        (None, None, "another program has it"),
        (Owner(pid=4, name="nginx"), None, "nginx (process 4) has it"),
        (
            Owner(pid=4, name="python3", is_dragoman=True),
            None,
            "a dragoman (process 4) is running there already",
        ),
        (Owner(pid=4, name="x"), "1.2", "dragoman 1.2 (process 4) is running there already"),
        (None, "1.2", "dragoman 1.2 is running there already"),
    ],
)
def test_the_message(
    owner: Owner | None, version: str | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(port_owner, "owner_of", lambda _: owner)
    monkeypatch.setattr(port_owner, "dragoman_at", lambda *_: version)
    assert taken_by("127.0.0.1", 80) == said


@pytest.mark.parametrize(
    ("health", "version"),
    [
        ({"version": "1.2", "offline": False}, "1.2"),
        ({"status": "ok"}, None),
        ([], None),
    ],
)
def test_a_dragoman_tells_its_version(health: object, version: str | None) -> None:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(health).encode())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert port_owner.dragoman_at("0.0.0.0", server.server_port) == version
        thread.join()
