"""Facts that the provider decides, whatever the model. Pure.

The CLI uses another provider than Anthropic's API by a variable (code.claude.com/docs/en/env-vars).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway_claude_code import cli_variables
from gateway_claude_code.facts.documented import SEARCH
from gateway_claude_code.facts.model_facts import SearchKind

# "On Google Cloud, only the basic web search tool (without dynamic filtering) is available. Web
# search is not available on Amazon Bedrock": the page in `SEARCH`
SEARCH_KINDS: Final[Mapping[str, SearchKind]] = {
    cli_variables.USE_BEDROCK: "none",
    cli_variables.USE_MANTLE: "none",
    cli_variables.USE_VERTEX: "basic",
}
"""The newest kind of search by the variable that chooses the provider."""

_OFF: Final = frozenset({"", "0", "false", "no", "off"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFacts:
    """What a provider has at most; None leaves it to the model. `source` is the documentation."""

    web_search: SearchKind | None = None
    source: str = SEARCH

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "ProviderFacts":
        """Those of the provider that these variables choose."""
        kinds = (
            kind
            for variable, kind in SEARCH_KINDS.items()
            if environ.get(variable, "").lower() not in _OFF
        )
        return cls(web_search=next(kinds, None))
