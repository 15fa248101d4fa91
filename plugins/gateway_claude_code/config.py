"""The plugin's section of the YAML: `plugins: {claude_code: {…}}`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from gateway.yaml_file.trust import NeedsTrust
from gateway_claude_code.search_policy import SearchSwitch

SECTION = "claude_code"


def _off(value: object) -> object:
    """YAML reads a bare `off` as false."""
    return "off" if value is False else value


class ClaudeCodeConfig(BaseModel):
    """How the CLI is found and run, and how many of its processes there are.

    `command` is the CLI's path; without it, see `gateway_claude_code.process.command.find_cli`.
    `working_directory` must be empty and stay the same, as it is part of what the CLI tells the
    model; by default it has nothing of the user's name. `use_cli_settings_auth` lets `apiKeyHelper` and `env` of the CLI's own settings file
    through, and nothing else of it. `environment` sets more variables for the CLI.

    `min_spares` to `max_spares` processes are started ahead of their request, as many as were
    of use lately; one that has waited for `spare_seconds` is replaced. After an answer, at most
    `max_live` conversations keep their process for `keep_alive` seconds; 0 keeps none.

    `max_processes` bounds all processes; without it, the machine's memory and cores do. Beyond
    it, `max_queue` requests wait for up to `queue_seconds`. A request for several answers (`n`)
    is one of them, and while some of its answers have a process the others wait for as long as
    these take.

    `reuse` is what a process may do after an answer: "caller", have any conversation of the same
    caller and set-up; "conversation", only go on with its own; "off", end. By default it is
    "caller", and "conversation" for requests without a key that come through a proxy, as these may
    be of many people.

    In seconds: `start_seconds` that the CLI may take to get ready, from the start of its process;
    `close_seconds` that it gets at each step of being closed, not counting time in which it waits
    for a processor. `upstream_retries` is how often the CLI may ask again
    by itself when the upstream is overloaded or out of reach; clients do that as well.

    `web_search` lets models search the web by the provider's own tool, for the models whose entry
    does not say otherwise; see `SearchPolicy`.

    `check_cli` has the gateway try out, in the background, a CLI that it has not seen before. One
    that fails in what keeps prompts from reading files and running commands is not served, unless
    `allow_unsafe_cli` is set.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: Annotated[Path | None, NeedsTrust("runs a program")] = None
    working_directory: Annotated[Path | None, NeedsTrust("chooses the CLI's folder")] = None
    use_cli_settings_auth: Annotated[bool, NeedsTrust("runs commands that fetch a login")] = False
    environment: Annotated[
        dict[str, str], NeedsTrust("can send prompts and the login to another server")
    ] = Field(default_factory=dict)
    min_spares: int = Field(default=1, ge=0)
    max_spares: int = Field(default=4, ge=0)
    spare_seconds: float = Field(default=1800, gt=0)
    max_live: int = Field(default=16, ge=0)
    reuse: Annotated[Literal["caller", "conversation", "off"] | None, BeforeValidator(_off)] = None
    keep_alive: float = Field(default=300, ge=0)
    max_processes: int | None = Field(default=None, ge=1)
    max_queue: int = Field(default=100, ge=0)
    queue_seconds: float = Field(default=60, gt=0)
    start_seconds: float = Field(default=12, gt=0)
    close_seconds: float = Field(default=1, gt=0)
    upstream_retries: int = Field(default=0, ge=0, le=10)
    web_search: Annotated[
        SearchSwitch | None, NeedsTrust("lets prompts search the web, at a price")
    ] = None
    check_cli: Annotated[bool, NeedsTrust("skips the check that the CLI is safe")] = True
    allow_unsafe_cli: Annotated[bool, NeedsTrust("lets prompts read files and run commands")] = (
        False
    )
