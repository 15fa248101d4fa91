"""The section `openai_responses` of `plugins:` in the YAML."""

import os
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from gateway.yaml_file.trust import NeedsTrust

SECTION: Final = "openai_responses"


class ResponsesConfig(BaseModel):
    """How the frontend behaves, and how long responses are kept.

    `unsupported`: whether a request with fields that would be ignored is answered or refused.
    `keepalive_seconds`: the silence in a stream after which an event is repeated. `database` is a
    file, None for the usual place, or False to keep nothing. Sizes are in bytes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    unsupported: Literal["ignore", "reject"] = "ignore"
    keepalive_seconds: float = Field(default=15, gt=0)
    database: Annotated[
        Path | Literal[False] | None,
        NeedsTrust("writes a file anywhere", harmless=lambda value: value is False),
    ] = None
    keep_days: Annotated[float, NeedsTrust("deletes responses that are kept")] = Field(
        default=30, gt=0
    )
    max_bytes: Annotated[int, NeedsTrust("deletes responses that are kept")] = Field(
        default=500_000_000, ge=1_000_000
    )

    @field_validator("database", mode="before")
    @classmethod
    def _not_true(cls, value: object) -> object:
        if value is True:
            raise ValueError("must be a path or false")
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
    return state / "dragoman" / "responses.db"
