"""The plugin's section of the YAML: `plugins: {claude_code: {…}}`."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

SECTION = "claude_code"


class ClaudeCodeConfig(BaseModel):
    """How the CLI is found and run.

    `command` is the CLI's path; without it, see `gateway_claude_code.command.find_cli`.
    `working_directory` must be empty and stay the same, as it is part of what the CLI tells the
    model. `use_cli_settings_auth` lets `apiKeyHelper` and `env` of the CLI's own settings file
    through, and nothing else of it. `environment` sets more variables for the CLI.

    In seconds: `start_seconds` that the CLI may take to get ready, `close_seconds` that it
    gets at each step of being closed. `upstream_retries` is how often the CLI may ask again
    by itself when the upstream is overloaded or out of reach.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: Path | None = None
    working_directory: Path | None = None
    use_cli_settings_auth: bool = False
    environment: dict[str, str] = Field(default_factory=dict)
    start_seconds: float = Field(default=12, gt=0)
    close_seconds: float = Field(default=1, gt=0)
    upstream_retries: int = Field(default=2, ge=0, le=10)
