"""The banner of `dragoman serve`: its address, its backend, and the one next step."""

import logging
import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import anyio

from gateway import __version__, logs
from gateway.backend_status import BackendStatus, read_status
from gateway.interface import Gateway
from gateway.machine.addresses import is_any_address
from gateway.machine.command_name import command_line
from gateway_terminal.colours import Paint, wants_colour

log = logging.getLogger("gateway_terminal")

PATIENCE_SECONDS: Final = 20.0
"""For the backend's first checks; the CLI takes half a second for its version."""
LOOK_SECONDS: Final = 0.1
SHOWN_MODELS: Final = 8
WIDEST: Final = 100
PATH_WIDTH: Final = 56
INSTALL: Final = "curl -fsSL https://claude.ai/install.sh | bash"
"""code.claude.com/docs/en/setup, "Install Claude Code", for Linux, macOS and WSL."""
INSTALLS: Final = "installs Claude Code; no restart is needed"
ELSEWHERE: Final = "in another terminal; no restart is needed."
CONNECTS: Final = "prints the settings for a program: curl, aider, open-webui, …"

BACKEND: Final = "claude_code"
"""The plugin whose commands these texts name."""

LOGINS: Final = {
    "claude.ai": "Claude plan",
    "api_key": "API key",
    "api_key_helper": "API key, from apiKeyHelper",
    "oauth_token": "token",
    "third_party": "cloud provider's credentials",
    "custom_headers": "header from ANTHROPIC_CUSTOM_HEADERS",
}
"""The words for a backend's `login`."""
NO_CLI: Final = "unknown, as there is no CLI"


@dataclass(frozen=True, slots=True)
class Step:
    """The next step: a title with the state, a command, and its effect."""

    title: str
    command: str
    effect: str
    good: bool = True


async def welcome(gateway: Gateway) -> None:
    """Say it: for a person on a terminal, or as lines of the log. Only where something listens."""
    if not gateway.urls:
        logs.start_is_over(banner=False)
        return
    with anyio.move_on_after(PATIENCE_SECONDS):
        while _starting(health := await gateway.health()):  # noqa: ASYNC110 - no plugin says when
            await anyio.sleep(LOOK_SECONDS)
    facts, step = dict(facts_of(gateway, health)), next_step(health)
    if sys.stderr.isatty():
        width = min(shutil.get_terminal_size().columns, WIDEST)
        sys.stderr.write(as_text(facts, step, Paint(colour=wants_colour(sys.stderr)), width))
        sys.stderr.flush()
        logs.start_is_over(banner=True)
    else:
        for line in as_lines(facts, step):
            log.info("%s", line)


def _starting(health: Mapping[str, Any]) -> bool:
    parts = (part for part in health.values() if isinstance(part, dict))
    return any(part.get("status") == "starting" for part in parts)


def facts_of(gateway: Gateway, health: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The rows of the banner, by name and in order."""
    url = f"{gateway.urls[0]}/v1"
    everywhere = is_any_address(gateway.host)
    yield "address", f"{url}, and any other address of this machine" if everywhere else url
    if (backend := backend_in(health)) is not None:
        yield "CLI", cli_of(backend)
        yield "login", login_of(backend).partition(":")[0]  # `next_step` says how to get one
    names = [name for name, entry in gateway.models.entries.items() if not entry.hidden]
    more = [f"and {len(names) - SHOWN_MODELS} more"] if len(names) > SHOWN_MODELS else []
    yield "models", ", ".join([*names[:SHOWN_MODELS], *more]) or "none"
    if gateway.requires_keys:
        yield "keys", f"required; create one with `{command_line('keys', 'new', 'NAME')}`"
    else:
        yield "keys", "not required: any key is accepted"


def backend_in(health: Mapping[str, Any]) -> BackendStatus | None:
    """The part of the backend that these texts are about, of `GET /health`; None without it."""
    return read_status(health.get(BACKEND))


def next_step(health: Mapping[str, Any]) -> Step:
    """The one thing to do next, by how the gateway is."""
    title = f"Dragoman {__version__} is up"
    connect = command_line("connect", "CLIENT")
    match backend_in(health):
        case {"status": "unavailable", "cli_named": False}:
            return Step(f"{title}, but has no CLI", INSTALL, INSTALLS, good=False)
        case {"status": "unavailable" | "silent" | "unsafe_cli"}:
            doctor = command_line("doctor")
            return Step(
                f"{title}, but can't answer requests", doctor, "finds the cause", good=False
            )
        case {"waiting_for_login": True}:
            effect = f"{ELSEWHERE} Until then, a built-in stand-in answers."
            return Step(f"{title}, and offline until you log in", command_line("login"), effect)
        case {"logged_in": False}:
            effect, command = f"{ELSEWHERE} Until then, each request gets a 401.", "login"
            return Step(f"{title}, but not logged in", command_line(command), effect, good=False)
    if health.get("offline"):
        effect = "to get answers from the model"
        offline = f"{title}, and offline: a built-in stand-in answers, not a model"
        return Step(offline, command_line("serve"), effect)
    return Step(f"{title}, and ready", connect, CONNECTS)


def cli_of(backend: BackendStatus) -> str:
    """The CLI in a few words, of its part of `GET /health`."""
    path = backend.get("cli_path")
    if path is not None and backend.get("status") == "unavailable":
        return f"gone: {path}"
    if (version := backend.get("cli_version")) is not None:
        return f"{version}, {shortened(str(path))}"
    return str(backend.get("message") or f"{backend.get('status')}")


def shortened(path: str) -> str:
    """The end of a path that would not fit on a line."""
    return path if len(path) <= PATH_WIDTH else f"…/{'/'.join(Path(path).parts[-3:])}"


def login_of(backend: BackendStatus) -> str:
    """The kind of its login, and how to get one."""
    if backend.get("status") == "unavailable":
        return NO_CLI
    if backend.get("waiting_for_login"):
        return f"none yet: run `{command_line('login')}`"
    if backend.get("stand_in"):
        return "not needed: offline"
    if backend.get("logged_in"):
        login = backend.get("login") or "logged in"
        return LOGINS.get(login, login)
    if backend.get("logged_in") is False:
        return f"none: run `{command_line('login')}`"
    return "unknown"


def as_text(facts: Mapping[str, str], step: Step, paint: Paint, width: int) -> str:
    """For a terminal of this width. Nothing that is to be copied is broken into lines."""
    margin = max(map(len, facts)) + 4
    rows = []
    for name, value in facts.items():
        label = f"  {paint.quiet(name.ljust(margin - 2))}"
        for line in _wrapped(value, width - margin):
            rows.append(f"{label}{_painted(name, line, paint)}")
            label = " " * margin
    title = (paint.strong if step.good else paint.bad)(step.title)
    effect = textwrap.indent("\n".join(_wrapped(step.effect, width - margin)), " " * margin)
    next_ = f"  {paint.quiet('next'.ljust(margin - 2))}{paint.strong(step.command)}"
    return "\n".join(["", f"  {title}", "", *rows, "", next_, effect, "", ""])


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def as_lines(facts: Mapping[str, str], step: Step) -> list[str]:
    """For a log: the facts that no other line has."""
    key = "required" if facts["keys"].startswith("required") else "any"
    return [
        f"models: {facts['models']}",
        f"for clients: base URL {facts['address']}, API key: {key}",
        f"next: `{step.command}` {step.effect}",
    ]


def _painted(name: str, value: str, paint: Paint) -> str:
    if name == "address":
        return paint.strong(value)
    if name == "login" and value in ("none", "unknown", NO_CLI):
        return paint.bad(value)
    if name == "login" and value == "none yet":
        return paint.notable(value)
    return value
