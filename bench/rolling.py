"""`python -m bench.rolling`: three gateways behind HAProxy, restarted one after the other.

Clients ask all the while, plainly and streamed, and nobody tries anything again: neither they nor
HAProxy, whose retries are off. A gateway that is told to stop first says at `/readyz` that it is
leaving, and serves for `server.leave_seconds` more; so none of the requests may fail.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from bench.machine import PATIENCE, environment

HOW_TO_GET_IT: Final = (
    "make rolling needs HAProxy 2.2 or newer on the PATH: `apt install haproxy`, `dnf install "
    "haproxy` or `brew install haproxy`."
)
NODES: Final = 3
LEAVE_SECONDS: Final = 2.0
CLIENTS: Final = 8
PAUSE: Final = 0.25
"""Seconds between two requests of a client: about 300 in the time that three restarts take."""

CONFIGURATION: Final = """\
global
  maxconn 1000
defaults
  mode http
  retries 0
  timeout connect 2s
  timeout client 60s
  timeout server 60s
frontend clients
  bind 127.0.0.1:{front}
  default_backend gateways
backend gateways
  balance roundrobin
  option httpchk
  http-check send meth GET uri /readyz hdr Host 127.0.0.1
  http-check expect status 200
  # idle connections go before the gateways close them (limits.keep_alive_seconds, 5)
  default-server check inter 300ms fastinter 100ms fall 2 rise 1 pool-purge-delay 2s
{servers}
"""


def main() -> None:
    arguments = _arguments()
    haproxy = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if haproxy is None:
        sys.exit(HOW_TO_GET_IT)
    with tempfile.TemporaryDirectory(prefix="dragoman-rolling-") as name, ExitStack() as stack:
        folder = Path(name)
        leave = arguments.leave_seconds
        nodes = [Node(folder / f"node-{n}", _free_port(), leave) for n in range(NODES)]
        for node in nodes:
            stack.callback(node.kill)
            node.start()
        front = stack.enter_context(_balancer(haproxy, folder, [node.port for node in nodes]))
        tally = asyncio.run(_rolled(nodes, f"http://127.0.0.1:{front}", arguments.requests))
    print(
        f"{tally.asked} requests, {tally.streamed} of them streamed, while {NODES} gateways were "
        f"restarted in {tally.seconds:.0f} s: {len(tally.failures)} failed"
    )
    for failure in tally.failures[:10]:
        print(f"PROBLEM: {failure}")
    print("1 failed, 0 passed" if tally.failures else "1 passed, 0 failed")
    sys.exit(bool(tally.failures))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make rolling", description=__doc__)
    parser.add_argument("--requests", type=int, default=300, help="at least so many")
    parser.add_argument(
        "--leave-seconds",
        type=float,
        default=LEAVE_SECONDS,
        help="server.leave_seconds of the gateways; with 0, requests do fail",
    )
    return parser.parse_args()


class Node:
    """A gateway at a port of its own, which it gets again after each restart."""

    def __init__(self, folder: Path, port: int, leave_seconds: float) -> None:
        self.port = port
        self._folder = folder
        folder.mkdir()
        config = {
            "server": {"port": port, "leave_seconds": leave_seconds},
            "models": {
                "plain": {"backend": "echo"},
                "slow": {"backend": "echo", "options": {"chunks": 8, "delay": 0.1}},
            },
            "plugins": {"claude_code": False},
        }
        (folder / "models.yaml").write_text(json.dumps(config), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        command = [str(Path(sys.executable).parent / "dragoman"), "serve"]
        command += ["--config", str(self._folder / "models.yaml")]
        env = environment(self._folder, "http://127.0.0.1:9", Path("/nowhere"))
        with (self._folder / "output.log").open("ab") as output:
            self._process = subprocess.Popen(
                command, env=env, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output,
            )  # fmt: skip
        end = time.monotonic() + PATIENCE
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError((self._folder / "output.log").read_text("utf-8")[-800:])
            time.sleep(0.05)

    def restart(self) -> None:
        """End it as a service manager does, and start it again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(PATIENCE)
        self.start()

    def kill(self) -> None:
        """End it at once, if it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False


@contextmanager
def _balancer(haproxy: str, folder: Path, ports: list[int]) -> Iterator[int]:
    """HAProxy in front of the gateways; gives its port."""
    front = _free_port()
    servers = "\n".join(
        f"  server node{number} 127.0.0.1:{port}" for number, port in enumerate(ports)
    )
    path = folder / "haproxy.cfg"
    path.write_text(CONFIGURATION.format(front=front, servers=servers), encoding="utf-8")
    process = subprocess.Popen([haproxy, "-db", "-f", str(path)])
    try:
        end = time.monotonic() + PATIENCE
        while not _listens(front):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("HAProxy did not start")
            time.sleep(0.05)
        yield front
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


class Tally:
    """How many requests there were, and what went wrong."""

    def __init__(self) -> None:
        self.asked = self.streamed = 0
        self.seconds = 0.0
        self.failures: list[str] = []


async def _rolled(nodes: list[Node], url: str, least: int) -> Tally:
    tally, over = Tally(), asyncio.Event()

    async def client(number: int) -> None:
        async with httpx.AsyncClient(timeout=PATIENCE) as http:
            while not over.is_set() or tally.asked < least:
                tally.asked += 1
                said = f"request {tally.asked}"
                try:
                    await (_streamed if tally.asked % 2 else _plain)(http, url, said, tally)
                except (httpx.TransportError, ValueError, AssertionError) as error:
                    tally.failures.append(f"{said}: {type(error).__name__}: {error}")
                await asyncio.sleep(PAUSE * (1 + number / CLIENTS) / 1.5)

    clients = [asyncio.create_task(client(number)) for number in range(CLIENTS)]
    began = time.monotonic()
    await asyncio.sleep(1)
    for node in nodes:
        await asyncio.to_thread(node.restart)
        await asyncio.sleep(1)  # HAProxy sends it requests again
    tally.seconds = time.monotonic() - began
    over.set()
    await asyncio.gather(*clients)
    return tally


async def _plain(http: httpx.AsyncClient, url: str, said: str, _: Tally) -> None:
    answer = await http.post(f"{url}/v1/chat/completions", json=_body("plain", said))
    _check(answer.status_code, answer.json().get("choices", [{}])[0].get("message"), said)


async def _streamed(http: httpx.AsyncClient, url: str, said: str, tally: Tally) -> None:
    tally.streamed += 1
    body = _body("slow", said) | {"stream": True}
    async with http.stream("POST", f"{url}/v1/chat/completions", json=body) as answer:
        lines = [line async for line in answer.aiter_lines() if line.startswith("data: ")]
    if not lines or lines.pop() != "data: [DONE]":
        raise ValueError(f"HTTP {answer.status_code}, and the stream has no end")
    deltas = [json.loads(line[6:])["choices"] for line in lines]
    text = "".join(each[0]["delta"].get("content") or "" for each in deltas if each)
    _check(answer.status_code, {"content": text}, said)


def _body(model: str, said: str) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": said}]}


def _check(status: int, message: dict[str, Any] | None, said: str) -> None:
    """Raises `ValueError` for an answer that is not the right one."""
    if status != httpx.codes.OK or message is None or message.get("content") != said:
        raise ValueError(f"HTTP {status}: {message}")


if __name__ == "__main__":
    main()
