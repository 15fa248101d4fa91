"""`dragoman doctor --report`: a text for diagnosing a failure on another machine."""

import locale
import os
import platform
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Final

from gateway.machine.installation import environment_of
from gateway.machine.process_facts import (
    listener_on,
    memory_bytes,
    resident_bytes,
    start_of,
    visible_texts,
)
from gateway_claude_code.cli_variables import PASSED_ON
from gateway_claude_code.doctor.anonymous import anonymous
from gateway_claude_code.doctor.report import CliFound, Report

SERVICE_SECONDS: Final = 30
WIDTH: Final = 11
MEGABYTE: Final = 1024 * 1024
_COMMON: Final = (
    "HOME",
    "USER",
    "LOGNAME",
    "PATH",
    "SHELL",
    "LANG",
    "LC_*",
    "TZ",
    "XDG_*",
    "T*MP*",
)
"""Variables that every machine has."""


def bug_report(report: Report, environ: Mapping[str, str]) -> str:
    """All relevant facts about this machine, without secrets, names or prompts."""
    rows = "\n".join(f"{name:{WIDTH}}{value}".rstrip() for name, value in _rows(report, environ))
    findings = report.findings_as_text()
    text = anonymous(f"{rows}\n{findings}", environ, socket.gethostname())
    return f"```text\n{text}\n```\n\n{_where_to()}"


def _rows(report: Report, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    python = platform.python_implementation()
    yield "dragoman", f"{report.dragoman}, installed by: {environment_of(Path(sys.prefix))}"
    yield "python", f"{report.python} ({python})"
    yield (
        "platform",
        f"{platform.platform()}, {os.cpu_count()} cores, {memory_bytes() // MEGABYTE} MB",
    )
    yield "cli", _cli(report.cli)
    yield "service", _service()
    yield "processes", ", ".join(f"{name}: {seen}" for name, seen in _process_facts())
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield "open files", f"{soft} of {hard}"
    yield (
        "terminal",
        f"{locale.getpreferredencoding(do_setlocale=False)}, TERM={environ.get('TERM')}",
    )
    yield "variables", f"{', '.join(_variables(environ)) or 'none'} (names only)"


def _cli(found: CliFound | None) -> str:
    if found is None:
        return "none"
    age = f", {found.age}" if found.age else ""
    where = f"{found.path} ({found.origin}, installed by: {found.installed_by})"
    return f"{found.version or '(unknown version)'}{age}: {where}"


def _service() -> str:
    """The output of `dragoman service status`, in one line."""
    # -I, as `-m` would otherwise take a package `gateway` out of the current folder
    command = [sys.executable, "-I", "-m", "gateway", "service", "status"]
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            command, capture_output=True, text=True, timeout=SERVICE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"unknown: {type(error).__name__}"
    lines = (done.stdout or done.stderr).strip().splitlines()
    return "; ".join(" ".join(line.split()) for line in lines) or f"exit code {done.returncode}"


def _process_facts() -> Iterator[tuple[str, str]]:
    """Each kind of fact that is read about processes, tested with this one."""
    pid = os.getpid()
    yield "start", "seen" if start_of(pid) is not None else "not seen"
    size = resident_bytes(pid)
    yield "memory", f"{size // MEGABYTE} MB" if size is not None else "not seen"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        owner = listener_on(listener.getsockname()[1])
    yield "port", "seen" if owner is not None and owner.pid == pid else "not seen"
    yield "command lines", f"{sum(1 for _ in visible_texts())} texts"


def _variables(environ: Mapping[str, str]) -> list[str]:
    """The names of the variables that the gateway or the CLI uses."""
    patterns = [pattern for pattern in PASSED_ON if pattern not in _COMMON]
    return sorted(
        name
        for name in environ
        if any(fnmatchcase(name, pattern) for pattern in ("DRAGOMAN_*", *patterns))
        and not any(fnmatchcase(name, pattern) for pattern in _COMMON)
    )


def _where_to() -> str:
    """The project's page for issues, if the installed package names one."""
    try:
        urls = metadata("dragoman").get_all("Project-URL") or []
    except PackageNotFoundError:
        urls = []
    named = dict(url.split(", ", 1) for url in urls)
    page = next((url for name, url in named.items() if name.lower() in _ISSUES), None)
    return (
        "Read it once more, add what you did and what you saw, and paste it into an issue "
        f"{f'at {page}' if page else 'where you got Dragoman'}."
    )


_ISSUES: Final = ("issues", "bug tracker", "tracker", "bug reports")
