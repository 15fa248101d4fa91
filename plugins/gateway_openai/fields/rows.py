"""The rows of the table of request fields: one for each field that OpenAI's clients may send.

Names are those of `openai.types.chat.completion_create_params` and
`openai.types.completion_create_params` (openai-python 3.54), of other gateways' extensions, and
of our own answers, which come back as messages. Fields within fields have a row if they have
no effect; the others are spoken of in the row of the field that they are in.
"""

from typing import Final, Literal, TypeAlias

from gateway.frontend import Behaviour, FieldTable, RequestField
from gateway_openai.wire.messages import PASSED_OVER, OtherMessage, OtherPart

Endpoint: TypeAlias = Literal["chat", "completions"]

_NEVER_REPORTED: Final = "echoed from an earlier answer; never reported"
_EARLIER_THINKING: Final = "echoed thinking; never rejected"


def _field(
    name: str, behaviour: Behaviour, how: str = "", defaults: tuple[object, ...] = ()
) -> RequestField:
    return RequestField(name=name, behaviour=behaviour, how=how, defaults=defaults)


def _chat(
    name: str, behaviour: Behaviour, how: str = "", defaults: tuple[object, ...] = ()
) -> RequestField:
    return _one("chat", name, behaviour, how, defaults)


def _text(
    name: str, behaviour: Behaviour, how: str = "", defaults: tuple[object, ...] = ()
) -> RequestField:
    return _one("completions", name, behaviour, how, defaults)


def _one(
    endpoint: Endpoint, name: str, behaviour: Behaviour, how: str, defaults: tuple[object, ...]
) -> RequestField:
    return RequestField(
        name=name, behaviour=behaviour, how=how, defaults=defaults, endpoints=(endpoint,)
    )


def _echoed(name: str, how: str = _NEVER_REPORTED) -> RequestField:
    return RequestField(
        name=name,
        behaviour="ignored",
        how=how,
        defaults=("",),
        endpoints=("chat",),
        echoed=True,
        reported=how != _NEVER_REPORTED,
    )


_LOWERED: Final = "lowered to the model's limit if higher, and reported as adjusted"
_WHERE_TAKEN: Final = "if the model accepts it; otherwise reported as ignored"
_CACHING: Final = "the backend manages caching"

ROWS: Final = (
    _field("model", "honoured", "looked up in the model map; unknown is 404 `model_not_found`"),
    _chat(
        "messages",
        "honoured",
        "text, images, PDF and text files, tool calls and results; audio and `file_id` are "
        "rejected",
    ),
    _text(
        "prompt",
        "honoured",
        "a string, or a list of strings with `n` choices for each; empty prompts and token ids are "
        "rejected",
    ),
    _field("stream", "honoured", "server-sent events"),
    _field("stream_options", "honoured", "`include_usage`"),
    _chat(
        "max_completion_tokens",
        "honoured",
        f"takes precedence over `max_tokens`; 0 means unset; {_LOWERED}",
    ),
    _chat("max_tokens", "honoured", f"0 means unset; {_LOWERED}"),
    _text(
        "max_tokens",
        "honoured",
        f"0 means unset; if unset, there is no limit (OpenAI's default is 16); {_LOWERED}",
    ),
    _field("temperature", "honoured", f"{_WHERE_TAKEN}; {_LOWERED}"),
    _field("top_p", "honoured", _WHERE_TAKEN),
    _field("top_k", "honoured", f"{_WHERE_TAKEN}; 0 and -1 mean unset"),
    _field(
        "n",
        "emulated",
        "n answers are requested, as many at a time as processes and the key allow; the prompt "
        "counts once",
    ),
    _text(
        "best_of", "ignored", "no more than `n` answers are requested; less than `n` is rejected"
    ),
    _field("stop", "honoured", "whitespace-only sequences are emulated: the text is cut"),
    _text("echo", "emulated", "the prompt is put before the text"),
    _text("suffix", "refused", "only an empty one is accepted", ("",)),
    _chat(
        "tools",
        "honoured",
        "type `function`, with or without the wrapping object `function`, and Anthropic's form "
        "with `input_schema`; other types are rejected",
    ),
    _chat(
        "tool_choice",
        "honoured",
        "`none`, `auto`, `required`, a function, `allowed_tools`; also Anthropic's `any` and "
        "`tool`",
    ),
    _chat("parallel_tool_calls", "honoured", "`false` allows one call per answer"),
    _chat("functions", "emulated", "as `tools`; the answer has `function_call`"),
    _chat("function_call", "emulated", "as `tool_choice`"),
    _chat(
        "response_format",
        "honoured",
        "`text`; `json_schema` natively; `json_object` by an instruction",
    ),
    _chat(
        "reasoning_effort",
        "honoured",
        "`none` to `max`, or the model's nearest level; takes precedence over `temperature`, "
        "`reasoning` and `thinking`",
    ),
    _chat(
        "reasoning",
        "honoured",
        "`effort`, `enabled`, `exclude`; `max_tokens` becomes the nearest effort",
    ),
    _chat("thinking", "honoured", "`type`; `budget_tokens` becomes the nearest effort"),
    _chat("modalities", "refused", "only `text` is accepted", ([], ["text"])),
    _chat("audio", "ignored", "audio output is not available"),
    _field("frequency_penalty", "ignored", "the range is validated", (0,)),
    _field("presence_penalty", "ignored", "the range is validated", (0,)),
    _field("logit_bias", "ignored", "", ({},)),
    _chat("logprobs", "ignored", "`logprobs` is null in every choice", (False,)),
    _text("logprobs", "ignored", "`logprobs` is null in every choice; the range is validated"),
    _chat("top_logprobs", "ignored", "the range is validated", (0,)),
    _field("seed", "ignored", "answers are not reproducible"),
    _chat("prediction", "ignored"),
    _chat("verbosity", "ignored", "", ("medium",)),
    _chat(
        "web_search_options",
        "honoured",
        "rejected unless the YAML allows web search; with `search_context_size` `low`, 2 searches "
        "at most, `high` is reported as adjusted; not with a JSON schema",
    ),
    _chat("moderation", "ignored"),
    _chat("metadata", "ignored", "nothing is stored", ({},)),
    _chat("store", "ignored", "nothing is stored", (False,)),
    _chat("service_tier", "ignored", "", ("auto", "default")),
    _field("user", "ignored"),
    _chat("safety_identifier", "ignored"),
    _chat("prompt_cache_key", "ignored", _CACHING),
    _chat("prompt_cache_options", "ignored", _CACHING),
    _chat("prompt_cache_retention", "ignored", _CACHING),
    _field("stream_options.include_obfuscation", "ignored", "chunks are never padded", (False,)),
    _chat(
        "messages.name",
        "ignored",
        "the speaker's name; the name of a function message is honoured",
        ("",),
    ),
    _chat("messages.audio", "ignored", "audio is not available"),
    _chat("messages.cache_control", "ignored", _CACHING),
    _chat("messages.content.image_url.detail", "ignored", "chosen by the backend", ("auto",)),
    _chat("messages.content.prompt_cache_breakpoint", "ignored", _CACHING),
    _chat("messages.content.cache_control", "ignored", _CACHING),
    _chat("tools.cache_control", "ignored", _CACHING),
    _echoed("messages.annotations"),
    _echoed("messages.web_searches"),
    _echoed("messages.reasoning_content", _EARLIER_THINKING),
    _echoed("messages.reasoning", _EARLIER_THINKING),
    *(_echoed(f"messages.content.{kind}", _EARLIER_THINKING) for kind in PASSED_OVER),
    _echoed("messages.parsed"),
    _echoed("messages.tool_calls.index"),
    _echoed("messages.tool_calls.function.parsed_arguments"),
)

_OPAQUE: Final = (OtherMessage, OtherPart)

CHAT: Final = FieldTable("chat", ROWS, _OPAQUE)
COMPLETIONS: Final = FieldTable("completions", ROWS, _OPAQUE)
