"""Running a script of a Node client, configured as docs/clients.md says."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from tests.pages import USUAL_URL, snippet

HERE = Path(__file__).parent
NODE_MODULES = HERE / "node_modules"
SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeClient:
    """One client, with a folder of its own that is its home too and holds its configuration."""

    node: str
    script: str
    folder: Path

    def run(self, cell: str) -> Any:
        """The only line that the cell shows."""
        (line,) = self.lines(cell)
        return line

    def lines(self, cell: str) -> Iterator[Any]:
        """What the cell shows, as it comes. Fails if it ends badly or takes too long."""
        errors = self.folder / "stderr"
        with errors.open("wb") as stderr:
            process = subprocess.Popen(
                [self.node, str(HERE / f"{self.script}.mjs"), cell],
                env={
                    "HOME": str(self.folder),
                    "PATH": os.defpath,
                    "CLIENT_MODULE": str(self.folder / "client.mjs"),
                },
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=self.folder,
                start_new_session=True,  # the wheel's `node` is a script that starts the real one
            )
        timer = Timer(SECONDS, _kill, [process])
        timer.start()
        try:
            assert process.stdout is not None
            for line in process.stdout:
                yield json.loads(line)
            status = process.wait()
        finally:
            timer.cancel()
            _kill(process)
            with process:  # closes the pipe, and waits
                pass
        if status != 0:
            pytest.fail(f"{self.script} {cell}: {status}\n{errors.read_text(encoding='utf-8')}")


def _kill(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def configured(client: str, url: str, folder: Path) -> None:
    """Make `client.mjs` in the folder: the documented configuration, with the gateway's address."""
    documented = snippet(client)
    assert USUAL_URL in documented
    module = documented.replace(USUAL_URL, url)
    (folder / "client.mjs").write_text(module, encoding="utf-8")
    (folder / "node_modules").symlink_to(NODE_MODULES)
