"""The plugin's section of the YAML: `plugins: {tools: {…}}`."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from gateway.yaml_file.trust import NeedsTrust

SECTION = "tools"

Shown = Annotated[
    Literal["off", "thinking"],
    # YAML reads a bare `off` as false
    BeforeValidator(lambda value: "off" if value is False else value),
]

ServerName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_-]{0,30}$")]


class McpServerConfig(BaseModel):
    """An MCP server: a `command` with its arguments to be run, or the `url` of one that runs.

    A command runs in `directory`, which begins at the folder of the YAML and is that without one.
    It gets `environment`, and of the gateway's own nothing but HOME, PATH and what a shell
    says about its user (LOGNAME, SHELL, TERM, USER). `headers` go with each request to a `url`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: tuple[str, ...] = ()
    environment: dict[str, str] = Field(default_factory=dict)
    directory: Path | None = None
    url: str | None = Field(default=None, pattern=r"^https?://\S+$")
    headers: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.command) == bool(self.url):
            raise ValueError("must have either a command or a url")
        if self.url and (self.environment or self.directory):
            raise ValueError("environment and directory go with a command, not with a url")
        if self.command and self.headers:
            raise ValueError("headers go with a url, not with a command")
        return self


class ToolsConfig(BaseModel):
    """Which models get which tools, and what bounds their use.

    `offer` goes from names of models (a `*` stands for anything) to names of tools (likewise).
    A name is the one that a client asks for, or the one that it leads to.

    `max_rounds` is how often in one answer the model may call tools of the gateway and go on.
    A call may take `seconds`; `concurrency` calls run at a time, over all requests; a result is
    cut at `result_characters`. `show: thinking` tells the client of calls, as reasoning.
    `remember` is for how many turns the results are kept until the client brings its own.

    The tools of `mcp_servers` are called `SERVER_TOOL`. The start waits for them, but for no more
    than `start_seconds`; one that is lost is started again.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    offer: Annotated[dict[str, list[str]], NeedsTrust("lets models run tools on this machine")] = (
        Field(default_factory=dict)
    )
    max_rounds: int = Field(default=8, ge=1, le=100)
    seconds: float = Field(default=60, gt=0)
    concurrency: int = Field(default=16, ge=1)
    result_characters: int = Field(default=50_000, ge=100)
    show: Shown = "off"
    remember: int = Field(default=1000, ge=0)
    mcp_servers: Annotated[
        dict[ServerName, McpServerConfig], NeedsTrust("runs programs, or connects to other servers")
    ] = Field(default_factory=dict)
    start_seconds: float = Field(default=10, ge=0)
