"""Running the command `dragoman serve` for a test, and looking at it from outside."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml
from openai import OpenAI

from gateway_claude_code.facts.asked import AskedModel
from gateway_claude_code.facts.documented import FAMILIES, documented
from gateway_claude_code.knowledge.remembered_models import RememberedModels
from gateway_claude_code.process.launch import program_at
from gateway_claude_code.upstream import Upstream

A_PROCESS_A_REQUEST: Mapping[str, object] = {
    "plugins": {"claude_code": {"max_spares": 0, "max_live": 0}},
    "server": {"drain_seconds": 10},
}
"""A configuration in which no process waits, so that one that is left over shows."""

MODELS_OF_THE_CLI: Final = [
    AskedModel(value=short, model=model, efforts=documented(model).facts.efforts)
    for short, model in FAMILIES.items()
]

UNCHECKED: Mapping[str, object] = {"check_cli": False}
"""The gateway's look at the CLI has processes of its own, which would be counted with the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningGateway:
    """A `dragoman serve` of its own, with nothing of the user's in its environment.

    `client` is the official one, without retries of its own.
    """

    url: str
    pid: int
    home: Path
    upstream: Upstream
    client: OpenAI

    def processes(self) -> list[int]:
        """The CLI processes that run: the gateway's children, but for its own helpers."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii")
        return [int(pid) for pid in children.split() if not _is_own(int(pid))]

    def wait_until_at_rest(self, seconds: float = 10) -> None:
        """No process is at work any more, after at most `seconds`."""
        end = time.monotonic() + seconds
        while (state := self._state())["processes"]["busy"]:
            assert time.monotonic() < end, f"a process is still at work: {state}"
            time.sleep(0.02)

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = httpx.get(f"{self.url}/health").json()["claude_code"]
        return state

    def wait_until_idle(self, seconds: float = 3) -> list[int]:
        """The processes that are left after at most `seconds`."""
        end = time.monotonic() + seconds
        while (left := self.processes()) and time.monotonic() < end:
            time.sleep(0.05)
        return left


@contextmanager
def running_gateway(
    folder: Path,
    upstream: Upstream,
    config: Mapping[str, object],
    environment: dict[str, str],
    options: Sequence[str] = (),
) -> Iterator[RunningGateway]:
    """Run the command until the end of the context. `environment` goes over the usual one."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    _remember_models(home, environment)
    path = folder / "models.yaml"
    path.write_text(yaml.safe_dump(_unchecked(config)), encoding="utf-8")
    log = folder / "gateway.log"
    usual = {
        "HOME": str(home),
        "PATH": os.defpath,
        "ANTHROPIC_API_KEY": "made-up",
        "ANTHROPIC_BASE_URL": upstream.url,
    }
    command = [str(Path(sys.executable).parent / "dragoman"), "serve"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--config", str(path), "--port", "0", *options],
            env={**usual, **environment},
            stdout=output,
            stderr=output,
            cwd=folder,
        )
        try:
            url = _announced(log, process)
            with OpenAI(
                base_url=f"{url}/v1", api_key="unused", max_retries=0, timeout=60
            ) as client:
                yield RunningGateway(
                    url=url, pid=process.pid, home=home, upstream=upstream, client=client
                )
        finally:
            process.terminate()
            process.wait(30)


def _remember_models(home: Path, environment: Mapping[str, str]) -> None:
    """As if this CLI had been asked for its models at an earlier start: it saves a process."""
    if named := environment.get("DRAGOMAN_CLAUDE_COMMAND"):
        remembered = RememberedModels.of_user({"HOME": str(home)})
        for login in ("api_key", "oauth_token", "claude.ai"):
            remembered.keep(program_at(Path(named).absolute()), login, MODELS_OF_THE_CLI)


def _is_own(pid: int) -> bool:
    """Whether it is the guardian, or the process that checks involved schemas."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"guardian.py" in command or b"anyio.to_process" in command


def _unchecked(config: Mapping[str, object]) -> dict[str, object]:
    """The configuration without the look at the CLI, unless it asks for one."""
    plugins = config.get("plugins") or {}
    section = plugins.get("claude_code", {}) if isinstance(plugins, dict) else None
    if not isinstance(section, dict):
        return dict(config)
    return {**config, "plugins": {**plugins, "claude_code": {**UNCHECKED, **section}}}


def _announced(log: Path, process: "subprocess.Popen[bytes]") -> str:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        if found := re.search(r"serving at (http://\S+)", log.read_text(encoding="utf-8")):
            httpx.get(f"{found[1]}/healthz", timeout=30)
            return found[1]
        time.sleep(0.02)
    pytest.fail(f"the gateway did not start:\n{log.read_text(encoding='utf-8')}")
