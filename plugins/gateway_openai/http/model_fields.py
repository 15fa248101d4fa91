"""What clients read off an entry of `GET /v1/models`, beyond OpenAI's own fields. Pure.

Each field is one that another server has, and that clients look for already:

- `context_length`, `architecture`, `top_provider`, `supported_parameters`, `reasoning`: OpenRouter
  (openrouter.ai/docs/models, "Model Object Schema"; `ModelReasoning` of its SDKs). Its
  `supported_efforts` begin with the highest.
- `max_model_len`, and `root` for the model behind a name: vLLM (`ModelCard` in
  vllm/entrypoints/openai/protocol.py).
- `max_input_tokens`, `max_output_tokens`: LiteLLM (`model_info`; model_prices_and_context_window.json).

Open WebUI takes `id`, `name` and `description`, and hands the rest on as it is
(backend/open_webui/utils/models.py). OpenAI's SDKs keep fields that they don't know.
"""

from typing import Any, Final, NotRequired, TypedDict

from gateway.types import InputKind, ModelDescription, Parameter
from gateway_openai.fields.rows import CHAT

FIELDS: Final[dict[Parameter, tuple[str, ...]]] = {
    "max_output_tokens": ("max_tokens", "max_completion_tokens"),
    "temperature": ("temperature",),
    "top_p": ("top_p",),
    "top_k": ("top_k",),
    "stop": ("stop",),
    "tools": ("tools",),
    "tool_choice": ("tool_choice", "parallel_tool_calls"),
    "web_search": ("web_search_options",),
    "response_format": ("response_format", "structured_outputs"),
    "effort": ("reasoning_effort", "reasoning"),
}
"""What a parameter is called in requests. Names without a row in our table of fields are left out."""

NO_FIELD: Final = frozenset({"structured_outputs"})
"""OpenRouter's word for `response_format` with a JSON Schema: it is a name of the list only."""

MODALITIES: Final[dict[InputKind, str]] = {"text": "text", "image": "image", "document": "file"}


class Architecture(TypedDict):
    """`modality` is the other two in one word, such as `text+image->text`."""

    modality: str
    input_modalities: list[str]
    output_modalities: list[str]


class TopProvider(TypedDict):
    """The limits once more, where OpenRouter's clients look for the longest answer."""

    context_length: int | None
    max_completion_tokens: int | None
    is_moderated: bool


class Reasoning(TypedDict):
    """`mandatory`: the model can't be kept from thinking."""

    mandatory: bool
    supported_efforts: list[str]


class DescribedFields(TypedDict, total=False):
    """The fields of what is known; what is unknown is left out."""

    root: str
    context_length: int
    max_model_len: int
    max_input_tokens: int
    max_output_tokens: int
    supported_parameters: list[str]
    architecture: Architecture
    top_provider: TopProvider
    reasoning: Reasoning


class ModelObject(DescribedFields):
    """One model, as `openai.types.Model`. `owned_by` is the backend that answers for it.

    `description` is the model map's.
    """

    id: str
    object: str
    created: int
    owned_by: str
    description: NotRequired[str]


def described(description: ModelDescription | None) -> DescribedFields:
    """The fields for a description."""
    fields: DescribedFields = {}
    if description is None:
        return fields
    context, output = description.context_length, description.max_output_tokens
    if description.resolved is not None:
        fields["root"] = description.resolved
    if context is not None:
        fields["context_length"] = fields["max_model_len"] = context
        fields["max_input_tokens"] = context
    if output is not None:
        fields["max_output_tokens"] = output
    if context is not None or output is not None:
        fields["top_provider"] = {
            "context_length": context,
            "max_completion_tokens": output,
            "is_moderated": False,
        }
    if description.parameters is not None:
        fields["supported_parameters"] = supported(description.parameters)
    if description.inputs is not None:
        fields["architecture"] = _architecture(description.inputs)
    if description.thinking in {"optional", "always"}:
        fields["reasoning"] = {
            "mandatory": description.thinking == "always",
            "supported_efforts": [*reversed(description.efforts or ())],
        }
    return fields


def supported(parameters: tuple[Parameter, ...]) -> list[str]:
    """The fields of a request that have an effect, under the names that requests have for them."""
    names = [name for parameter in parameters for name in FIELDS[parameter]]
    return [name for name in names if name in NO_FIELD or name in CHAT.by_name]


def _architecture(inputs: tuple[InputKind, ...]) -> Architecture:
    modalities = [MODALITIES[kind] for kind in inputs]
    return {
        "modality": f"{'+'.join(modalities)}->text",
        "input_modalities": modalities,
        "output_modalities": ["text"],
    }


_TOKENS: Final = {"type": "integer", "minimum": 1}
_WORD: Final = {"type": "string"}
_WORDS: Final = {"type": "array", "items": _WORD}


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": [*properties],
        "properties": properties,
        "additionalProperties": False,
    }


SCHEMA: Final[dict[str, Any]] = {
    "title": "Model",
    "type": "object",
    "required": ["id", "object", "created", "owned_by"],
    "additionalProperties": False,
    "properties": {
        "id": _WORD,
        "object": {"const": "model"},
        "created": {"type": "integer"},
        "owned_by": _WORD,
        "description": _WORD,
        "root": {**_WORD, "description": "Full name of the model that answers"},
        "context_length": _TOKENS,
        "max_model_len": {**_TOKENS, "description": "The same as context_length"},
        "max_input_tokens": {**_TOKENS, "description": "The same as context_length"},
        "max_output_tokens": _TOKENS,
        "supported_parameters": {**_WORDS, "description": "Request fields with an effect"},
        "architecture": _object(
            modality=_WORD, input_modalities=_WORDS, output_modalities={"const": ["text"]}
        ),
        "top_provider": _object(
            context_length={**_TOKENS, "type": ["integer", "null"]},
            max_completion_tokens={**_TOKENS, "type": ["integer", "null"]},
            is_moderated={"type": "boolean"},
        ),
        "reasoning": _object(
            mandatory={"type": "boolean", "description": "Thinking can't be turned off"},
            supported_efforts={
                **_WORDS,
                "description": "Levels of reasoning_effort, highest first",
            },
        ),
    },
}
"""`ModelObject` for the OpenAPI document. What is unknown of a model is left out."""
