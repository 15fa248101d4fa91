"""`GET /health` as text for a person."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import click

from gateway.backend_status import Account, BackendStatus, CliCheck, Quota, QuotaWindow
from gateway.machine.command_name import command_line
from gateway_terminal.colours import Paint
from gateway_terminal.welcome import backend_in, cli_of, login_of, shortened

SHOWN_ERRORS: Final = 5
SHOWN_REFUSED: Final = 3
BAR: Final = 10
WINDOWS: Final = {
    "five_hour": "5 hours",
    "seven_day": "7 days",
    "seven_day_opus": "7 days Opus",
    "seven_day_sonnet": "7 days Sonnet",
}
ACCOUNT_STATES: Final = {
    "plan_used_up": "plan used up",
    "spend_limit": "spend limit reached",
    "extra_usage": "rejected as extra usage beyond the plan",
    "billing": "no credit, or a payment problem",
}
"""The words for a backend's `account.state`."""
KINDS: Final = {"LoginRefused": "login refused", "NotAuthenticated": "not logged in"}
"""Errors whose message is too long here."""
OFFLINE: Final = "answers come from a built-in stand-in, not from a model"
UNTIL_LOGIN: Final = "a built-in stand-in answers until you log in"
NARROWEST: Final = 20
_WORDS: Final = re.compile(r"(?:`[^`]*`|[^ `])+|(?<= )(?= )")
_CAPITAL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
NEARLY: Final = 0.8

PROCESSES: Final = {
    "busy": "answering",
    "live": "held for a conversation",
    "spare": "idle",
    "aside": "internal",
    "waiting": "queued",
}
"""The words for a backend's `processes`."""


class Row(NamedTuple):
    """A name and a value. A value that is to be copied is not broken into lines."""

    name: str
    value: str
    to_copy: bool = False


def as_text(
    url: str, health: Mapping[str, Any], now: datetime, paint: Paint, width: int | None = None
) -> str:
    """All of it, a row for each thing. `now` has a time zone.

    Values are wrapped where lines would be longer than `width`.
    """
    rows = list(_rows(url, health, now, paint))
    margin = max(len(row.name) for row in rows) + 2
    lines = []
    for row in rows:
        room = None if width is None or row.to_copy else max(width - margin, NARROWEST)
        first, *more = wrapped(row.value, room)
        lines.append(f"{paint.quiet(row.name.ljust(margin))}{first}".rstrip())
        lines += (f"{' ' * margin}{line}" for line in more)
    return "\n".join(lines)


def wrapped(text: str, width: int | None) -> list[str]:
    """Lines of at most `width` characters; those of colours do not count.

    A command in backquotes is not broken.
    """
    if width is None or len(click.unstyle(text)) <= width:
        return [text]
    lines = [""]
    for word in _WORDS.findall(text):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if len(click.unstyle(longer)) > width and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _rows(url: str, health: Mapping[str, Any], now: datetime, paint: Paint) -> Iterator[Row]:
    yield Row("gateway", _state(health, paint))
    yield Row("address", f"{url}/v1")
    if "version" not in health:
        yield Row("more", "key required: set DRAGOMAN_API_KEY for the details")
        return
    yield Row("version", str(health["version"]))
    ours = health.get("terminal") or {}
    if (started := _time(ours.get("started_at"))) is not None:
        length = duration((now - started).total_seconds())
        yield Row("up since", f"{_with_zone(started, now)} ({length})")
        yield Row("requests", _counted(ours.get("answered", 0), ours.get("failed", 0)))
    backend = backend_in(health)
    if health.get("offline") and not _has_no_cli(backend):
        waiting = backend is not None and backend.get("waiting_for_login")
        yield Row("offline", paint.notable(UNTIL_LOGIN if waiting else OFFLINE))
    if backend is not None:
        yield from _backend_rows(backend, now, paint)
    yield from _config_rows(health.get("config") or {}, now, paint)
    yield from _refused_rows((health.get("access") or {}).get("refused") or [], now, paint)
    yield from _error_rows(ours.get("last_errors") or [], now, paint)


def _has_no_cli(backend: BackendStatus | None) -> bool:
    """Without a CLI not even the stand-in answers."""
    return backend is not None and backend.get("status") == "unavailable"


def _counted(answered: int, failed: int) -> str:
    return f"{answered + failed}: {answered} answered, {failed} failed"


def _state(health: Mapping[str, Any], paint: Paint) -> str:
    match health.get("status"):
        case "ok":
            return paint.good("running")
        case "draining":
            return paint.notable("shutting down: running answers may finish")
        case other:
            return paint.bad(f"running, but {other}")


def _backend_rows(backend: BackendStatus, now: datetime, paint: Paint) -> Iterator[Row]:
    yield from _cli_rows(backend, paint)
    check = backend.get("cli_check")
    if check and not _has_no_cli(backend):
        yield Row("CLI check", _checked(check, paint))
    yield Row("login", _login(backend, now, paint))
    if counts := backend.get("processes"):
        text = ", ".join(
            f"{count} {PROCESSES.get(state, state)}" for state, count in counts.items()
        )
        yield Row("processes", text)
    if account := backend.get("account"):
        yield Row("account", paint.bad(_account(account, now)))
        if account.get("state") != "plan_used_up":  # whose row says all of it
            yield Row("", account.get("message", ""))
    for name, window in backend.get("quota", Quota()).get("windows", {}).items():
        title = f"plan, {WINDOWS.get(name, name.replace('_', ' '))}"
        yield Row(title, _window(window, now, paint))


def _login(backend: BackendStatus, now: datetime, paint: Paint) -> str:
    """Its kind, or that the API refused it, and the command that helps."""
    refused = backend.get("login_refused")
    if refused and not _has_no_cli(backend):
        at = _time(refused.get("at"))
        when = f" {_local(at, now)}" if at else ""
        why = refused.get("message", "").partition(". ")[0].rstrip(".")
        return f"{paint.bad(f'refused{when}')} ({why}): run `{command_line('login')}`"
    fine = backend.get("logged_in") or backend.get("stand_in")
    return login_of(backend) if fine else paint.bad(login_of(backend))


def _cli_rows(backend: BackendStatus, paint: Paint) -> Iterator[Row]:
    """The CLI with its age, and the command that brings a newer one."""
    found = backend.get("cli_installed")
    if _has_no_cli(backend) or not found:
        text = cli_of(backend)
        yield Row("CLI", paint.bad(text) if _has_no_cli(backend) else text)
    else:
        age = f", {found['age']}" if found.get("age") else ""
        text = f"{backend.get('cli_version') or '(unknown version)'}{age}"
        yield Row("CLI", paint.notable(text) if found.get("stale") else text)
        yield Row("", shortened(_from_home(str(backend.get("cli_path")))), to_copy=True)
        yield Row("", f"to update: {_from_home(str(found.get('update')))}", to_copy=True)
    if (message := backend.get("message")) is not None and backend.get("cli_path"):
        yield Row("", paint.bad(str(message)))


def _from_home(text: str) -> str:
    """With `~`, which is shorter; not in quotes, where a shell leaves it as it is."""
    home = os.environ.get("HOME", "").rstrip("/")
    return text.replace(f"{home}/", "~/") if home and "'" not in text else text


def _checked(check: CliCheck, paint: Paint) -> str:
    """The result of the gateway's own checks of this CLI."""
    doctor = command_line("doctor")
    if not check.get("checked"):
        return f"pending; run `{doctor}` to check now"
    lists = {
        "differs": ", ".join(check.get("differs", ())),
        "unknown": ", ".join(check.get("unknown", ())),
    }
    odd = "; ".join(f"{word}: {names}" for word, names in lists.items() if names)
    return paint.notable(f"{odd}; see `{doctor}`") if odd else "ok"


def _account(account: Account, now: datetime) -> str:
    """Why the account is refused, since when or until when, and for which models."""
    state = account.get("state", "refused")
    text = ACCOUNT_STATES.get(state, state)
    if models := account.get("models"):
        text += f" ({models})"
    resets, since = account.get("resets_at"), account.get("since")
    if resets is not None:
        at = datetime.fromtimestamp(resets, UTC)
        return f"{text}, resets {_with_zone(at, now)} (in {duration((at - now).total_seconds())})"
    if since is not None:
        return f"{text}, last at {_local(datetime.fromtimestamp(since, UTC), now)}"
    return text


def _window(window: QuotaWindow, now: datetime, paint: Paint) -> str:
    used, resets = window.get("utilization"), window.get("resets_at")
    text = "unknown"
    if used is not None:
        full = round(min(max(used, 0), 1) * BAR)
        text = f"{'█' * full}{'░' * (BAR - full)} {used:4.0%} used"
        text = paint.bad(text) if used >= 1 else paint.notable(text) if used >= NEARLY else text
    if resets is not None:
        at = datetime.fromtimestamp(resets, UTC)
        text += f", resets {_with_zone(at, now)} (in {duration((at - now).total_seconds())})"
    return text


def _config_rows(config: Mapping[str, Any], now: datetime, paint: Paint) -> Iterator[Row]:
    loaded = _time(config.get("loaded_at"))
    yield Row("YAML", f"read {_local(loaded, now)}" if loaded else "unknown")
    if error := config.get("last_error"):
        yield Row("", paint.bad(f"last change rejected: {error}"))
    if later := config.get("needs_restart"):
        yield Row("", paint.notable(f"needs a restart: {', '.join(later)}"))


def _error_rows(errors: list[Mapping[str, Any]], now: datetime, paint: Paint) -> Iterator[Row]:
    """Equal ones are one row, with the time of the last; request ids are in --json."""
    counts: dict[tuple[str, str, str], int] = {}
    last: dict[tuple[str, str, str], str] = {}
    for error in errors:  # the newest first
        key = str(error.get("status")), str(error.get("model")), _error_words(error)
        at = _time(error.get("at"))
        last.setdefault(key, _local(at, now) if at else "?")
        counts[key] = counts.get(key, 0) + 1
    if not counts:
        yield Row("last errors", "none")
    for index, (key, count) in enumerate([*counts.items()][:SHOWN_ERRORS]):
        status, model, words = key
        times = f" ({count} times)" if count > 1 else ""
        text = f"{last[key]}  {paint.bad(status)}  {model}  {words}{times}"
        yield Row("last errors" if index == 0 else "", text)


def _error_words(error: Mapping[str, Any]) -> str:
    """The reason in a few words; the error's kind where its message was left out."""
    if (account := error.get("account")) is not None:
        return ACCOUNT_STATES.get(str(account), str(account))
    kind = str(error.get("kind"))
    if (words := KINDS.get(kind)) is not None:
        return words
    return str(error.get("message") or "") or _CAPITAL.sub(" ", kind).lower()


def _refused_rows(
    refused: Sequence[Mapping[str, Any]], now: datetime, paint: Paint
) -> Iterator[Row]:
    """Pages and host names that were turned away, and the YAML that lets each in."""
    for index, each in enumerate(refused[:SHOWN_REFUSED]):
        at, count = _time(each.get("last_at")), each.get("count")
        times = "once" if count == 1 else f"{count} times"
        last = _local(at, now) if at else "?"
        line = each.get("add")
        advice = "; to allow it:" if line else ""
        what = paint.notable(_refused(each))
        name = "rejected" if index == 0 else ""
        yield Row(name, f"{what}, {times}, last {last}{advice}")
        if line:
            yield Row("", str(line), to_copy=True)
    if len(refused) > SHOWN_REFUSED:
        all_of_them = command_line("status", "--json")
        yield Row("", f"and {len(refused) - SHOWN_REFUSED} more; `{all_of_them}` lists them")


def _refused(refusal: Mapping[str, Any]) -> str:
    name = str(refusal.get("name"))
    if refusal.get("kind") != "origin":
        return f"host {name}"
    return "pages from files or sandboxed frames" if name == "null" else f"origin {name}"


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


def _with_zone(at: datetime, now: datetime) -> str:
    """To the minute, and in which zone: other texts about the same time are in UTC."""
    here = at.astimezone(now.tzinfo)
    return here.strftime("%H:%M %Z" if here.date() == now.date() else "%d %b %H:%M %Z")
