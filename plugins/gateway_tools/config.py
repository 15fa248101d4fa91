"""The plugin's section of the YAML: `plugins: {tools: {…}}`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

SECTION = "tools"


class ToolsConfig(BaseModel):
    """Which models get which tools, and what bounds their use.

    `offer` goes from names of models (a `*` stands for anything) to names of tools (likewise).
    A name is the one that a client asks for, or the one that it leads to.

    `max_rounds` is how often in one answer the model may call tools of the gateway and go on.
    A call may take `seconds`; `concurrency` calls run at a time, over all requests; a result is
    cut at `result_characters`. `show: thinking` tells the client of calls, as reasoning.
    `remember` is for how many turns the results are kept until the client brings its own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    offer: dict[str, list[str]] = Field(default_factory=dict)
    max_rounds: int = Field(default=8, ge=1, le=100)
    seconds: float = Field(default=60, gt=0)
    concurrency: int = Field(default=16, ge=1)
    result_characters: int = Field(default=50_000, ge=100)
    show: Literal["off", "thinking"] = "off"
    remember: int = Field(default=1000, ge=0)
