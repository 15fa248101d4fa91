"""The API's sentences, in wordings of its documentation and of public issues, as clients read them."""

from dataclasses import replace

import pytest

from gateway.types import ChatRequest, Tool, WebSearchOptions
from gateway_claude_code.response.error_words import NO_REASON, client_words, without_jargon

REQUEST = ChatRequest(model="x", messages=(), tools=(Tool(name="last.one"), Tool(name="add")))
OFFERED = ("mcp__t__add", "mcp__t__last_one", "StructuredOutput")

SENTENCES = [
    # D/api/errors; vercel/ai#21364
    (
        "max_tokens: 200000 > 128000, which is the maximum allowed number of output tokens for x",
        "max_tokens",
        "max_tokens: 200000 > 128000, which is the maximum allowed number of output tokens for x",
    ),
    (
        "tools.1.custom.input_schema: JSON schema is invalid. It must match JSON Schema draft "
        "2020-12",
        "tools[0].function.parameters",
        "tools[0].function.parameters (of 'last.one'): JSON schema is invalid. It must match JSON "
        "Schema draft 2020-12",
    ),
    (
        "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
        "tools[1].function.name",
        "tools[1].function.name (of 'add'): String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
    ),
    # the tool is the CLI's own, or it is not known which one it is
    (
        "tools.2.custom.input_schema.properties: Property keys should match pattern",
        "tools",
        "tools (a tool's parameters): Property keys should match pattern",
    ),
    ("tools.9.name: too long", "tools", "tools (a tool's name): too long"),
    ("tools: Tool names must be unique.", "tools", "tools: Tool names must be unique."),
    (
        "messages.4.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
        "messages",
        "messages (the id of a tool call): String should match pattern '^[a-zA-Z0-9_-]+$'",
    ),
    (
        "messages.2: `tool_use` ids were found without `tool_result` blocks immediately after: "
        "toolu_01. Each `tool_use` block must have a corresponding `tool_result` block in the next "
        "message.",
        "messages",
        "messages: ids of tool calls were found without tool results immediately after: toolu_01. "
        "Each tool call must have a corresponding tool result in the next message.",
    ),
    (
        "messages.0.content.1.image.source.base64.data: image exceeds 10 MB maximum",
        "messages",
        "messages (an image): image exceeds 10 MB maximum",
    ),
    (
        "messages.3.content.0.document.source: The PDF specified was not valid.",
        "messages",
        "messages (a file): The PDF specified was not valid.",
    ),
    (
        "system: text content blocks must be non-empty",
        "messages",
        "messages: text content blocks must be non-empty",
    ),
    (
        "stop_sequences.0: each stop sequence must contain non-whitespace",
        "stop",
        "stop: each stop sequence must contain non-whitespace",
    ),
    (
        "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly "
        "set to false",
        "response_format.json_schema.schema",
        "response_format.json_schema.schema: For 'object' type, 'additionalProperties' must be "
        "explicitly set to false",
    ),
    (
        "`temperature` and `top_p` cannot both be specified for this model. Please use only one.",
        "temperature",
        "temperature and top_p cannot both be specified for this model. Please use only one.",
    ),
    (
        "`temperature` is deprecated for this model.",
        "temperature",
        "This model does not accept temperature. Leave it out.",
    ),
    (
        "top_k: Extra inputs are not permitted",
        "top_k",
        "This model does not accept top_k. Leave it out.",
    ),
    (
        "metadata.user_id: String should have at most 256 characters",
        "user",
        "user: String should have at most 256 characters",
    ),
    (
        "tool_choice: Tool 'mcp__t__last_one' not found in provided tools",
        "tools[0].function.parameters",
        "The model's tools do not include 'last.one', since its schema could not be used. "
        "Simplify the tool's parameters.",
    ),
    (
        "Forced tool use failed because tool find was not defined",
        "tools",
        "The model's tools do not include 'find', since its schema could not be used. Simplify "
        "the tool's parameters.",
    ),
    (
        "messages.1.role: 'thinking' and `system` are no roles",
        "messages",
        "messages: 'thinking' and `system` are no roles",
    ),
    (
        "A maximum of 4 blocks with cache_control may be provided. Found 5.",
        None,
        "The model's API rejected the marks for its prompt cache in this request.",
    ),
    (
        "context_management: Extra inputs are not permitted",
        None,
        "The model's API rejected a setting that the Claude Code CLI adds to each request.",
    ),
    (
        "output_format.schema: not valid",
        "response_format.json_schema.schema",
        "response_format.json_schema.schema: not valid",
    ),
    (
        'Tool "mcp__t__last_one" was called; mcp__b__other was not',
        None,
        'Tool "last.one" was called; other was not',
    ),
    ("The PDF file was not valid.", "messages", "The PDF file was not valid."),
    (
        "API Error: an image in the conversation could not be processed and was removed.",
        "messages",
        "an image in the conversation could not be processed and was removed.",
    ),
    ("Thinking is a good thing for all models.", None, "Thinking is a good thing for all models."),
]


@pytest.mark.parametrize(("sentence", "param", "text"), SENTENCES)
def test_a_sentence(sentence: str, param: str | None, text: str) -> None:
    words = client_words(sentence, REQUEST, OFFERED)
    assert (words.param, words.text) == (param, text)


@pytest.mark.parametrize(
    ("sentence", "param"),
    [
        # D/api/errors: "Thinking cannot be disabled", "Forced tool use not supported", …
        ("thinking.type: Input should be 'adaptive'", "reasoning_effort"),
        (
            '"thinking.type.disabled" is not supported for this model. Use "thinking.type.adaptive" '
            'and "output_config.effort" to control thinking behavior.',
            "reasoning_effort",
        ),
        ("`max_tokens` must be greater than `thinking.budget_tokens`.", "max_tokens"),
        (
            "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found "
            "`tool_use`. When `thinking` is enabled, a final `assistant` message must start with "
            "a thinking block.",
            "messages",
        ),
        (
            "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found "
            "`text`.",
            "messages",
        ),
        ("This model does not support the effort parameter.", "reasoning_effort"),
        ("Thinking may not be enabled when tool_choice forces tool use.", "tool_choice"),
        ("tool_choice.type: forced tool use is not supported for this model", "tool_choice"),
        ("This model does not support assistant message prefill.", "messages"),
        ("messages.1.content.0.text.cache_control.ttl: ttl '1h' must not come after", None),
        ("A maximum of 4 blocks with cache_control may be provided. Found 5.", None),
    ],
)
def test_what_a_client_can_not_make_anything_of_says_what_to_change(
    sentence: str, param: str | None
) -> None:
    words = client_words(sentence)
    assert words.param == param
    assert words.text != sentence
    for internal in ("thinking.type", "output_config", "budget_tokens", "prefill"):
        assert internal not in words.text


@pytest.mark.parametrize(
    "sentence",
    [
        "messages.1.content.0: Invalid `signature` in `thinking` block",
        "messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a "
        "different conversation. Remove the block, or set "
        '`thinking.block_binding.prefix_mismatch_behavior` to "drop_block".',
        "messages.3.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant "
        "message cannot be modified. These blocks must remain as they were.",
        "messages.1.content.0.thinking.signature: Field required",
    ],
)
def test_thinking_that_does_not_fit_says_what_to_send(sentence: str) -> None:
    words = client_words(sentence, REQUEST, OFFERED)
    assert words.param == "messages"
    assert "Resend the conversation unchanged, or use reasoning_effort 'none'." in words.text
    assert "signature" not in words.text


@pytest.mark.parametrize(
    "sentence",
    [
        "tools.1.custom.input_schema: JSON schema is invalid.",
        "tools.0: Input should be a valid dictionary",
    ],
)
def test_without_the_order_of_the_tools_there_is_no_index(sentence: str) -> None:
    assert client_words(sentence, REQUEST).param == "tools"
    assert client_words(sentence).param == "tools"
    assert "[" not in client_words(sentence).text


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("API Error: 400 no good", "no good"),
        ("API Error: Request rejected (429) · Slow down.", "Slow down."),
        (
            "API Error: Server is temporarily limiting requests (not your usage limit) · Slow.",
            "Slow.",
        ),
        (
            "API Error: 529 Overloaded. This is a server-side issue, usually temporary — try again "
            "in a moment. If it persists, check your inference gateway (127.0.0.1:44189).",
            "Overloaded.",
        ),
        (
            "API Error: Repeated 529 Overloaded errors. The API is at capacity — this is usually "
            "temporary. Try again in a moment.",
            "Repeated 529 Overloaded errors.",
        ),
        (
            "There's an issue with the selected model (x). It may not exist or you may not have "
            "access to it. Run --model to pick a different model.",
            "There's an issue with the selected model (x). It may not exist or you may not have "
            "access to it.",
        ),
        (
            "Image was too large. Double press esc to go back and try again with a smaller image.",
            "Image was too large.",
        ),
        (
            "Usage credits required for 1M context · run /usage-credits to turn them on, or /model",
            "Usage credits required for 1M context",
        ),
        ("Not logged in · Please run /login", "Not logged in"),
        ("Failed to authenticate. API Error: 403 Not yours.", "Not yours."),
        ("No answer. API Error: 500 Oops.", "No answer. Oops."),
        ("Failed to authenticate.", "Failed to authenticate."),
        ("Invalid API key · Fix external API key", "Invalid API key"),
        (
            "an image in the conversation could not be processed and was removed. Re-read the file "
            "with a different approach if you still need it.",
            "an image in the conversation could not be processed and was removed.",
        ),
        ("API Error: 400 ", NO_REASON),
        ("", NO_REASON),
    ],
)
def test_what_the_cli_says_at_a_terminal_is_dropped(said: str, sentence: str) -> None:
    assert without_jargon(said) == sentence


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "tools.2.web_search_20250305.user_location.country: unsupported country code 'XX'",
            "web_search_options: unsupported country code 'XX'",
        ),
        (
            "tools.2: Input tag 'web_search_20250305' found using 'type' does not match",
            "web_search_options: Input tag 'web_search_20250305' found using 'type' does not match",
        ),
    ],
)
def test_what_is_wrong_with_a_search_is_in_the_clients_field(said: str, words: str) -> None:
    asking = replace(REQUEST, web_search=WebSearchOptions(place="web_search_options"))
    found = client_words(said, asking, (*OFFERED[:2], "web_search"))
    assert (found.text, found.param) == (words, "web_search_options")
    assert client_words(said, REQUEST, (*OFFERED[:2], "web_search")).param == "tools"
