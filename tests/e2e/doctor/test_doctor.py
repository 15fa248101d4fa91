"""The installed CLI does what Dragoman relies on, in the words of `dragoman doctor`."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import StartGateway

pytestmark = pytest.mark.e2e


def test_everything_holds(cli_command: str, tmp_path: Path) -> None:
    config = tmp_path / "models.yaml"
    config.write_text("server: {port: 0}", encoding="utf-8")
    done = subprocess.run(
        [Path(sys.executable).parent / "dragoman", "doctor", "--json", "--config", config],
        env={
            "HOME": str(tmp_path),
            "PATH": os.environ["PATH"],  # where the CLI is a script, its interpreter is there
            "ANTHROPIC_API_KEY": "made-up",
            "DRAGOMAN_CLAUDE_COMMAND": cli_command,
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    report = json.loads(done.stdout)
    assert [finding for finding in report["findings"] if finding["verdict"] != "holds"] == []
    assert (done.returncode, done.stderr) == (0, "")


def test_the_gateway_tries_the_cli_out_once(start_gateway: StartGateway) -> None:
    gateway = start_gateway(config={"plugins": {"claude_code": {"check_cli": True}}})
    end = time.monotonic() + 40
    while (
        not (health := httpx.get(f"{gateway.url}/health").json()["claude_code"])
        .get("cli_check", {})
        .get("checked")
    ):
        assert time.monotonic() < end, health
        time.sleep(0.1)
    assert (health["status"], health["cli_check"]["differs"]) == ("ok", [])
    assert gateway.upstream.requests == []
    file = gateway.home / ".local" / "state" / "dragoman" / "cli-checks.json"
    assert len(json.loads(file.read_text(encoding="utf-8"))["entries"]) == 1
