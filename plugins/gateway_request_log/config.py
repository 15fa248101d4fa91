"""The section `request_log` of the configuration."""

import os
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from gateway.yaml_file.trust import NeedsTrust

SECTION: Final = "request_log"


class RequestLogConfig(BaseModel):
    """Where rows go, what is in them, and what is kept.

    `database` is a file, None for the usual place, or False for none. Sizes are in bytes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    database: Annotated[
        Path | Literal[False] | None,
        NeedsTrust("writes a file anywhere", harmless=lambda value: value is False),
    ] = None
    bodies: Annotated[bool, NeedsTrust("keeps prompts and answers on disk")] = False
    keep_days: Annotated[float, NeedsTrust("deletes rows of the request log")] = Field(
        default=30, gt=0
    )
    max_bytes: Annotated[int, NeedsTrust("deletes rows of the request log")] = Field(
        default=1_000_000_000, ge=1_000_000
    )
    queue_rows: int = Field(default=10_000, ge=1)
    jsonl: Annotated[Path | None, NeedsTrust("writes a file anywhere")] = None
    jsonl_bytes: int = Field(default=100_000_000, ge=1000)
    jsonl_files: int = Field(default=5, ge=1)
    otel: Annotated[str | None, NeedsTrust("sends the request log to another server")] = None

    @field_validator("database", mode="before")
    @classmethod
    def _not_true(cls, value: object) -> object:
        if value is True:
            raise ValueError("must be a path or false")
        return value

    @field_validator("otel")
    @classmethod
    def _is_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must be the URL of an OTLP collector, such as http://127.0.0.1:4318")
        return value

    @property
    def database_path(self) -> Path | None:
        """The file of the database, if there is to be one."""
        if self.database is False:
            return None
        return default_path() if self.database is None else self.database.expanduser()


def default_path() -> Path:
    """Where the database is unless the configuration says otherwise."""
    named = Path(os.environ.get("XDG_STATE_HOME", ""))
    state = named if named.is_absolute() else Path("~/.local/state").expanduser()
    return state / "dragoman" / "requests.db"
