"""`python -m bench.stalls`: the longest stall of the event loop, over all kinds of bodies.

Each kind of body is sent to a gateway with 1 MB and with as much as the limits allow, to the
backend `echo` and, where it gets that far, to the CLI on a stand-in for the model's API. All the
while another client asks something trivial again and again, and the gateway watches its own loop.
"""

import argparse
import os
import platform
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import product
from pathlib import Path
from typing import Final

from bench import cases
from bench.load import address, request_bytes
from bench.machine import environment, gateway, get
from bench.stall_bodies import all_kinds
from bench.stall_parts import MEGABYTE, Answerer, Kind
from bench.stall_report import Stall, missed, page
from gateway.config.settings import LimitsConfig
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.process.command import find_cli
from gateway_claude_code.upstream import Answer, MessagesRequest, running_upstream, text_answer

INTO: Final = Path(__file__).parent / "stalls.md"
WATCH: Final = Path(__file__).parent / "stall_watch.py"
MODELS: Final[dict[Answerer, str]] = {"echo": "echo", "cli": cases.MODEL}
PATIENCE: Final[dict[Answerer, float]] = {"echo": 30, "cli": 3}
"""Seconds. What the gateway does with a body it does before the CLI answers: its answer is not
waited for any longer."""
REST: Final = 0.06
EVERY: Final = 0.004
TRIVIAL: Final = b'{"model":"echo","messages":[{"role":"user","content":"Hi"}]}'


def main() -> None:
    arguments = _arguments()
    wanted = [kind for kind in all_kinds() if arguments.only in kind.name]
    load = os.getloadavg()[0]
    with (
        tempfile.TemporaryDirectory(prefix="dragoman-stalls-") as name,
        _serving(Path(name)) as url,
    ):
        stalls = list(_measured(url, wanted, arguments))
    head = f"{platform.system()}, Python {platform.python_version()}, {os.cpu_count()} cores; "
    head += f"load {load:.1f} before and {os.getloadavg()[0]:.1f} after; "
    head += f"median of {arguments.rounds}." if arguments.rounds > 1 else "one try of each."
    text = page(head, stalls)
    print(text)
    if not arguments.only:
        arguments.into.write_text(text, encoding="utf-8")
    late = missed(stalls)
    print(f"{len(late)} failed, {len(stalls) - len(late)} passed")
    sys.exit(bool(late))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make stalls", description=__doc__)
    parser.add_argument("--only", default="", help="kinds with this in their names; writes nothing")
    parser.add_argument("--rounds", type=int, default=1, help="how often each body is sent")
    parser.add_argument("--backend", choices=MODELS, help="only this one; both by default")
    parser.add_argument("--into", type=Path, default=INTO, help="the file for the table")
    return parser.parse_args()


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    """A gateway with both backends, and the plugin that watches more closely."""
    home = folder / "home"
    home.mkdir()
    cli = find_cli(ClaudeCodeConfig(), os.environ)
    config = {
        "models": {
            "echo": {"backend": "echo"},
            cases.MODEL: {"backend": "claude-code", "target": "sonnet"},
        },
        "plugins": {"claude_code": {"check_cli": False}},
    }
    with running_upstream(_answered, record=False) as upstream:
        env = environment(home, upstream.url, cli)
        code = {"plugins/stall_watch.py": WATCH.read_text(encoding="utf-8")}
        with gateway(folder / "gateway", env, config, code) as (_, url):
            yield url


def _answered(_: MessagesRequest) -> Answer:
    return text_answer("Hello.")


def _measured(url: str, kinds: Sequence[Kind], arguments: argparse.Namespace) -> Iterator[Stall]:
    sizes = {"1 MB": MEGABYTE, "limit": LimitsConfig().body_bytes}
    with OtherClient(url) as other:
        for kind, (size_name, size), backend in product(kinds, sizes.items(), MODELS):
            if arguments.backend in (None, backend) and (kind.cli or backend == "echo"):
                request = request_bytes(url, kind.body(size, MODELS[backend]))
                tries = [
                    _try(url, request, PATIENCE[backend], other) for _ in range(arguments.rounds)
                ]
                waited, loop, work = (
                    statistics.median(each) for each in zip(*(t[:3] for t in tries), strict=True)
                )
                stall = Stall(
                    kind.name, size_name, backend, len(request), waited, loop, work, tries[0][3],
                    busy=os.getloadavg()[0] > (os.cpu_count() or 1),
                )  # fmt: skip
                print(stall.line(), flush=True)
                yield stall


def _try(
    url: str, request: bytes, patience: float, other: "OtherClient"
) -> tuple[float, float, float, str]:
    """Milliseconds that the other client waited, that the loop stalled, and of its own work."""
    get(f"{url}/stall")
    other.longest = 0.0
    status = _send(url, request, patience)
    time.sleep(REST)
    seen = get(f"{url}/stall")
    return other.longest * 1000, seen["stall"] * 1000, seen["work"] * 1000, status


def _send(url: str, request: bytes, patience: float) -> str:
    """Send a body and read the answer; its status, or "-" if it did not come in time."""
    answer = b""
    end = time.monotonic() + patience
    with socket.create_connection(address(url), timeout=patience) as connection:
        with suppress(OSError):  # refused before all of it was sent
            connection.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        with suppress(OSError):
            while received := connection.recv(1 << 20):
                answer = answer[:20] or received[:20]
                connection.settimeout(max(end - time.monotonic(), 0.01))
    return answer[9:12].decode() or "-"


class OtherClient:
    """Asks something trivial every few milliseconds; `longest` is the most that an answer took."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._request = request_bytes(url, TRIVIAL)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self.longest = 0.0

    def __enter__(self) -> "OtherClient":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._over.is_set():
            with socket.create_connection(address(self._url)) as connection, suppress(OSError):
                while not self._over.wait(EVERY):
                    began = time.perf_counter()
                    try:
                        self._ask_once(connection)
                    finally:
                        self.longest = max(self.longest, time.perf_counter() - began)

    def _ask_once(self, connection: socket.socket) -> None:
        """Raises `ConnectionError` when the connection was closed: it was kept for too long."""
        connection.sendall(self._request)
        answer = b""
        while not answer.endswith(b"}"):
            if not (received := connection.recv(1 << 16)):
                raise ConnectionError
            answer += received


if __name__ == "__main__":
    main()
