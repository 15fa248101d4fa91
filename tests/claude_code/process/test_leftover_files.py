"""What a killed CLI leaves behind is removed, and nothing else."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway_claude_code.process import working_directory
from gateway_claude_code.process.leftover_files import (
    PROBE_SECONDS,
    leftovers_of,
    remove_leftovers,
    remove_logs,
    remove_probes,
)
from gateway_claude_code.process.process import CliProcess


@pytest.fixture
def dead() -> int:
    """The id of a process that there is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def a_log_of(work: Path, home: Path) -> str:
    """The log of the tools of a CLI that runs in `work`, which is made."""
    work.mkdir(parents=True)
    folder = re.sub("[^a-zA-Z0-9]", "-", os.path.realpath(work))
    log = f".cache/claude-cli-nodejs/{folder}/mcp-logs-t/1.jsonl"
    fill(home, log)
    return log


def fill(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.mark.parametrize("configured", [False, True])
def test_a_dead_process_s_files_go(tmp_path: Path, dead: int, *, configured: bool) -> None:
    others = ["work/notes", f"tmp/cc-socks/1{dead}.sock"]
    others += [f"home/.claude/sessions/{pid}.json" for pid in (f"1{dead}", f"{dead}1", os.getpid())]
    fill(tmp_path, "home/.claude.json", *others)
    folder = tmp_path / ("config" if configured else "home")
    sessions = "sessions" if configured else ".claude/sessions"
    its_own = [f"{sessions}/{dead}.json", f"{sessions}/{dead}.a1.key", f".claude.json.tmp.{dead}.1"]
    fill(folder, *its_own)
    fill(tmp_path, f"tmp/cc-socks/{dead}.sock")
    environment = {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "tmp")}
    if configured:
        environment["CLAUDE_CONFIG_DIR"] = str(folder)
    assert len(leftovers_of(dead, environment)) == 4
    remove_leftovers(dead, environment)
    assert files(tmp_path) == {"home/.claude.json", *others}


def test_those_of_a_process_that_runs_stay(tmp_path: Path) -> None:
    name = f".claude/sessions/{os.getpid()}.json"
    fill(tmp_path, name)
    remove_leftovers(os.getpid(), {"HOME": str(tmp_path)})
    assert files(tmp_path) == {name}


def test_folders_that_there_are_none_of(tmp_path: Path, dead: int) -> None:
    assert leftovers_of(dead, {"HOME": str(tmp_path / "none"), "TMPDIR": str(tmp_path)}) == []


def test_nothing_is_compiled_for_each_process(
    tmp_path: Path, dead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `Path.glob` does, and the standard library keeps thousands of such patterns."""
    compiled: list[object] = []
    compile_pattern = re.compile
    monkeypatch.setattr(
        re, "compile", lambda *given: compiled.append(given) or compile_pattern(*given)
    )
    fill(tmp_path, f".claude/sessions/{dead}.json")
    assert len(leftovers_of(dead, {"HOME": str(tmp_path)})) == 1
    assert compiled == []


def test_a_socket_among_those_of_the_session_goes(tmp_path: Path, dead: int) -> None:
    fill(tmp_path, f"run/cc-socks/{dead}.sock", f"tmp/cc-socks/{dead}.sock")
    environment = {"TMPDIR": str(tmp_path / "tmp"), "XDG_RUNTIME_DIR": str(tmp_path / "run")}
    assert leftovers_of(dead, environment) == [tmp_path / "run" / "cc-socks" / f"{dead}.sock"]


# -- the logs of the client's tools -------------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "environment", "cache"),
    [
        ("linux", {"HOME": "{0}/home"}, "home/.cache"),
        ("linux", {"HOME": "{0}/home", "XDG_CACHE_HOME": "{0}/cache"}, "cache"),
        ("darwin", {"HOME": "{0}/home", "XDG_CACHE_HOME": "{0}/cache"}, "home/Library/Caches"),
    ],
)
def test_the_logs_of_the_tools_go(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    platform: str,
    environment: dict[str, str],
    cache: str,
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    environment = {name: value.format(tmp_path) for name, value in environment.items()}
    work = tmp_path / "work_1"
    place = f"{cache}/claude-cli-nodejs/{re.sub('[^a-zA-Z0-9]', '-', os.path.realpath(work))}"
    others = [f"{place}/mcp-logs-mine/1.jsonl", f"{place}0/mcp-logs-t/1.jsonl"]
    fill(tmp_path, *others, f"{place}/mcp-logs-t/1.jsonl", f"{place}/mcp-logs-t/2.jsonl")
    remove_logs(environment, work)
    assert files(tmp_path) == set(others)


def test_logs_of_before_the_process_stay(tmp_path: Path) -> None:
    folder = re.sub("[^a-zA-Z0-9]", "-", os.path.realpath(tmp_path))
    log = f".cache/claude-cli-nodejs/{folder}/mcp-logs-t/1.jsonl"
    fill(tmp_path, log)
    remove_logs({"HOME": str(tmp_path)}, tmp_path, (tmp_path / log).stat().st_mtime + 1)
    assert files(tmp_path) == {log}


async def test_in_the_gateways_own_folder_they_go_whatever_the_clock_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock was a day fast when the process began, and was set since."""
    monkeypatch.setattr(working_directory, "SHARED", (tmp_path,))
    work = working_directory.own_below(tmp_path)
    log = a_log_of(work, tmp_path)
    with monkeypatch.context() as patch:
        tomorrow = time.time() + 86400
        patch.setattr("time.time", lambda: tomorrow)
        process = await CliProcess.start(["/bin/cat"], {"HOME": str(tmp_path)}, work, 1)
    assert files(tmp_path) == {log}
    await process.close(busy=False)
    assert files(tmp_path) == set()


def test_the_logs_of_a_folder_with_a_long_path_go(tmp_path: Path) -> None:
    work = tmp_path / ("x" * 200)
    folder = re.sub("[^a-zA-Z0-9]", "-", os.path.realpath(work))[:200]
    fill(tmp_path, f".cache/claude-cli-nodejs/{folder}-1abc/mcp-logs-t/1.jsonl")
    remove_logs({"HOME": str(tmp_path)}, work)
    assert files(tmp_path) == set()


# -- trials of watching -------------------------------------------------------------------


def test_trials_that_were_not_brought_to_an_end_go(tmp_path: Path) -> None:
    place = tmp_path / f"claude-{os.getuid()}"
    fill(place, "fswatch-probe-a/probe", "fswatch-probe-b/mine", "other/probe")
    (place / "fswatch-probe-c").mkdir()
    now = place.stat().st_mtime
    remove_probes({"TMPDIR": str(tmp_path)}, now + PROBE_SECONDS - 1)
    assert len(list(place.iterdir())) == 4
    remove_probes({"TMPDIR": str(tmp_path)}, now + PROBE_SECONDS + 1)
    assert files(place) == {"fswatch-probe-b/mine", "other/probe"}
    assert len(list(place.iterdir())) == 2


def test_of_many_trials_some_are_looked_at(tmp_path: Path) -> None:
    place = tmp_path / f"claude-{os.getuid()}"
    for number in range(7):
        (place / f"fswatch-probe-{number}").mkdir(parents=True)
    later = place.stat().st_mtime + 100
    remove_probes({"TMPDIR": str(tmp_path)}, later, most=5)
    assert len(list(place.iterdir())) == 2
    remove_probes({"TMPDIR": str(tmp_path)}, later, most=None)
    assert list(place.iterdir()) == []
