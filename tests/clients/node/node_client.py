"""Running a script of a Node client, configured as the README says."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
NODE_MODULES = HERE / "node_modules"
README_URL = "http://127.0.0.1:3456"
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
    """Make `client.mjs` in the folder: the README's configuration, with the gateway's address."""
    snippet = readme_snippet(client)
    assert README_URL in snippet
    module = snippet.replace(README_URL, url)
    (folder / "client.mjs").write_text(module, encoding="utf-8")
    (folder / "node_modules").symlink_to(NODE_MODULES)


def readme_snippet(client: str) -> str:
    """The code block after the comment `client: NAME` in the README."""
    marker = re.escape(f"<!-- client: {client} -->")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"{marker}\s*```js\n(.*?)```", text, re.DOTALL)
    assert found, f"the README has no configuration of {client}"
    return found[1]
