"""Adds system text by rule: for all requests, for some models, for some keys.

system_prompts:
  rules:
    - {text: "Answer in German. Today is {date}."}
    - {models: ["claude-opus-*"], keys: [editor], text: "Be brief.", place: replace}
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from string import Formatter
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, field_validator

from gateway import hookimpl
from gateway.context import RequestContext
from gateway.types import ChatRequest
from gateway.yaml_file.trust import NeedsTrust

NAME: Final = "system_prompts"
FIELDS: Final = ("model", "target", "key", "date")


class PromptRule(BaseModel):
    """A text, and the requests that it is for; without `models` or `keys`, all of them.

    `models` are patterns with `*`, matched with the requested name and the one it leads to.
    `text` may use {model}, {target}, {key} and {date}; a brace of its own is doubled.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    models: tuple[str, ...] = ("*",)
    keys: tuple[str, ...] | None = None
    place: Literal["before", "after", "replace"] = "before"

    @field_validator("text")
    @classmethod
    def _fields_are_known(cls, text: str) -> str:
        names = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
        if unknown := sorted(names - set(FIELDS)):
            known = ", ".join(f"{{{name}}}" for name in FIELDS)
            raise ValueError(
                f"unknown placeholder {{{unknown[0]}}}; available: {known}; "
                "write a literal brace twice"
            )
        return text


class SystemPromptsConfig(BaseModel):
    """The section `system_prompts`. All rules that fit are applied, in this order."""

    rules: Annotated[tuple[PromptRule, ...], NeedsTrust("adds text to every conversation")] = ()


@hookimpl
def gateway_register_config(register: Callable[[str, type[BaseModel]], None]) -> None:
    register(NAME, SystemPromptsConfig)


@hookimpl
def gateway_transform_request(request: ChatRequest, ctx: RequestContext) -> ChatRequest | None:
    """Apply the rules."""
    config = ctx.gateway.config
    if not config.enabled(NAME) or ctx.target is None:
        return None
    target = ctx.target
    values = {
        "model": request.model,
        "target": target.name,
        "key": request.client.key or "",
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }
    system = request.system
    for rule in config.section(NAME, SystemPromptsConfig).rules:
        by_model = any(
            fnmatchcase(name, pattern)
            for pattern in rule.models
            for name in (request.model, target.model)
        )
        if by_model and (rule.keys is None or request.client.key in rule.keys):
            system = _placed(rule, system, values)
    return replace(request, system=system)


def _placed(rule: PromptRule, system: str, values: Mapping[str, str]) -> str:
    text = rule.text.format_map(values)
    match rule.place:
        case "replace":
            return text
        case "before":
            return "\n\n".join(filter(None, (text, system)))
        case "after":
            return "\n\n".join(filter(None, (system, text)))
