"""Cases of the rules about sampling, thinking, effort, formats, marks and media."""

from gateway_claude_code.upstream.rules.content.signatures import sign
from tests.claude_code.upstream.rules.rule_cases import (
    HAIKU,
    HELLO,
    LOOK,
    OPUS,
    OPUS_4_5,
    OPUS_4_8,
    OPUS_5,
    SONNET,
    SONNET_4_5,
    SONNET_4_6,
    Body,
    Case,
    answer_of,
    called,
    document,
    enabled,
    inline,
    marked,
    of_object,
    optional,
    picture,
    pictures,
    png,
    request,
    result,
    said,
    text,
    thinking,
    tool,
)

STRING = {"type": "string"}
NULLABLE = {"anyOf": [STRING, {"type": "null"}]}
CLEARING = {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}
CONTEXT_BETA = "context-management-2025-06-27"
TURN_BETA = "per-turn-control-2026-07-01"


def effort(level: str) -> Body:
    return {"output_config": {"effort": level}}


def thought(words: str, made_of: str = "", question: Body = HELLO) -> Body:
    """An assistant's thinking, signed for `made_of` or for these words, and its answer."""
    signature = sign(request(question), [], made_of or words)
    block = {"type": "thinking", "thinking": words, "signature": signature}
    return said(block, text("So."), role="assistant")


def thinking_loop(*first: Body) -> list[Body]:
    call = called("a")
    return [HELLO, {**call, "content": [*first, *call["content"]]}, said(result("a"))]


CIRCLE = {
    "$ref": "#/$defs/node",
    "$defs": {"node": of_object(next={"$ref": "#/$defs/node"})},
}
SIGNED_FOR_4_5 = sign(request(model=SONNET_4_5), [], "Hm")

CASES = {
    "sampling.ranges": Case(
        wrong=[request(temperature=1.5), request(top_p=-1), request(temperature="1")],
        right=[request(temperature=0, model=SONNET_4_5)],
        says="Input should be",
    ),
    "sampling.defaults": Case(
        wrong=[request(temperature=0), request(top_p=0.5), request(top_k=5)],
        right=[request(temperature=1), request(top_p=1), request(temperature=0, model=SONNET_4_5)],
        says="` is deprecated for this model.",
    ),
    "sampling.one": Case(
        wrong=[request(temperature=0, top_p=0.5, model=SONNET_4_5)],
        right=[request(top_p=0.5, model=SONNET_4_5)],
        says="`temperature` and `top_p` cannot both be specified for this model.",
    ),
    "sampling.thinking": Case(
        wrong=[
            enabled(1024, temperature=0),
            enabled(1024, top_p=0.5),
            enabled(1024, top_k=5),
            request(temperature=0, model=SONNET_4_6, **thinking("adaptive")),
        ],
        right=[enabled(1024, temperature=1), enabled(1024, top_p=0.95)],
        says="when thinking is enabled or in adaptive mode",
    ),
    "thinking.type": Case(
        wrong=[
            request(model=OPUS, **thinking("disabled")),
            request(model=SONNET, **thinking("disabled")),
            request(model=HAIKU, **thinking("between_tools")),
            request(model=OPUS_4_8, **thinking("enabled", budget_tokens=1024)),
            request(model=SONNET_4_5, **thinking("adaptive")),
            request(**thinking("sometimes")),
        ],
        right=[
            request(model=OPUS, **thinking("adaptive")),
            request(model=SONNET, **thinking("between_tools")),
            request(model=HAIKU, **thinking("disabled")),
            request(model=SONNET_4_6, **thinking("enabled", budget_tokens=1024)),
        ],
        says="thinking",
    ),
    "thinking.fields": Case(
        wrong=[
            request(model=SONNET, **thinking("between_tools", display="summarized")),
            request(model=HAIKU, **thinking("disabled", budget_tokens=0)),
        ],
        right=[request(**thinking("adaptive", display="omitted"))],
        says="Extra inputs are not permitted",
    ),
    "thinking.budget": Case(
        wrong=[enabled(1023), enabled(4096), request(model=SONNET_4_5, **thinking("enabled"))],
        right=[enabled(1024), enabled(4095)],
        says="budget_tokens",
    ),
    "thinking.leads_tool_loop": Case(
        wrong=[enabled(1024, messages=thinking_loop(), tools=[LOOK])],
        right=[
            enabled(
                1024,
                messages=thinking_loop(
                    {"type": "thinking", "thinking": "Hm", "signature": SIGNED_FOR_4_5}
                ),
                tools=[LOOK],
            ),
            request(*thinking_loop(), tools=[LOOK], model=SONNET_4_5, **thinking("disabled")),
            request(*thinking_loop(), tools=[LOOK], model=OPUS, **thinking("adaptive")),
        ],
        says="messages.1.content.0.type: Expected `thinking` or `redacted_thinking`",
    ),
    "thinking.clearing": Case(
        wrong=[
            request(
                model=HAIKU,
                context_management=CLEARING,
                beta=CONTEXT_BETA,
                **thinking("disabled"),
            )
        ],
        right=[request(context_management=CLEARING, beta=CONTEXT_BETA, **thinking("adaptive"))],
        says="strategy requires `thinking` to be enabled or adaptive",
    ),
    "thinking.unmodified": Case(
        wrong=[
            request(HELLO, thought("Hm!", made_of="Hm"), HELLO),
            request(
                HELLO,
                said(
                    {"type": "thinking", "thinking": "Hm", "signature": "c2lnbmF0dXJl"},
                    role="assistant",
                ),
                HELLO,
                model=OPUS_4_5,
            ),
        ],
        right=[request(HELLO, thought("Hm"), HELLO), request(HELLO, thought(""), HELLO)],
        says="messages.1.content.0: ",
    ),
    "thinking.bound": Case(
        wrong=[request(HELLO, thought("Hm", question=said(text("Goodbye"))), HELLO)],
        right=[
            request(HELLO, thought("Hm"), HELLO),
            request(HELLO, thought("Hm", question=said(text("Bye"))), HELLO, model=OPUS_5),
        ],
        says="The block is bound to a different conversation.",
    ),
    "effort.accepted": Case(
        wrong=[
            request(model=SONNET_4_5, **effort("low")),
            request(model=SONNET_4_6, **effort("xhigh")),
            request(model=OPUS_4_5, **effort("max")),
            request(**effort("extreme")),
        ],
        right=[request(**effort("max")), request(model=SONNET_4_6, **effort("max"))],
        says="effort",
    ),
    "effort.without_thinking": Case(
        wrong=[
            request(model=HAIKU, **thinking("disabled"), **effort("xhigh")),
            request(model=SONNET, **thinking("between_tools"), **effort("max")),
        ],
        right=[
            request(model=HAIKU, **thinking("disabled"), **effort("high")),
            request(model=OPUS_4_8, **thinking("disabled"), **effort("max")),
        ],
        says="is not supported when thinking is disabled on this model.",
    ),
    "effort.differs": Case(
        wrong=[
            request(
                HELLO,
                {"role": "system", "content": [], **effort("low")},
                model=SONNET,
                beta=TURN_BETA,
                **thinking("between_tools"),
                **effort("high"),
            )
        ],
        right=[
            request(
                HELLO,
                {"role": "system", "content": [], **effort("low")},
                beta=TURN_BETA,
                **effort("high"),
            )
        ],
        says="output_config.effort",
    ),
    "output_format.fields": Case(
        wrong=[request(output_config={"verbosity": "low"})],
        right=[request(output_config={"effort": "low"})],
        says="output_config.verbosity: Extra inputs are not permitted",
    ),
    "output_format.type": Case(
        wrong=[
            request(output_config={"format": {"type": "json_object"}}),
            request(output_config={"format": {"type": "json_schema"}}),
        ],
        right=[answer_of(of_object())],
        says="output_config.format",
    ),
    "output_format.schema": Case(
        wrong=[
            answer_of({"type": "object"}),
            answer_of({"type": "object", "additionalProperties": STRING}),
            answer_of(of_object(n={"type": "integer", "minimum": 0})),
            answer_of(of_object(n={"type": "number", "minimum": 0, "maximum": 1})),
            answer_of(of_object(s={"type": "string", "maxLength": 3})),
            answer_of(of_object(s={"type": "string", "format": "regex"})),
            answer_of(of_object(s={"type": "string", "pattern": "^(?!a)"})),
            answer_of(of_object(a={"type": "array", "items": STRING, "minItems": 2})),
            answer_of(of_object(a={"type": "array", "items": {"type": "object"}})),
            answer_of(of_object(a={"oneOf": [STRING]})),
            answer_of(of_object(a={})),
            answer_of(of_object(a={"enum": [{"b": 1}]})),
            answer_of(of_object(a={"$ref": "https://example.com/a"})),
            answer_of(CIRCLE),
            answer_of(optional(25)),
            answer_of(of_object(**{f"p{n}": NULLABLE for n in range(17)})),
            tool({"type": "object"}, strict=True),
        ],
        right=[
            answer_of(of_object(n={"type": "integer"}, s={"type": "string", "format": "date"})),
            answer_of(of_object(a={"type": "array", "items": STRING, "minItems": 1})),
            answer_of(of_object(s={"type": "string", "pattern": "^[a-z]+$"})),
            answer_of({**of_object(a={"$ref": "#/$defs/b"}), "$defs": {"b": of_object(c=STRING)}}),
            answer_of(optional(24)),
            answer_of(of_object(**{f"p{n}": NULLABLE for n in range(16)})),
            tool({"type": "object"}),
            tool(of_object(), strict=True),
        ],
        says="",
    ),
    "output_format.strict_tools": Case(
        wrong=[
            request(
                tools=[
                    {"name": f"t{n}", "input_schema": of_object(), "strict": True}
                    for n in range(21)
                ]
            )
        ],
        right=[request(tools=[{**LOOK, "name": f"t{n}"} for n in range(21)])],
        says="Too many strict tools (21)",
    ),
    "output_format.citations": Case(
        wrong=[
            answer_of(of_object(), messages=[said(document(citations={"enabled": True}))]),
            answer_of(of_object(), tools=[{"type": "web_search_20260209", "name": "web_search"}]),
        ],
        right=[answer_of(of_object(), messages=[said(document())])],
        says="citations",
    ),
    "cache_control.count": Case(
        wrong=[request(said(*[marked()] * 5)), request(said(*[marked()] * 4), system=[marked()])],
        right=[request(said(*[marked()] * 4))],
        says="A maximum of 4 blocks with cache_control may be provided. Found 5.",
    ),
    "cache_control.values": Case(
        wrong=[
            request(said(text("a", cache_control={"type": "forever"}))),
            request(said(marked(ttl="2h"))),
        ],
        right=[request(said(marked(ttl="1h")))],
        says="messages.0.content.0.cache_control",
    ),
    "cache_control.content": Case(
        wrong=[
            request(
                HELLO,
                said(
                    {**thought("Hm")["content"][0], "cache_control": {"type": "ephemeral"}},
                    role="assistant",
                ),
                HELLO,
            )
        ],
        right=[request(said(marked()))],
        says="cache_control",
    ),
    "cache_control.order": Case(
        wrong=[request(said(marked(ttl="1h")), system=[marked(ttl="5m")])],
        right=[request(said(marked(ttl="5m")), system=[marked(ttl="1h")])],
        says="a ttl='1h' cache_control block must not come after",
    ),
    "media.picture_type": Case(
        wrong=[request(said(picture(media_type="image/bmp")))],
        right=[request(said(picture()))],
        says="Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'",
    ),
    "media.picture_bytes": Case(
        wrong=[
            request(said(picture(b"BM"))),
            request(said(picture(media_type="image/jpeg"))),
            request(
                said(
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": "?"},
                    }
                )
            ),
            request(HELLO, called("a"), said(result("a", [picture(b"BM")])), tools=[LOOK]),
        ],
        right=[request(said(picture()))],
        says="",
    ),
    "media.picture_size": Case(
        wrong=[request(said(picture(png() + b"0" * 8_000_000)))],
        right=[request(said(picture(png() + b"0" * 7_000_000)))],
        says="image exceeds 10 MB maximum",
    ),
    "media.picture_pixels": Case(
        wrong=[pictures(1, side=8001), pictures(21, side=2001)],
        right=[pictures(20, side=8000), pictures(21, side=2000)],
        says="At least one of the image dimensions exceed max allowed size",
    ),
    "media.picture_count": Case(
        wrong=[pictures(601), pictures(101, model=SONNET_4_5)],
        right=[pictures(600), pictures(100, model=SONNET_4_5)],
        says="Too many images",
    ),
    "media.urls": Case(
        wrong=[
            request(said({"type": "image", "source": {"type": "url", "url": "http://a.test/b"}}))
        ],
        right=[
            request(said({"type": "image", "source": {"type": "url", "url": "https://a.test/b"}}))
        ],
        says="Only HTTPS URLs are supported",
    ),
    "media.pdf": Case(
        wrong=[
            request(said(inline("document", "application/pdf", b"no PDF"))),
            request(said(document(pages=601))),
            request(said(document(pages=101)), model=SONNET_4_5),
        ],
        right=[request(said(document(pages=600)))],
        says="PDF",
    ),
    "media.titles": Case(
        wrong=[request(said(document(title=""))), request(said(document(title="a" * 501)))],
        right=[request(said(document(title="a" * 500)))],
        says="document.title",
    ),
}
