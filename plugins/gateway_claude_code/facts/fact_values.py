"""Facts in JSON and YAML: checked, and in the types of `ModelFacts`."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from gateway_claude_code.facts.model_facts import (
    EffortLevel,
    SamplingRule,
    SearchKind,
    ThinkingType,
)


class FactValues(BaseModel):
    """`options.facts` of a model entry: each fact is optional, and overrides all other sources.

    The fields are those of `ModelFacts`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    thinking: frozenset[ThinkingType] = Field(default=frozenset({"adaptive"}), min_length=1)
    efforts: tuple[EffortLevel, ...] = ()
    effort_without_thinking: EffortLevel | None = None
    sampling: SamplingRule = "defaults"
    forced_tool_choice: bool = False
    forced_while_thinking: bool = False
    prefill: bool = False
    system_messages: bool = False
    bound_thinking: bool = True
    thinking_leads_tool_loop: bool = False
    output_format: bool = False
    cache_marks: bool = True
    web_search: SearchKind = "filtered"
    max_output_tokens: int = Field(default=128_000, ge=1)
    context_window: int = Field(default=1_000_000, ge=1)

    def said(self) -> dict[str, Any]:
        """Only the given facts."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def from_json(fact: str, value: object) -> Any:  # noqa: ANN401 - as the field has it
    """A fact's value from JSON. Raises `ValueError` for an invalid one."""
    try:
        return getattr(FactValues.model_validate({fact: value}), fact)
    except ValidationError as error:
        raise ValueError(str(error)) from None


_ANYTHING: TypeAdapter[object] = TypeAdapter(object)


def to_json(value: object) -> object:
    """A fact's value for JSON; sets in a fixed order."""
    if isinstance(value, frozenset):
        return sorted(value)
    return _ANYTHING.dump_python(value, mode="json")
