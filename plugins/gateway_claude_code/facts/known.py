"""All known facts about the models: set, seen, asked, documented, assumed.

For each fact the first of these sources counts: the YAML entry; a lesson of a refusal, or a
confirmation by `dragoman doctor --live`; the CLI; the documentation; and for an unknown model the
rules of the newest family.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

from gateway.types import Target
from gateway_claude_code.facts import asked
from gateway_claude_code.facts.asked import AskedModel
from gateway_claude_code.facts.documented import (
    FACT_NAMES,
    UNKNOWN,
    asked_by_cli,
    documented,
    undated,
)
from gateway_claude_code.facts.fact_values import FactValues
from gateway_claude_code.facts.model_facts import ModelFacts, SamplingRule, least
from gateway_claude_code.facts.providers import ProviderFacts
from gateway_claude_code.facts.seen import SeenFacts

OriginKind: TypeAlias = Literal["set", "learnt", "confirmed", "asked", "documented", "assumed"]

_BY_SAMPLING_KEY: Final[Mapping[object, SamplingRule]] = {True: "both", False: "defaults"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The origin of a fact. `source` is a page, a control request or the words of a refusal.

    `date` is the day (ISO 8601) on which it was learnt or confirmed.
    """

    kind: OriginKind
    source: str = ""
    date: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """One model: its full `name`, its facts, and the origin of each by name."""

    name: str
    facts: ModelFacts
    origins: Mapping[str, Origin]


class KnownModels:
    """The facts about every model. `asked` is the CLI's last answer; `seen` is kept on disk."""

    def __init__(
        self,
        seen: SeenFacts | None = None,
        models: Iterable[AskedModel] = (),
        provider: ProviderFacts | None = None,
    ) -> None:
        self.seen = seen or SeenFacts(None)
        self._provider = provider or ProviderFacts()
        self._answered: dict[str, str] = {}
        self._by_value: dict[str, AskedModel] = {}
        self._by_model: dict[str, AskedModel] = {}
        self.asked(models)

    @classmethod
    def of_user(
        cls, environ: Mapping[str, str], models: Iterable[AskedModel] = ()
    ) -> "KnownModels":
        """With the facts that are kept in a file of the user's."""
        return cls(SeenFacts.of_user(environ), models, ProviderFacts.of(environ))

    def asked(self, models: Iterable[AskedModel]) -> None:
        """Take the CLI's answer about its models, in place of an earlier one."""
        self._by_value = {model.value: model for model in models}
        self._by_model = {model.model: model for model in self._by_value.values()}

    @property
    def offered(self) -> tuple[AskedModel, ...]:
        """The models that the CLI listed, in its order."""
        return tuple(self._by_value.values())

    def answered(self, name: str, model: str | None) -> None:
        """Note that the model which answers to `name` calls itself `model`.

        That counts only for a name that does not identify a model; a known model that is answered
        by another one keeps its own facts.
        """
        if model and name not in self._by_value and documented(name) is UNKNOWN:
            self._answered[name] = model

    def learn(self, target: Target, fact: str, value: object, *, said: str) -> None:
        """Remember the lesson of a refusal about the model of a target."""
        name = undated(self.full_name(target.name))
        self.seen.note(name, fact, value, how="learnt", said=said)

    def full_name(self, name: str) -> str:
        """The model that answers to a backend's name, as far as known."""
        plain = name.partition("[")[0]
        if (listed := self._by_value.get(plain)) is not None:
            return listed.model
        return self._answered.get(name) or asked_by_cli(plain)

    def about(self, target: Target) -> KnownModel:
        """The facts about the model of a target."""
        name = self.full_name(target.name)
        values, origins = self._described(name)
        if (limit := self._provider.web_search) is not None:
            values["web_search"] = least(values["web_search"], limit)
            origins["web_search"] = Origin(kind="documented", source=self._provider.source)
        for fact, found in self.seen.about(undated(name)).items():
            values[fact] = found.value
            origins[fact] = Origin(kind=found.how, source=found.said, date=found.date)
        for fact, value in _set(target).items():
            values[fact], origins[fact] = value, Origin(kind="set", source="models.yaml")
        return KnownModel(name=name, facts=ModelFacts(**values), origins=origins)

    def _described(self, name: str) -> tuple[dict[str, Any], dict[str, Origin]]:
        row = documented(name)
        kind: OriginKind = "assumed" if row is UNKNOWN else "documented"
        origins = {fact: Origin(kind=kind, source=row.source(fact)) for fact in FACT_NAMES}
        facts = row.facts
        if (said := self._by_model.get(name)) is not None:
            facts, told = _with_asked(facts, said, described=row is not UNKNOWN)
            origins.update({fact: Origin(kind="asked", source=asked.SOURCE) for fact in told})
        return {fact: getattr(facts, fact) for fact in FACT_NAMES}, origins


def _with_asked(
    facts: ModelFacts, said: AskedModel, *, described: bool
) -> tuple[ModelFacts, tuple[str, ...]]:
    """The facts with the CLI's answer, and the names of those that it gave.

    `supportsThinkingOff` is about the CLI's own switch: 2.1.330 says false for haiku-5-5, whose
    documentation accepts `disabled`. So it counts only for models without documentation.
    """
    told = []
    if said.efforts is not None:
        facts, told = replace(facts, efforts=said.efforts), ["efforts"]
    if not described and None not in (said.adaptive_thinking, said.thinking_off):
        thinking = {"adaptive"} if said.adaptive_thinking else {"enabled"}
        off = {"disabled"} if said.thinking_off else set()
        facts = replace(facts, thinking=frozenset({*thinking, *off}))  # type: ignore[arg-type]
        told.append("thinking")
    return facts, tuple(told)


def _set(target: Target) -> dict[str, Any]:
    """The facts in the entry of the YAML."""
    options = target.options.get("facts")
    said = FactValues.model_validate(options).said() if options else {}
    if target.sampling in _BY_SAMPLING_KEY:
        said["sampling"] = _BY_SAMPLING_KEY[target.sampling]
    return said
