"""What `dragoman serve` says once it is ready: where it is, what answers, and what to paste."""

import logging
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

import anyio

from gateway import __version__
from gateway.addresses import is_any_address
from gateway.health import report
from gateway.pipeline import Gateway
from gateway_terminal.colours import Paint, wants_colour

log = logging.getLogger("gateway_terminal")

PATIENCE_SECONDS: Final = 20.0
"""For the backend's first look at itself; the CLI takes half a second to say what it is."""
LOOK_SECONDS: Final = 0.1
SHOWN_MODELS: Final = 8
NO_LOGIN: Final = ("none", "unknown")


async def welcome(gateway: Gateway) -> None:
    """Say it: for a person on a terminal, or as lines of the log. Only where something listens."""
    if not gateway.urls:
        return
    with anyio.move_on_after(PATIENCE_SECONDS):
        while _starting(health := await report(gateway)):  # noqa: ASYNC110 - no plugin says when
            await anyio.sleep(LOOK_SECONDS)
    facts = dict(facts_of(gateway, health))
    if sys.stderr.isatty():
        sys.stderr.write(as_text(facts, Paint(colour=wants_colour(sys.stderr))))
        sys.stderr.flush()
    else:
        for line in as_lines(facts):
            log.info("%s", line)


def _starting(health: Mapping[str, Any]) -> bool:
    parts = (part for part in health.values() if isinstance(part, dict))
    return any(part.get("status") == "starting" for part in parts)


def facts_of(gateway: Gateway, health: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is worth saying, by name, in the order in which it is read."""
    url = f"{gateway.urls[0]}/v1"
    everywhere = is_any_address(gateway.host)
    yield "address", f"{url}, and any other address of this machine" if everywhere else url
    if (backend := health.get("claude_code")) is not None:
        yield "CLI", cli_of(backend)
        yield "login", "not needed: offline" if gateway.offline else login_of(backend)
    names = [name for name, entry in gateway.models.entries.items() if not entry.hidden]
    more = [f"and {len(names) - SHOWN_MODELS} more"] if len(names) > SHOWN_MODELS else []
    yield "models", ", ".join([*names[:SHOWN_MODELS], *more]) or "none"
    if gateway.requires_keys:
        yield "keys", "asked for; `dragoman keys new NAME` makes one"
    else:
        yield "keys", "not asked for"
    if gateway.offline:
        yield "offline", "answers come from a built-in stand-in, not from a model"
    key = "YOUR-KEY" if gateway.requires_keys else "unused"
    yield "paste", f"export OPENAI_BASE_URL={url} OPENAI_API_KEY={key}"
    yield "or", "dragoman connect CLIENT (curl, llm, aider, openclaw, …)"


def cli_of(backend: Mapping[str, Any]) -> str:
    """The CLI in a few words, of its part of `GET /health`."""
    if (version := backend.get("cli_version")) is not None:
        return f"{version}, {backend.get('cli_path')}"
    return str(backend.get("message") or f"{backend.get('status')}")


def login_of(backend: Mapping[str, Any]) -> str:
    """The kind of its login."""
    if backend.get("logged_in"):
        return str(backend.get("login") or "there is one")
    if backend.get("logged_in") is False:
        return "none: run `claude`, and there /login"
    return "unknown"


def as_text(facts: Mapping[str, str], paint: Paint) -> str:
    """For a terminal."""
    width = max(map(len, facts)) + 2
    rows = [
        f"  {paint.quiet(name.ljust(width))}{_painted(name, value, paint)}"
        for name, value in facts.items()
    ]
    return "\n".join(["", f"  {_title(facts, paint)}", *rows, "", ""])


def _title(facts: Mapping[str, str], paint: Paint) -> str:
    title = f"Dragoman {__version__} is up"
    if facts.get("login", "").startswith(NO_LOGIN):
        return paint.bad(f'{title}, but can\'t answer yet: see "login" and "CLI"')
    return paint.strong(f"{title}, and ready")


def as_lines(facts: Mapping[str, str]) -> list[str]:
    """For a log: what no other line says."""
    key = "not looked at" if facts["keys"] == "not asked for" else "asked for"
    return [
        f"models: {facts['models']}",
        f"for clients: base URL {facts['address']}, API key {key}; or {facts['or']}",
    ]


def _painted(name: str, value: str, paint: Paint) -> str:
    match name:
        case "address" | "paste":
            return paint.strong(value)
        case "login" if value.startswith(NO_LOGIN):
            return paint.bad(value)
        case "offline":
            return paint.notable(value)
    return value
