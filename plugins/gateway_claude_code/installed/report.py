"""The CLI's age and update command, for `GET /health`, `status` and `doctor`."""

from dataclasses import dataclass
from pathlib import Path

from gateway.backend_status import BackendStatus, CliInstalled
from gateway_claude_code.installed.releases import STALE_DAYS, age_of, in_words
from gateway_claude_code.installed.ways import place_of, way_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """`by` is the way's name, `age` is in words, `update` is the command for a newer CLI.

    `days` and `age` are None for a version of unknown age; `days` alone for one that is newer
    than the table of releases.
    """

    by: str
    days: int | None
    age: str | None
    update: str

    @property
    def stale(self) -> bool:
        """Whether it is old enough to be reported."""
        return self.days is not None and self.days >= STALE_DAYS


def installed(path: Path, version: str | None) -> Installed:
    """Examine a CLI from outside: no process is started, and no request is made."""
    age = age_of(version) if version else None
    way = way_of(place_of(path))
    return Installed(
        by=way.name,
        days=age if isinstance(age, int) else None,
        age=in_words(age),
        update=way.update,
    )


def health_of(report: BackendStatus) -> BackendStatus:
    """`cli_installed` for a health report with `cli_path` and `cli_version`; nothing without a CLI."""
    if (path := report.get("cli_path")) is None:
        return {}
    found = installed(Path(path), report.get("cli_version"))
    values = CliInstalled(
        by=found.by,
        age_days=found.days,
        age=found.age,
        stale=found.stale,
        update=found.update,
    )
    return {"cli_installed": values}
