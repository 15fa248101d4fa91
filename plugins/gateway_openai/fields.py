"""What becomes of each field of a chat completion request: the one table.

It decides at run time which fields are reported as ignored (`x-dragoman-ignored`) or refused,
and `markdown_table` makes the documentation of it. The field names are those of
`openai.types.chat.completion_create_params`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from gateway.errors import UnsupportedParameter

Behaviour: TypeAlias = Literal["honoured", "emulated", "ignored", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestField:
    """One field. `defaults` are values that ask for nothing, and so need no word; null never does.

    A name with a dot is a field within a field; decoding reports it where it meets it.
    """

    name: str
    behaviour: Behaviour
    how: str
    defaults: tuple[object, ...] = ()


def _field(
    name: str, behaviour: Behaviour, how: str, defaults: tuple[object, ...] = ()
) -> RequestField:
    return RequestField(name=name, behaviour=behaviour, how=how, defaults=defaults)


FIELDS: tuple[RequestField, ...] = (
    _field("model", "honoured", "looked up in the model map; unknown is 404 `model_not_found`"),
    _field(
        "messages",
        "honoured",
        "text, images, PDF and text files, tool calls and results; audio and `file_id` are refused",
    ),
    _field("stream", "honoured", "server-sent events"),
    _field("stream_options", "honoured", "`include_usage`"),
    _field("max_completion_tokens", "honoured", "goes before `max_tokens`; 0 is unset"),
    _field("max_tokens", "honoured", "0 is unset"),
    _field("temperature", "honoured", "where the model takes it; otherwise reported as ignored"),
    _field("top_p", "honoured", "where the model takes it; otherwise reported as ignored"),
    _field("n", "emulated", "n answers are asked for at the same time; the prompt counts once"),
    _field("stop", "honoured", "those of white space only are emulated by cutting the text"),
    _field("tools", "honoured", "type `function` only; other types are refused"),
    _field("tool_choice", "honoured", "`none`, `auto`, `required`, a function, `allowed_tools`"),
    _field("parallel_tool_calls", "honoured", "`false` allows one call an answer"),
    _field("functions", "emulated", "as `tools`; the answer has `function_call`"),
    _field("function_call", "emulated", "as `tool_choice`"),
    _field(
        "response_format",
        "honoured",
        "`text`; `json_schema` natively; `json_object` by an instruction",
    ),
    _field("reasoning_effort", "honoured", "`none` to `max`"),
    _field("modalities", "refused", "anything but `text`", ([], ["text"])),
    _field("audio", "ignored", "there is no audio output"),
    _field("frequency_penalty", "ignored", "checked for its range", (0,)),
    _field("presence_penalty", "ignored", "checked for its range", (0,)),
    _field("logit_bias", "ignored", "", ({},)),
    _field("logprobs", "ignored", "`logprobs` is null in every choice", (False,)),
    _field("top_logprobs", "ignored", "checked for its range", (0,)),
    _field("seed", "ignored", "answers can't be repeated"),
    _field("prediction", "ignored", ""),
    _field("verbosity", "ignored", "", ("medium",)),
    _field("web_search_options", "ignored", "the model gets the client's tools only"),
    _field("moderation", "ignored", ""),
    _field("metadata", "ignored", "nothing is stored", ({},)),
    _field("store", "ignored", "nothing is stored", (False,)),
    _field("service_tier", "ignored", "", ("auto", "default")),
    _field("user", "ignored", ""),
    _field("safety_identifier", "ignored", ""),
    _field("prompt_cache_key", "ignored", "caching is the backend's own"),
    _field("prompt_cache_options", "ignored", "caching is the backend's own"),
    _field("prompt_cache_retention", "ignored", "caching is the backend's own"),
    _field("stream_options.include_obfuscation", "ignored", "chunks are never padded", (False,)),
    _field("messages.name", "ignored", "the name of a user, assistant or system", ("",)),
    _field("messages.content.image_url.detail", "ignored", "the backend decides", ("auto",)),
)

BY_NAME: Mapping[str, RequestField] = {field.name: field for field in FIELDS}


def asks_for_something(name: str, value: object) -> bool:
    """Whether a field with this value is anything but null and the API's default."""
    field = BY_NAME.get(name)
    return value is not None and not (field and value in field.defaults)


def ignored_fields(given: Mapping[str, object]) -> tuple[str, ...]:
    """Which of the given top-level fields have no effect; fields not in the table are among them.

    Raises `UnsupportedParameter` for a field that is refused.
    """
    ignored = []
    for name, value in given.items():
        field = BY_NAME.get(name)
        if not asks_for_something(name, value):
            continue
        if field is None or field.behaviour == "ignored":
            ignored.append(name)
        elif field.behaviour == "refused":
            raise UnsupportedParameter(
                f"{name!r} is not supported with this value: {field.how} is refused.", param=name
            )
    return tuple(ignored)


def markdown_table() -> str:
    """The table for the documentation."""
    rows = [f"| `{field.name}` | {field.behaviour} | {field.how} |" for field in FIELDS]
    rows.append("| any other field | ignored | |")
    return "\n".join(["| field | behaviour | how |", "|---|---|---|", *rows]) + "\n"
