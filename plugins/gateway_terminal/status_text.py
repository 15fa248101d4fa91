"""`GET /health` as text for a person."""

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from gateway_terminal.colours import Paint
from gateway_terminal.welcome import cli_of, login_of

SHOWN_ERRORS: Final = 5
SHOWN_REFUSED: Final = 3
BAR: Final = 20
WINDOWS: Final = {"five_hour": "5 hours", "seven_day": "7 days"}
ACCOUNT_STATES: Final = {
    "plan_used_up": "plan used up",
    "spend_limit": "spend limit reached",
    "extra_usage": "refused as extra usage beyond the plan",
    "billing": "no credit, or a payment problem",
}
"""What a backend says under `account.state`, in words."""
NEARLY: Final = 0.8

Row = tuple[str, str]


def as_text(url: str, health: Mapping[str, Any], now: datetime, paint: Paint) -> str:
    """All of it, a row for each thing. `now` has a time zone."""
    rows = list(_rows(url, health, now, paint))
    width = max(len(name) for name, _ in rows) + 2
    lines = [f"{paint.quiet(name.ljust(width))}{value}".rstrip() for name, value in rows]
    return "\n".join(lines)


def _rows(url: str, health: Mapping[str, Any], now: datetime, paint: Paint) -> Iterator[Row]:
    yield "gateway", _state(health, paint)
    yield "address", f"{url}/v1"
    if "version" not in health:
        yield "more", "asks for a key: set DRAGOMAN_API_KEY to see the rest"
        return
    yield "version", str(health["version"])
    ours = health.get("terminal") or {}
    if (started := _time(ours.get("started_at"))) is not None:
        yield "up since", f"{_local(started, now)} ({duration((now - started).total_seconds())})"
        yield "answers", f"{ours.get('answered', 0)}, and {ours.get('failed', 0)} that failed"
    backend = health.get("claude_code")
    waiting = isinstance(backend, Mapping) and backend.get("waiting_for_login")
    if health.get("offline"):
        until = ", until there is a login" if waiting else ""
        text = f"answers come from a built-in stand-in, not from a model{until}"
        yield "offline", paint.notable(text)
    if isinstance(backend, Mapping):
        yield from _backend_rows(backend, now, paint)
    yield from _config_rows(health.get("config") or {}, now, paint)
    yield from _refused_rows((health.get("access") or {}).get("refused") or [], now, paint)
    yield from _error_rows(ours.get("last_errors") or [], now, paint)


def _state(health: Mapping[str, Any], paint: Paint) -> str:
    match health.get("status"):
        case "ok":
            return paint.good("up")
        case "draining":
            return paint.notable("being stopped: running answers finish")
        case other:
            return paint.bad(f"up, but {other}")


def _backend_rows(backend: Mapping[str, Any], now: datetime, paint: Paint) -> Iterator[Row]:
    yield from _cli_rows(backend, paint)
    if (message := backend.get("message")) is not None and backend.get("cli_version"):
        yield "", paint.bad(str(message))
    check = backend.get("cli_check") or {}
    if check:
        yield "CLI check", _checked(check, paint)
    fine = backend.get("logged_in") or backend.get("stand_in")
    yield "login", login_of(backend) if fine else paint.bad(login_of(backend))
    if backend.get("processes"):
        yield (
            "processes",
            ", ".join(f"{count} {state}" for state, count in backend["processes"].items()),
        )
    if account := backend.get("account") or {}:
        yield "account", paint.bad(_account(account, now))
        yield "", str(account.get("message", ""))
    windows = (backend.get("quota") or {}).get("windows") or {}
    for name, window in windows.items():
        yield f"plan, {WINDOWS.get(name, name.replace('_', ' '))}", _window(window, now, paint)


def _cli_rows(backend: Mapping[str, Any], paint: Paint) -> Iterator[Row]:
    """The CLI with its age, and the command that brings a newer one."""
    found = backend.get("cli_installed") or {}
    if not found:
        yield "CLI", cli_of(backend)
        return
    age = f", {found['age']}" if found.get("age") else ""
    text = f"{backend.get('cli_version') or 'of an unknown version'}{age}"
    yield "CLI", paint.notable(text) if found.get("stale") else text
    yield "", _from_home(str(backend.get("cli_path")))
    yield "", f"for a newer one: {_from_home(str(found.get('update')))}"


def _from_home(text: str) -> str:
    """With `~`, which is shorter; not in quotes, where a shell leaves it as it is."""
    home = os.environ.get("HOME", "").rstrip("/")
    return text.replace(f"{home}/", "~/") if home and "'" not in text else text


def _checked(check: Mapping[str, Any], paint: Paint) -> str:
    """What the gateway tried out of this CLI by itself."""
    if not check.get("checked"):
        return "not tried out yet; `dragoman doctor` does it now"
    lists = {word: ", ".join(map(str, check.get(word) or ())) for word in ("differs", "unknown")}
    odd = "; ".join(f"{word}: {names}" for word, names in lists.items() if names)
    return paint.notable(f"{odd}; see `dragoman doctor`") if odd else "holds"


def _account(account: Mapping[str, Any], now: datetime) -> str:
    """Why the account is refused, since when or until when, and for which models."""
    state = account.get("state")
    text = ACCOUNT_STATES.get(str(state), str(state))
    if models := account.get("models"):
        text += f" ({models})"
    resets, since = account.get("resets_at"), account.get("since")
    if isinstance(resets, int | float):
        at = datetime.fromtimestamp(resets, UTC)
        return f"{text}, resets {_local(at, now)} (in {duration((at - now).total_seconds())})"
    if isinstance(since, int | float):
        return f"{text}, last at {_local(datetime.fromtimestamp(since, UTC), now)}"
    return text


def _window(window: Mapping[str, Any], now: datetime, paint: Paint) -> str:
    used, resets = window.get("utilization"), window.get("resets_at")
    text = "unknown"
    if isinstance(used, int | float):
        full = round(min(max(used, 0), 1) * BAR)
        text = f"{'█' * full}{'░' * (BAR - full)} {used:4.0%} used"
        text = paint.bad(text) if used >= 1 else paint.notable(text) if used >= NEARLY else text
    if isinstance(resets, int | float):
        at = datetime.fromtimestamp(resets, UTC)
        text += f", resets {_local(at, now)} (in {duration((at - now).total_seconds())})"
    return text


def _config_rows(config: Mapping[str, Any], now: datetime, paint: Paint) -> Iterator[Row]:
    loaded = _time(config.get("loaded_at"))
    yield "YAML", f"read {_local(loaded, now)}" if loaded else "unknown"
    if error := config.get("last_error"):
        yield "", paint.bad(f"refused since: {error}")
    if later := config.get("needs_restart"):
        yield "", paint.notable(f"needs a restart: {', '.join(later)}")


def _error_rows(errors: list[Mapping[str, Any]], now: datetime, paint: Paint) -> Iterator[Row]:
    if not errors:
        yield "last errors", "none"
    for index, error in enumerate(errors[:SHOWN_ERRORS]):
        at = _time(error.get("at"))
        when = _local(at, now) if at else "?"
        what = f"{error.get('status')} {error.get('kind')}"
        message = f": {error['message']}" if error.get("message") else ""
        yield (
            "last errors" if index == 0 else "",
            (f"{when} {paint.bad(what)} {error.get('model')} {error.get('request_id')}{message}"),
        )


def _refused_rows(
    refused: Sequence[Mapping[str, Any]], now: datetime, paint: Paint
) -> Iterator[Row]:
    """Pages and host names that were turned away, and the YAML that lets each in."""
    for index, each in enumerate(refused[:SHOWN_REFUSED]):
        at, count = _time(each.get("last_at")), each.get("count")
        times = "once" if count == 1 else f"{count} times"
        last = _local(at, now) if at else "?"
        line = each.get("add")
        advice = "; to allow:" if line else ""
        what = paint.notable(_refused(each))
        yield "refused" if index == 0 else "", f"{what}, {times}, last {last}{advice}"
        if line:
            yield "", str(line)
    if len(refused) > SHOWN_REFUSED:
        yield "", f"and {len(refused) - SHOWN_REFUSED} more; `dragoman status --json` has them"


def _refused(refusal: Mapping[str, Any]) -> str:
    name = str(refusal.get("name"))
    if refusal.get("kind") != "origin":
        return f"host {name}"
    return "pages from files or sandboxed frames" if name == "null" else f"pages of {name}"


def duration(seconds: float) -> str:
    """In the two largest units that matter."""
    left = max(int(seconds), 0)
    parts = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def _time(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None


def _local(at: datetime, now: datetime) -> str:
    """In the zone of `now`; with the day, if it is another one."""
    here = at.astimezone(now.tzinfo)
    return here.strftime("%H:%M:%S" if here.date() == now.date() else "%a %d %b %H:%M")
