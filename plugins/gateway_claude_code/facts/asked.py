"""The installed CLI's answer about its models, to the control request `list_models`.

Seen with CLI 2.1.330 and 2.1.332: for each model `value`, `resolvedModel`, `supportsEffort`,
`supportedEffortLevels`, `supportsAdaptiveThinking`, `supportsThinkingOff`. Needs no login.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway_claude_code.facts.model_facts import EFFORT_LEVELS, EffortLevel

SOURCE = "list_models"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedModel:
    """One model of the list. None means that the CLI did not say.

    `value` is a name to request, such as "opus" or "default", and `model` the full name.
    """

    value: str
    model: str
    description: str | None = None
    efforts: tuple[EffortLevel, ...] | None = None
    adaptive_thinking: bool | None = None
    thinking_off: bool | None = None


def read_models(response: object) -> list[AskedModel]:
    """The models in the answer to `list_models`; entries without a name are left out."""
    found = response.get("models") if isinstance(response, Mapping) else None
    entries = found if isinstance(found, list) else []
    return [model for entry in entries if (model := _read(entry)) is not None]


def _read(entry: object) -> AskedModel | None:
    if not isinstance(entry, Mapping):
        return None
    value, model = _text(entry.get("value")), _text(entry.get("resolvedModel"))
    if not value or not model:
        return None
    return AskedModel(
        value=value,
        model=model.partition("[")[0],
        description=_text(entry.get("description")),
        efforts=_efforts(entry),
        adaptive_thinking=_flag(entry.get("supportsAdaptiveThinking")),
        thinking_off=_flag(entry.get("supportsThinkingOff")),
    )


def _efforts(entry: Mapping[str, Any]) -> tuple[EffortLevel, ...] | None:
    if entry.get("supportsEffort") is False:
        return ()
    levels = entry.get("supportedEffortLevels")
    if not isinstance(levels, list):
        return None
    return tuple(level for level in EFFORT_LEVELS if level in levels)


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
