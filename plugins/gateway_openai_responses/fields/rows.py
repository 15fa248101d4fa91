"""The rows of the table of request fields: one for each field that a client may send.

Names are those of `openai.types.responses.response_create_params` (openai-python 3.54), and of
Codex's own fields. Fields within fields have a row if they have no effect; the others are spoken of
in the row of the field that they are in.
"""

from typing import Final

from gateway.frontend import Behaviour, FieldTable, RequestField
from gateway_openai_responses.wire.content import OtherPart
from gateway_openai_responses.wire.items import OtherItem

_NEVER_REPORTED: Final = "echoed from an earlier answer; never reported"


def _field(
    name: str, behaviour: Behaviour, how: str = "", defaults: tuple[object, ...] = ()
) -> RequestField:
    return RequestField(name=name, behaviour=behaviour, how=how, defaults=defaults)


def _echoed(name: str, how: str = _NEVER_REPORTED) -> RequestField:
    return RequestField(
        name=name, behaviour="ignored", how=how, echoed=True, reported=how != _NEVER_REPORTED
    )


_CACHING: Final = "the backend manages caching"
_WHERE_TAKEN: Final = "if the model accepts it; otherwise reported as ignored"
_LISTED: Final = "every tool is offered directly"

ROWS: Final = (
    _field("model", "honoured", "looked up in the model map; unknown is 404 `model_not_found`"),
    _field(
        "input",
        "honoured",
        "a string, or items: messages, calls and outputs of every kind of tool that the client "
        "runs, images, PDF and text files, reasoning, `item_reference`, `additional_tools`; audio, "
        "`file_id`, `file_url` and `compaction` are rejected; items of other tools are skipped and "
        "reported as `input.TYPE`",
    ),
    RequestField(
        name="input.reasoning",
        behaviour="honoured",
        how="by Dragoman's own `encrypted_content`; reasoning of other servers, and reasoning "
        "without it, is skipped and reported; never rejected",
        echoed=True,
    ),
    _field(
        "instructions",
        "honoured",
        "the beginning of the system prompt; not carried over by `previous_response_id`",
    ),
    _field(
        "previous_response_id",
        "honoured",
        "if that response is kept; otherwise 400 `previous_response_not_found`",
    ),
    _field("stream", "honoured", "server-sent events"),
    _field("stream_options", "honoured", "it has one field, and that has no effect"),
    _field("stream_options.include_obfuscation", "ignored", "never padded", (False,)),
    _field(
        "store",
        "honoured",
        "responses are kept on this machine unless it is `false`, and unless the configuration "
        "turns it off",
    ),
    _field(
        "include",
        "honoured",
        "`reasoning.encrypted_content` and `web_search_call.action.sources`; other values have no "
        "effect, and unknown ones are rejected",
    ),
    _field(
        "max_output_tokens",
        "honoured",
        "0 means unset; lowered to the model's limit if higher, and reported as adjusted",
    ),
    _field("max_tool_calls", "honoured", "limits the searches of an answer"),
    _field("metadata", "honoured", "returned and kept with the response"),
    _field("parallel_tool_calls", "honoured", "`false` allows one call per answer"),
    _field(
        "reasoning",
        "honoured",
        "`effort`: `none` to `max`, or the model's nearest level, takes precedence over "
        "`temperature`; `summary` (or `generate_summary`): any of its values returns the thinking "
        "as the model's API shows it",
    ),
    _field("reasoning.context", "ignored", "chosen by the backend", ("auto",)),
    _field("reasoning.mode", "ignored", "", ("standard",)),
    _field(
        "text",
        "honoured",
        "`format`: `text`; `json_schema` natively; `json_object` by an instruction",
    ),
    _field("text.verbosity", "ignored", "", ("medium",)),
    _field(
        "tools",
        "honoured",
        "`function`, `custom`, `local_shell`, `shell`, `apply_patch`, `namespace`, `tool_search` "
        "that the client runs, and `web_search` if the configuration allows it; other hosted tools "
        "are rejected, and unknown ones are skipped and reported as `tools.TYPE`",
    ),
    _field(
        "tools.format",
        "emulated",
        "the grammar of a custom tool becomes part of its description; reported as adjusted",
    ),
    _field("tools.search_content_types", "ignored", "pictures are not searched", (["text"],)),
    _field("tools.async", "ignored", "", (False,)),
    _field("tools.output_schema", "ignored"),
    _field("tools.defer_loading", "ignored", _LISTED, (False,)),
    _field("tools.allowed_callers", "ignored", "the model calls tools directly", (["direct"],)),
    _field("tools.tools.async", "ignored", "", (False,)),
    _field("tools.tools.output_schema", "ignored"),
    _field("tools.tools.defer_loading", "ignored", _LISTED, (False,)),
    _field("tools.tools.allowed_callers", "ignored", "as above", (["direct"],)),
    _field(
        "tool_choice",
        "honoured",
        "`none`, `auto`, `required`, one tool, `allowed_tools`; hosted tools are rejected",
    ),
    _field("temperature", "honoured", _WHERE_TAKEN),
    _field("top_p", "honoured", _WHERE_TAKEN),
    _field("top_logprobs", "ignored", "the range is validated", (0,)),
    _field(
        "truncation",
        "ignored",
        "a conversation that is too long is a 400 `context_length_exceeded`",
        ("disabled",),
    ),
    _field("background", "refused", "only `false` is accepted", (False,)),
    _field("background_options", "ignored", "", ({},)),
    _field("conversation", "refused", "send the items, or `previous_response_id`"),
    _field("prompt", "refused", "templates are kept by OpenAI; send `instructions` and `input`"),
    _field("context_management", "ignored", "nothing is compacted", ([],)),
    _field("access_programs", "ignored", "", ({},)),
    _field("image", "ignored", "pictures are not generated", ({},)),
    _field("moderation", "ignored"),
    _field("prompt_cache_key", "ignored", _CACHING),
    _field("prompt_cache_options", "ignored", _CACHING),
    _field("prompt_cache_retention", "ignored", _CACHING),
    _field("safety_identifier", "ignored", "returned with the response"),
    _field("service_tier", "ignored", "", ("auto", "default")),
    _field("user", "ignored", "returned with the response"),
    _field("client_metadata", "ignored", "Codex's own"),
    _field("input.content.prompt_cache_breakpoint", "ignored", _CACHING),
    _field("input.content.detail", "ignored", "chosen by the backend", ("auto",)),
    _field("input.output.prompt_cache_breakpoint", "ignored", _CACHING),
    _field("input.output.detail", "ignored", "chosen by the backend", ("auto",)),
    _field("input.max_output_length", "ignored", "of an output"),
    _echoed("input.web_search_call", "the provider's results are not kept by clients"),
    _echoed("input.id"),
    _echoed("input.status"),
    _echoed("input.phase"),
    _echoed("input.caller"),
    _echoed("input.async"),
    _echoed("input.environment"),
    _echoed("input.created_by"),
    _echoed("input.summary"),
    _echoed("input.content.annotations"),
    _echoed("input.content.logprobs"),
    _echoed("input.parsed"),
    _echoed("input.parsed_arguments"),
    _echoed("input.content.parsed"),
)

RESPONSES: Final = FieldTable("responses", ROWS, (OtherItem, OtherPart))
