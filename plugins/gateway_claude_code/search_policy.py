"""Whether models may search the web, and how much: a section of the YAML, and of a model entry.

`plugins: {claude_code: {web_search: {max_uses: 5}}}` for all models of this backend, and
`options: {web_search: …}` for one of them; `off` in an entry overrides the section.
"""

import re
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

# no scheme; `*` in the path only; other than ASCII may only look like the domain, says
# platform.claude.com/docs/en/agents-and-tools/tool-use/server-tools, "Domain filtering"
DOMAIN: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(/[!-~]*)?")

Domain: TypeAlias = Annotated[str, Field(pattern=rf"^{DOMAIN.pattern}$")]


class SearchPolicy(BaseModel):
    """Searches by the provider's own tool, which are paid for one by one.

    An answer may have `max_uses` searches, or fewer if the client says so. With `always` the model
    may search in every request; without it, in those that ask for it. With `filtered` a model that
    can filters the results by code before it reads them. Pages are of `allowed_domains` only, or
    never of `blocked_domains`; the API takes one of the two lists.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_uses: int = Field(default=5, ge=1, le=100)
    always: bool = False
    filtered: bool = False
    allowed_domains: tuple[Domain, ...] = ()
    blocked_domains: tuple[Domain, ...] = ()

    @model_validator(mode="after")
    def _one_list(self) -> "SearchPolicy":
        if self.allowed_domains and self.blocked_domains:
            raise ValueError("takes allowed_domains or blocked_domains, not both")
        return self


def _switch(value: object) -> object:
    """YAML reads a bare `off` as false, and `on` as true."""
    match value:
        case False:
            return "off"
        case True | "on":
            return SearchPolicy()
        case _:
            return value


SearchSwitch: TypeAlias = Annotated[SearchPolicy | Literal["off"], BeforeValidator(_switch)]
