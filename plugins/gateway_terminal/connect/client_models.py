"""The models in a client's configuration: limits, thinking, kinds of input. Pure.

OpenClaw's `models.providers.*.models[]` takes `reasoning`, `input` ("text", "image"),
`contextWindow` and `maxTokens`; opencode's `provider.*.models.*` takes `attachment`, `reasoning`,
`modalities` ("text", "image", "pdf") and `limit`, whose two numbers go together
(opencode.ai/config.json).
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from gateway.types import InputKind, ModelDescription

Describe = Callable[[str], ModelDescription | None]

_BLOCKS: Final[Mapping[str, re.Pattern[str]]] = {
    "openclaw": re.compile(
        r'(?P<head>^(?P<indent> +)id: "(?P<name>[^"]+)",\n +name: [^\n]+,\n)'
        r"(?P<members>.*?)(?P<foot>^ +\},$)",
        re.DOTALL | re.MULTILINE,
    ),
    "opencode": re.compile(
        r'(?P<head>^ +"(?P<name>[^"]+)": \{\n(?P<indent> +)"name": [^\n]+,\n)'
        r'(?P<members> +"attachment".*?)(?P<foot>^ +\},?$)',
        re.DOTALL | re.MULTILINE,
    ),
}
"""A model in the snippet; what stands between `head` and `foot` is what is said of it."""

_OPENCLAW_INPUTS: Final[Mapping[InputKind, str]] = {"text": "text", "image": "image"}
_OPENCODE_INPUTS: Final[Mapping[InputKind, str]] = {
    "text": "text",
    "image": "image",
    "document": "pdf",
}
_COST: Final = "cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }"


def with_models(client: str, text: str, describe: Describe) -> str:
    """The client's configuration with the known facts about each model; unknown ones are left out."""

    def block(found: re.Match[str]) -> str:
        lines = _MEMBERS[client](describe(found["name"]) or ModelDescription())
        members = ",\n".join(f"{found['indent']}{line}" for line in lines)
        last = ",\n" if client == "openclaw" else "\n"
        return f"{found['head']}{members}{last}{found['foot']}"

    return _BLOCKS[client].sub(block, text)


def from_list(entry: Mapping[str, Any]) -> ModelDescription | None:
    """An entry of `GET /v1/models` as a description; None if it says nothing of the kind."""
    context, output = entry.get("context_length"), entry.get("max_output_tokens")
    if not (isinstance(context, int) and isinstance(output, int)):
        return None
    architecture = entry.get("architecture")
    said = architecture.get("input_modalities") if isinstance(architecture, dict) else None
    kinds: Mapping[str, InputKind] = {"text": "text", "image": "image", "file": "document"}
    return ModelDescription(
        context_length=context,
        max_output_tokens=output,
        thinking="optional" if "reasoning" in entry else "never",
        inputs=tuple(kind for word, kind in kinds.items() if word in said) if said else None,
    )


def _openclaw(model: ModelDescription) -> list[str]:
    lines = []
    if model.thinking is not None:
        lines.append(f"reasoning: {_flag(model)}")
    if model.inputs is not None:
        lines.append(f"input: {_words(model.inputs, _OPENCLAW_INPUTS)}")
    lines.append(_COST)
    if model.context_length is not None:
        lines.append(f"contextWindow: {model.context_length}")
    if model.max_output_tokens is not None:
        lines.append(f"maxTokens: {model.max_output_tokens}")
    return lines


def _opencode(model: ModelDescription) -> list[str]:
    inputs = model.inputs or ("text",)
    lines = [f'"attachment": {json.dumps(len(inputs) > 1)}']
    if model.thinking is not None:
        lines.append(f'"reasoning": {_flag(model)}')
    modalities = _words(inputs, _OPENCODE_INPUTS)
    lines.append(f'"modalities": {{ "input": {modalities}, "output": ["text"] }}')
    if model.context_length is not None and model.max_output_tokens is not None:
        limit = f'"context": {model.context_length}, "output": {model.max_output_tokens}'
        lines.append(f'"limit": {{ {limit} }}')
    return lines


_MEMBERS: Final[Mapping[str, Callable[[ModelDescription], list[str]]]] = {
    "openclaw": _openclaw,
    "opencode": _opencode,
}


def _flag(model: ModelDescription) -> str:
    return json.dumps(model.thinking != "never")


def _words(inputs: Sequence[InputKind], names: Mapping[InputKind, str]) -> str:
    return json.dumps([names[kind] for kind in inputs if kind in names])
