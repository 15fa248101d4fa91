"""The gateway that is put under load, with an environment made from nothing."""

import copy
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from gateway_claude_code.command import find_cli
from gateway_claude_code.config import ClaudeCodeConfig

HERE = Path(__file__).parent
CONFIG: dict[str, Any] = {
    "limits": {"idle_seconds": 4, "request_seconds": 20},
    "plugins": {
        "metrics": True,
        "request_log": {},
        "claude_code": {
            "max_processes": 10,
            "max_live": 4,
            "keep_alive": 3,
            "min_spares": 1,
            "max_spares": 2,
            "start_seconds": 6,
            "queue_seconds": 15,
            "upstream_retries": 1,
        },
    },
}


@contextmanager
def gateway(
    folder: Path, upstream: str, odds: float, **request_log: str
) -> Iterator[tuple[str, int]]:
    """A gateway whose CLI is spoilt with such a likelihood; its URL and its process."""
    for name in ("home", "tmp", "plugins"):
        (folder / name).mkdir()
    shutil.copy(HERE / "probe.py", folder / "plugins")
    wrapper = folder / "claude"
    wrapper.write_text(f"#!{sys.executable}\n" + (HERE / "cli_wrapper.py").read_text("utf-8"))
    wrapper.chmod(0o755)
    environment = {
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "PATH": os.defpath,
        "ANTHROPIC_API_KEY": "made-up",
        "ANTHROPIC_BASE_URL": upstream,
        "DRAGOMAN_CLAUDE_COMMAND": str(wrapper),
        "CHAOS_CLOCK": "1",
    }
    config = copy.deepcopy(CONFIG)
    config["plugins"]["request_log"].update(request_log)
    config["plugins"]["claude_code"]["environment"] = {
        "CHAOS_CLI": str(find_cli(ClaudeCodeConfig(), os.environ)),
        "CHAOS_ODDS": str(odds),
    }
    (folder / "models.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [str(Path(sys.executable).parent / "dragoman"), "serve", "--port", "0"]
    # what ends this process has to end the gateway as well
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    log = folder / "gateway.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--config", str(folder / "models.yaml")],
            env=environment, stdout=output, stderr=output, cwd=folder,
        )  # fmt: skip
    try:
        yield _announced(log), process.pid
    finally:
        process.terminate()
        process.wait(60)


def _announced(log: Path) -> str:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        text = log.read_text(encoding="utf-8")
        if "serving at " in text:
            url = text.split("serving at ")[1].split()[0]
            httpx.get(f"{url}/healthz", timeout=30)
            return url
        time.sleep(0.05)
    raise RuntimeError(f"the gateway did not start: {log.read_text(encoding='utf-8')}")
