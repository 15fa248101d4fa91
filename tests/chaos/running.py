"""The gateway that is put under load, with an environment made from nothing."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import httpx
import yaml

from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.process.command import find_cli
from tests.chaos.leftovers import Holdings, clis, counted, holdings, when_quiet

HERE: Final = Path(__file__).parent
LIMITS: Final[Mapping[str, Any]] = {"idle_seconds": 20, "request_seconds": 120}
CLAUDE_CODE: Final[Mapping[str, Any]] = {
    "max_processes": 6,
    "max_live": 3,
    "keep_alive": 3,
    "min_spares": 1,
    "max_spares": 2,
    "start_seconds": 15,
    "queue_seconds": 60,
    "upstream_retries": 1,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """One that runs, with its CLI's wrapper in `folder`."""

    url: str
    pid: int
    folder: Path

    @property
    def chat(self) -> str:
        """Where requests go."""
        return f"{self.url}/v1/chat/completions"

    @property
    def cli(self) -> Path:
        """The program that the gateway takes for the CLI."""
        return self.folder / "claude"

    def plan(self, *, odds: float = 0, slow: tuple[float, float] | None = None, seed: str) -> None:
        """What the wrapper does with each start from now on."""
        write_plan(self.folder, odds=odds, slow=slow, seed=seed)

    def starts(self) -> int:
        """How often the CLI has been started for requests, the gateway's own ones among them."""
        return len(list((self.folder / "starts").iterdir()))

    def clis(self) -> list[int]:
        """The CLI's processes that run."""
        return clis(self.pid)

    def counts(self) -> dict[str, int]:
        """What the gateway says of them."""
        return counted(self.url)

    def holds(self) -> Holdings:
        """What it holds now."""
        return holdings(self.url, self.pid, self.folder / "home", self.folder / "tmp")

    def when_quiet(self, start: Holdings | None = None) -> Holdings:
        """The same when all requests are over, and what they held since `start` had time to go."""
        return when_quiet(self.url, self.pid, self.folder / "home", self.folder / "tmp", start)

    def give_room(self) -> None:
        """The disk is not full any more."""
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (-1, -1))

    def log(self) -> str:
        """What the gateway has said."""
        return (self.folder / "gateway.log").read_text(encoding="utf-8", errors="replace")


def write_plan(folder: Path, *, odds: float, slow: tuple[float, float] | None, seed: str) -> None:
    """Replaced as a whole, as starts read it at any time."""
    new = folder / "plan.new"
    new.write_text(json.dumps({"odds": odds, "slow": slow, "seed": seed}), encoding="utf-8")
    new.replace(folder / "plan.json")


@contextmanager
def gateway(
    folder: Path,
    upstream: str,
    *,
    seed: str,
    odds: float = 0,
    full_disk: bool = False,
    limits: Mapping[str, Any] | None = None,
    claude_code: Mapping[str, Any] | None = None,
    **request_log: str,
) -> Iterator[Gateway]:
    """A gateway whose CLI is spoilt with such a likelihood.

    On a full disk no file of the gateway's can grow.
    """
    section = {**CLAUDE_CODE, **(claude_code or {}), "environment": _for_the_wrapper(folder)}
    config = {
        "limits": {**LIMITS, **(limits or {})},
        "plugins": {"metrics": True, "request_log": request_log, "claude_code": section},
    }
    command = _laid_out(folder, config)
    write_plan(folder, odds=odds, slow=None, seed=seed)
    if full_disk:
        command = ["prlimit", "--fsize=0:unlimited", *command]
    with subprocess.Popen(
        command,
        env=_environment(folder, upstream),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=folder,
    ) as process:
        assert process.stdout is not None
        log = folder / "gateway.log"
        log.touch()
        # a pipe, as a full disk takes no log either
        reader = threading.Thread(target=_copy, args=(process.stdout, log))
        reader.start()
        try:
            yield Gateway(url=_announced(log), pid=process.pid, folder=folder)
        finally:
            process.terminate()
            process.wait(60)
            reader.join()


def _laid_out(folder: Path, config: Mapping[str, Any]) -> list[str]:
    """The folder with all that the gateway needs; the command that starts it."""
    for name in ("home", "tmp", "plugins", "starts"):
        (folder / name).mkdir(parents=True)
    shutil.copy(HERE / "probe.py", folder / "plugins")
    wrapper = folder / "claude"
    wrapper.write_text(f"#!{sys.executable} -IS\n" + (HERE / "cli_wrapper.py").read_text("utf-8"))
    wrapper.chmod(0o755)
    path = folder / "models.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    program = str(Path(sys.executable).parent / "dragoman")
    return [program, "serve", "--port", "0", "--config", str(path)]


def end_at_sigterm() -> None:
    """What ends this process has to end the gateway as well."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def _for_the_wrapper(folder: Path) -> dict[str, str]:
    cli = find_cli(ClaudeCodeConfig(), os.environ)
    return {"CHAOS_CLI": str(cli), "CHAOS_FOLDER": str(folder)}


def _environment(folder: Path, upstream: str) -> dict[str, str]:
    return {
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "PATH": os.defpath,
        "ANTHROPIC_API_KEY": "made-up",
        "ANTHROPIC_BASE_URL": upstream,
        "DRAGOMAN_CLAUDE_COMMAND": str(folder / "claude"),
        "CHAOS_CLOCK": "1",
    }


def _copy(output: IO[bytes], log: Path) -> None:
    with log.open("ab", buffering=0) as file:
        for line in output:
            file.write(line)


def _announced(log: Path) -> str:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        text = log.read_text(encoding="utf-8")
        if "serving at " in text:
            url = text.split("serving at ")[1].split()[0]
            httpx.get(f"{url}/healthz", timeout=30)
            return url
        time.sleep(0.05)
    raise RuntimeError(f"the gateway did not start: {log.read_text(encoding='utf-8')}")
