"""A `dragoman serve` of its own for a test, answered by `echo`, and raw sockets to talk to it."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

MODELS = {
    "echo": {"backend": "echo"},
    "pieces": {"backend": "echo", "options": {"chunks": 200}},
    "slow": {"backend": "echo", "options": {"chunks": 10, "delay": 0.1}},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A gateway that runs; `log` is the file that it logs to, `home` its home."""

    port: int
    pid: int
    log: Path
    home: Path

    def connect(self, receive_buffer: int | None = None) -> socket.socket:
        """A new connection; one with a small buffer notices early what nobody reads."""
        connection = socket.socket()
        if receive_buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(10)
        connection.connect(("127.0.0.1", self.port))
        return connection

    def exchange(self, *pieces: bytes) -> "Answer":
        """Send the pieces one after the other, and read until the gateway closes."""
        with self.connect() as connection:
            for piece in pieces:
                connection.sendall(piece)
            return Answer.read(connection)

    def ask(self, body: Mapping[str, object] | bytes, *headers: str) -> "Answer":
        """Post a chat completion."""
        return self.exchange(post(body, *headers))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came until the end of a connection; `status` is None if nothing came."""

    raw: bytes

    @classmethod
    def read(cls, connection: socket.socket) -> "Answer":
        """Read to the end, be it a good one or not."""
        raw = bytearray()
        try:
            while piece := connection.recv(65536):
                raw += piece
        except ConnectionResetError:
            pass
        return cls(raw=bytes(raw))

    @property
    def status(self) -> int | None:
        """The status of the first answer."""
        return int(self.raw.split(b" ", 2)[1]) if self.raw else None

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the first answer."""
        head = self.raw.split(b"\r\n\r\n", 1)[0].decode("latin-1")
        pairs = (line.split(": ", 1) for line in head.split("\r\n")[1:])
        return {name.lower(): value for name, value in pairs}

    @property
    def body(self) -> bytes:
        """All after the first answer's headers."""
        return self.raw.split(b"\r\n\r\n", 1)[1]

    @property
    def error(self) -> dict[str, Any]:
        """The error, which has to have all four keys."""
        error: dict[str, Any] = json.loads(self.body)["error"]
        assert set(error) == {"message", "type", "param", "code"}
        return error


def head(
    method: str = "POST", path: str = "/v1/chat/completions", headers: Sequence[str] = ()
) -> bytes:
    """The request line and headers, and a request to close the connection."""
    lines = [f"{method} {path} HTTP/1.1", "host: localhost", "connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def post(body: Mapping[str, object] | bytes, *headers: str) -> bytes:
    """A whole request for a chat completion."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    length = f"content-length: {len(content)}"
    return head(headers=["content-type: application/json", length, *headers]) + content


def chat(text: str = "Hi", model: str = "echo", **fields: object) -> dict[str, object]:
    """The body of a request for a chat completion."""
    return {"model": model, "messages": [{"role": "user", "content": text}], **fields}


@contextmanager
def served(
    folder: Path,
    config: Mapping[str, object] | None = None,
    *options: str,
    environment: Mapping[str, str] | None = None,
    disabled: Sequence[str] = ("claude_code",),
) -> Iterator[Served]:
    """Run the command until the end of the context."""
    home = folder / "home"
    home.mkdir()
    path = folder / "models.yaml"
    path.write_text(yaml.safe_dump({"models": MODELS, **(config or {})}), encoding="utf-8")
    log = folder / "gateway.log"
    command = [str(Path(sys.executable).parent / "dragoman"), "serve", "--port", "0"]
    for name in disabled:
        command += ["--disable", name]
    coverage = {name: value for name, value in os.environ.items() if name.startswith("COV")}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--config", str(path), *options],
            env={"HOME": str(home), "PATH": os.defpath, **coverage, **(environment or {})},
            stdout=output,
            stderr=output,
            cwd=folder,
        )
        try:
            port = _port(log, process)
            yield Served(port=port, pid=process.pid, log=log, home=home)
        finally:
            process.terminate()
            process.wait(30)


def _port(log: Path, process: "subprocess.Popen[bytes]") -> int:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        if found := re.search(r"serving at http://[^\s:]+:(\d+)", log.read_text(encoding="utf-8")):
            return int(found[1])
        time.sleep(0.02)
    pytest.fail(f"the gateway did not start:\n{log.read_text(encoding='utf-8')}")
