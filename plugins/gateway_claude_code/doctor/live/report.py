"""The report of a live run, to be pasted into a public issue, and as JSON. Pure.

It holds no prompt, account, key, address or path. The JSON has a stable shape: `format` (1),
`exit_code`, `dragoman`, `cli`, `python`, `platform`, `provider`, `login`, `date` (texts; `cli` and
`login` may be null), `asked`, `answered` and `refused` (numbers of requests), `stopped` (null or
why the run ended early), `remembered` (false if the provider is not Anthropic's API), and `models`.
A model has `name`, `model`, `answered_by`, `unavailable`,
`evidence` and `not_tried`; a piece of evidence has `fact`, `tried`, `expected`, `seen` ("accepted",
"refused" or null), `verdict` ("holds", "differs" or "unknown"), `table`, `value`, `source`, `said`.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import click

from gateway.yaml_file.wording import one_line
from gateway_claude_code import cli_variables
from gateway_claude_code.compatibility.findings import (
    EXIT_DIFFERS,
    EXIT_HOLDS,
    EXIT_NO_CLI,
    Verdict,
)
from gateway_claude_code.doctor.live.evidence import Evidence
from gateway_claude_code.doctor.live.run import LiveRun, ModelTried
from gateway_claude_code.facts.documented import FACT_NAMES
from gateway_claude_code.facts.fact_values import to_json
from gateway_claude_code.response.public_words import LEFT_OUT, UUID, public_words

FORMAT: Final = 1
MOST_WORDS: Final = 300
"""Characters of a refusal."""

API_HOST: Final = "api.anthropic.com"
NOT_REMEMBERED: Final = "The provider is not Anthropic's API: nothing is remembered."

_PROVIDERS: Final[Mapping[str, str]] = {
    cli_variables.USE_BEDROCK: "Bedrock",
    cli_variables.USE_VERTEX: "Vertex AI",
    cli_variables.USE_FOUNDRY: "Foundry",
}
_PRIVATE: Final = re.compile(
    r"https?://\S+"
    r"|\b[\w-]+(?:\.[\w-]+)+:\d{2,5}\b"  # host and port
    r"|(?<![\w.])(?:/|~/|[A-Za-z]:\\)[\w.-]+[/\\]\S*"  # path
    rf"|{UUID}"  # of an organization or account
)
_COLOURS: Final[dict[Verdict, str]] = {"holds": "green", "differs": "red", "unknown": "yellow"}
_FACT_WIDTH: Final = max(map(len, FACT_NAMES))


def provider(environ: Mapping[str, str]) -> str:
    """The provider of the models, by the variables of the CLI that choose it."""
    found = (name for variable, name in _PROVIDERS.items() if environ.get(variable))
    return next(found, "a custom address" if own_address(environ) else "Anthropic")


def own_address(environ: Mapping[str, str]) -> bool:
    """Whether the CLI sends requests to a custom address, such as LiteLLM's."""
    address = environ.get(cli_variables.BASE_URL)
    if not address:
        return False
    try:
        return urlsplit(address).hostname != API_HOST
    except ValueError:
        return True


def public(words: str) -> str:
    """The API's words in one line, without accounts, addresses and paths."""
    plain = _PRIVATE.sub(LEFT_OUT, public_words(one_line(words)))
    return plain if len(plain) <= MOST_WORDS else f"{plain[: MOST_WORDS - 1]}…"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveReport:
    """The findings of `dragoman doctor --live`. `date` is a day in ISO 8601."""

    dragoman: str
    cli: str | None
    python: str
    platform: str
    provider: str
    login: str
    date: str
    run: LiveRun

    @property
    def exit_code(self) -> int:
        """0 if the table is right, 1 if a fact differs, 2 if the run ended early."""
        if self.run.stopped is not None:
            return EXIT_NO_CLI
        models = self.run.models
        holds = all(one.verdict == "holds" for model in models for one in model.evidence)
        available = not any(model.unavailable for model in models)
        return EXIT_HOLDS if holds and available else EXIT_DIFFERS

    @property
    def differing(self) -> list[str]:
        """The facts that differ, each as "model.fact"."""
        return [
            f"{model.known.name}.{fact}"
            for model in self.run.models
            for fact in dict.fromkeys(_differing(model.evidence))
        ]

    def as_json(self) -> str:
        """For machines: see the module."""
        values = {
            "format": FORMAT,
            "exit_code": self.exit_code,
            "dragoman": self.dragoman,
            "cli": self.cli,
            "python": self.python,
            "platform": self.platform,
            "provider": self.provider,
            "login": self.login,
            "date": self.date,
            **self._counts,
            "stopped": self.run.stopped,
            "remembered": self.run.remembered,
            "models": [_model_values(model) for model in self.run.models],
        }
        return json.dumps(values, indent=2, ensure_ascii=False)

    def as_text(self) -> str:
        """For people, with colours."""
        return "\n".join(self._lines())

    @property
    def _counts(self) -> dict[str, int]:
        names = ("asked", "answered", "refused")
        return {name: sum(getattr(model, name) for model in self.run.models) for name in names}

    def _lines(self) -> Iterator[str]:
        cli = self.cli or "(unknown version)"
        yield f"dragoman {self.dragoman}, Claude Code CLI {cli}"
        yield f"Python {self.python}, {self.platform}"
        yield f"models served by {self.provider}, login: {self.login}, {self.date}"
        for model in self.run.models:
            yield ""
            yield from _model_lines(model)
        yield ""
        yield "Requests: {asked}, answered: {answered}, rejected: {refused}.".format(**self._counts)
        if not self.run.remembered:
            yield NOT_REMEMBERED
        yield self._summary()

    def _summary(self) -> str:
        if self.run.stopped is not None:
            return f"Stopped early: {self.run.stopped}."
        if names := self.differing:
            return f"Different from Dragoman's table: {', '.join(names)}."
        if self.exit_code == EXIT_HOLDS:
            return "All tested facts match Dragoman's table."
        return "No differences from Dragoman's table, but not everything could be tested."


def _differing(evidence: Sequence[Evidence]) -> Iterator[str]:
    return (one.fact for one in evidence if one.verdict == "differs")


def _not_tried(model: ModelTried) -> list[str]:
    tried = {one.fact for one in model.evidence}
    return [fact for fact in FACT_NAMES if fact not in tried]


def _model_values(model: ModelTried) -> dict[str, Any]:
    return {
        "name": model.name,
        "model": model.known.name,
        "answered_by": model.answered_by,
        "unavailable": model.unavailable,
        "evidence": [_evidence_values(model, one) for one in model.evidence],
        "not_tried": _not_tried(model),
    }


def _evidence_values(model: ModelTried, one: Evidence) -> dict[str, Any]:
    origin = model.known.origins[one.fact]
    return {
        "fact": one.fact,
        "tried": one.tried,
        "expected": one.expected,
        "seen": one.seen,
        "verdict": one.verdict,
        "table": to_json(one.table),
        "value": None if one.verdict == "unknown" else to_json(one.value),
        "source": f"{origin.kind}: {origin.source}",
        "said": public(one.said),
    }


def _model_lines(model: ModelTried) -> Iterator[str]:
    other = model.answered_by not in (None, model.known.name)
    yield f"{model.name}: {model.known.name}" + (f" ({model.answered_by})" if other else "")
    if model.unavailable:
        yield "  not available with this login"
        return
    said = ""
    for one in model.evidence:
        yield from _evidence_lines(one)
        if one.said and one.said != said:
            yield f"{'':11}“{public(one.said)}”"
        said = one.said
    if names := _not_tried(model):
        yield f"  not tried: {', '.join(names)}"


def _evidence_lines(one: Evidence) -> Iterator[str]:
    verdict = click.style(f"{one.verdict:8}", fg=_COLOURS[one.verdict])
    seen = one.seen or "not tested: the request was rejected for another reason"
    yield f"  {verdict} {one.fact:{_FACT_WIDTH}} {one.tried}: {seen}"
    if one.verdict == "differs":
        yield f"{'':11}in the table {_value(one.table)}, now {_value(one.value)}"


def _value(value: object) -> str:
    return json.dumps(to_json(value))
