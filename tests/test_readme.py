"""README.md is a first page, and whatever it shows to be typed or pasted works, in order.

What `make run` starts is started here, in an empty home: so it serves the stand-in. Everything
else on the page is then done with that gateway.
"""

import json
import os
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.pages import BLOCK, README, ROOT, USUAL_URL, blocks

TEXT: Final = README.read_text(encoding="utf-8")
COMMAND: Final = ".venv/bin/dragoman "
SECONDS: Final = 60
CLONE: Final = "git clone URL dragoman && cd dragoman"
ELSEWHERE: Final = {
    CLONE: "URL is a placeholder; test_a_clone_can_be_run puts an address in",
    "make test": "it is what runs this",
    f"{COMMAND}login": "tests/claude_code/test_login_command.py has a CLI to log in",
}
"""Commands that are not run here, with what runs them."""

LINES: Final = [
    re.sub(r"\s+#.*", "", line)
    for block in blocks(README, "sh")
    for line in block.replace("\\\n", " ").splitlines()
]


@dataclass(frozen=True, slots=True)
class FirstMinute:
    """A gateway that `make run` started. `url` has no path; `home` was empty before."""

    url: str
    home: Path

    def shell(self, line: str) -> str:
        """What a command of the page prints, run in the checkout as it is typed there."""
        line = line.replace(USUAL_URL, self.url).replace(COMMAND, f"{_installed()} ")
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            env=environment(self.home),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout


def _installed() -> str:
    return str(Path(sys.executable).with_name("dragoman"))


def environment(home: Path) -> dict[str, str]:
    """Nothing of the user's but the way to programs."""
    kept = {name: os.environ[name] for name in os.environ if name.startswith("COV")}
    return {"HOME": str(home), "PATH": os.environ["PATH"], **kept}


def recipe() -> str:
    """What `make run` runs once `.venv` is up to date, on a port of the system's choice."""
    said = subprocess.run(
        ["make", "--no-print-directory", "-n", "run", "ARGS=--port 0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    builds, *serves = said.stdout.splitlines()
    assert builds == "sh scripts/bootstrap run cli"
    return "\n".join(serves)


@pytest.fixture(scope="module")
def first_minute(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirstMinute]:
    folder = tmp_path_factory.mktemp("first-minute")
    home, log = folder / "home", folder / "log"
    home.mkdir()
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["/bin/sh", "-c", recipe()],
            env=environment(home),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            yield FirstMinute(_announced(log, process), home)
        finally:
            process.terminate()
            process.wait(SECONDS)


def _announced(log: Path, process: "subprocess.Popen[bytes]") -> str:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and process.poll() is None:
        if found := re.search(r"serving at (http://127\.\S+:\d+)", log.read_text("utf-8")):
            return found[1]
        time.sleep(0.02)
    pytest.fail(f"`make run` did not serve:\n{log.read_text('utf-8')}")


def test_it_is_one_page() -> None:
    assert len(TEXT.splitlines()) <= 120
    assert len(TEXT.split()) <= 900


def test_the_picture_is_a_text_that_can_be_read_aloud() -> None:
    [picture] = re.findall(r"!\[.{40,}\]\((docs/\w+\.svg)\)", TEXT)
    svg = (ROOT / picture).read_text(encoding="utf-8")
    assert '<svg xmlns="http://www.w3.org/2000/svg"' in svg
    assert 'role="img"' in svg
    assert all(f"<{part}" in svg for part in ("title", "desc"))
    assert "prefers-color-scheme: dark" in svg


def test_every_snippet_is_of_a_kind_that_is_tried_below() -> None:
    assert {found["language"] for found in BLOCK.finditer(TEXT)} == {"sh", "json", "python"}
    assert len(LINES) == len(set(LINES))
    assert set(ELSEWHERE) < set(LINES)


@pytest.mark.e2e
@pytest.mark.parametrize("line", [line for line in LINES if line not in ELSEWHERE])
def test_a_command_works_as_it_is_typed(line: str, first_minute: FirstMinute) -> None:
    if line == "make run":
        assert first_minute.url
    elif line.startswith("curl "):
        [shown] = blocks(README, "json")
        answer = json.loads(first_minute.shell(line))
        assert_has(answer, json.loads(shown))
        [beginning] = re.findall(r"`(\(offline\) [^`]+)`", TEXT)
        assert answer["choices"][0]["message"]["content"].startswith(beginning)
    elif "connect curl | sh" in line:
        assert '"content":"(offline)' in first_minute.shell(line)
    elif line.endswith("connect codex --write"):
        first_minute.shell(line)
        written = first_minute.home / ".codex/config.toml"
        assert "dragoman" in tomllib.loads(written.read_text(encoding="utf-8"))["model_providers"]
    else:
        assert line == f"{COMMAND}connect --help"
        assert "openai-python" in first_minute.shell(line)


@pytest.mark.e2e
def test_a_clone_can_be_run(tmp_path: Path) -> None:
    """Only the placeholder is replaced, by a repository with the Makefile of this one."""
    origin = tmp_path / "origin"
    origin.mkdir()
    (origin / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    (tmp_path / "home").mkdir()
    [line] = [line for line in LINES if line.startswith("git ")]
    done = subprocess.run(
        [
            "/bin/sh",
            "-euc",
            "git init -q origin && git -C origin add Makefile\n"
            "git -C origin -c user.name=A -c user.email=a@localhost commit -qm Begin\n"
            f"{line.replace('URL', str(origin))}\n"
            "make --no-print-directory -n run",
        ],
        env=environment(tmp_path / "home"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("sh scripts/bootstrap run cli")


def test_what_a_newcomer_pastes_first_is_no_more_than_that() -> None:
    """What stays, and what downloads the clients, are not in the way of anything after them."""
    alone = [re.sub(r"\s+#.*", "", block).strip() for block in blocks(README, "sh")]
    assert {CLONE, "make run", "make test"} < set(alone)


def assert_has(answer: Any, shown: Any) -> None:
    """The answer has at least the fields that the page shows, and of the same types."""
    assert type(answer) is type(shown)
    if isinstance(shown, dict):
        for key, value in shown.items():
            assert_has(answer[key], value)
    elif isinstance(shown, list):
        assert len(answer) == len(shown)
        for one, other in zip(answer, shown, strict=True):
            assert_has(one, other)
    elif shown in ("chat.completion", "assistant", "stop", "claude-sonnet-4"):
        assert answer == shown


@pytest.mark.e2e
def test_the_program_answers(first_minute: FirstMinute, capsys: pytest.CaptureFixture[str]) -> None:
    [code] = blocks(README, "python")
    names: dict[str, Any] = {}
    exec(compile(code.replace(USUAL_URL, first_minute.url), "README.md", "exec"), names)
    names["client"].close()
    assert "Why is the sky blue?" in capsys.readouterr().out
