"""The npm package `claude-max-api-proxy`, which starts a process for each request, for comparison."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.machine import Served, program

PACKAGE: Final = "claude-max-api-proxy@1.0.0"
INSTALL_SECONDS: Final = 120


@contextmanager
def running_proxy(folder: Path, env: dict[str, str], cli: Path) -> Iterator[Served | None]:
    """The server; or None, with a word, where Node or the package can't be had."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        print("  no Node on PATH: measured without the npm package")
        yield None
        return
    folder.mkdir()
    command = [npm, "install", "--prefix", str(folder), "--ignore-scripts", "--no-audit", PACKAGE]
    try:
        subprocess.run(command, check=True, timeout=INSTALL_SECONDS, capture_output=True)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"  {PACKAGE} can't be installed: measured without it ({type(error).__name__})")
        yield None
        return
    tools = folder / "tools"
    tools.mkdir()
    (tools / "claude").symlink_to(cli)
    empty = folder / "empty"
    empty.mkdir()
    main = folder / "node_modules/claude-max-api-proxy/dist/server/standalone.js"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    variables = {**env, "PATH": f"{tools}:{Path(node).parent}:{os.defpath}"}
    with program([node, str(main), str(port)], variables, empty, "Server ready") as (pid, _):
        yield Served(pid, f"http://127.0.0.1:{port}")
