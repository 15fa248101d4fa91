"""Lasting causes of failed requests: each is logged once when it begins, not for each request.

They are a refused login, a refused account, and a missing CLI.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from gateway_claude_code import cli_variables
from gateway_claude_code.account.refusals import AccountRefusal
from gateway_claude_code.login.words import login_help
from gateway_claude_code.response.failures import LoginRefused

log = logging.getLogger("gateway_claude_code")

Kind: TypeAlias = Literal["login", "account", "cli"]
Stamp: TypeAlias = tuple[int, int, int] | None

CREDENTIALS: Final = ".credentials.json"
"""The CLI's login on Linux; on macOS it is in the keychain (code.claude.com/docs/en/env-vars)."""


class Outages:
    """The causes that have been logged. One with other details is a new cause."""

    def __init__(self) -> None:
        self._logged: dict[Kind, object] = {}

    def begin(self, kind: Kind, details: object, text: str) -> None:
        """A request failed for this cause."""
        if self._logged.get(kind, self) != details:
            self._logged[kind] = details
            log.warning("%s", text)

    def end(self, kind: Kind, text: str | None = None) -> None:
        """The cause is over. `text` is logged if it was known."""
        if self._logged.pop(kind, self) is not self and text is not None:
            log.info("%s", text)

    def __contains__(self, kind: Kind) -> bool:
        return kind in self._logged


@dataclass(frozen=True, slots=True)
class LoginRefusal:
    """The API refused the CLI's login. It holds until a request succeeds or the login changes.

    `credentials` identifies the state of the CLI's credentials file. The file is not opened.
    """

    at: datetime
    sentence: str
    credentials: Stamp

    @classmethod
    def of(cls, error: LoginRefused, environ: Mapping[str, str]) -> "LoginRefusal":
        """A refusal of now."""
        return cls(datetime.now(UTC), error.sentence, credentials_stamp(environ))

    def holds(self, environ: Mapping[str, str]) -> bool:
        """Whether the refused login is still in use, as far as the file shows."""
        return credentials_stamp(environ) == self.credentials

    def report(self) -> dict[str, Any]:
        """For `GET /health`."""
        return {"at": self.at.isoformat(timespec="seconds"), "message": self.sentence}

    def text(self) -> str:
        """For the log."""
        why = self.sentence.partition(". ")[0].rstrip(".")
        return f"the login was refused ({why}): {login_help()}"


def credentials_stamp(environ: Mapping[str, str]) -> Stamp:
    """Changes when the CLI writes another login; None without such a file."""
    folder = environ.get(cli_variables.CONFIG_DIR) or str(
        Path(environ.get("HOME", "/")) / ".claude"
    )
    try:
        found = (Path(folder) / CREDENTIALS).stat()
    except OSError:
        return None
    # the inode too: the CLI replaces the file by a new one (assumed)
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def account_text(error: AccountRefusal) -> str:
    """For the log: the cause and, by the local clock, the end of an account's refusal."""
    if error.state != "plan_used_up" or error.resets_at is None:
        return f"the account is refused: {error.message}"
    resets, now = datetime.fromtimestamp(error.resets_at).astimezone(), datetime.now().astimezone()
    day = "" if resets.date() == now.date() else "%a %d %b "
    return f"the plan is used up until {resets.strftime(f'{day}%H:%M %Z')}; requests get a 429"
