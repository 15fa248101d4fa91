"""Cases of the rules about the body, messages, calls and tools."""

from tests.claude_code.upstream.rules.rule_cases import (
    CUT_SHORT,
    HELLO,
    LOOK,
    OPUS,
    OPUS_4_5,
    OPUS_5,
    SONNET_4_5,
    SONNET_4_6,
    SONNET_5,
    Case,
    called,
    choice,
    loop,
    picture,
    request,
    result,
    said,
    text,
    thinking,
    tool,
)

NOTE = {"role": "system", "content": "Be brief."}
EFFORT_NOTE = {**NOTE, "output_config": {"effort": "low"}}
PROPERTIES = {"type": "object", "properties": {"größe": {"type": "string"}}}

CASES = {
    "size.request": Case(
        wrong=[request(size=32 * 1024 * 1024 + 1)],
        right=[request(size=32 * 1024 * 1024)],
        says="Request exceeds the maximum size",
    ),
    "size.max_tokens": Case(
        wrong=[request(max_tokens=128_001), request(max_tokens=64_001, model=SONNET_4_5)],
        right=[request(max_tokens=128_000), request(max_tokens=64_000, model=SONNET_4_5)],
        says="which is the maximum allowed number of output tokens for claude-",
    ),
    "size.least_max_tokens": Case(
        wrong=[request(max_tokens=0, stream=True), request(max_tokens=-1), request(max_tokens="9")],
        right=[request(max_tokens=1, stream=True), request(max_tokens=0)],
        says="max_tokens: ",
    ),
    "body.required": Case(
        wrong=[request(model=None), request(max_tokens=None), request(messages=None)],
        right=[request()],
        says="Field required",
    ),
    "body.known_fields": Case(
        wrong=[
            request(seed=1),
            request({**HELLO, "name": "me"}),
            request(said(text("a", pitch=1))),
        ],
        right=[request(top_p=1, stop_sequences=["END"], metadata={"user_id": "me"}, stream=True)],
        says="Extra inputs are not permitted",
    ),
    "body.beta_fields": Case(
        wrong=[
            request(context_management={"edits": []}),
            request(**thinking("adaptive", display="updates")),
            request(HELLO, EFFORT_NOTE),
        ],
        right=[
            request(context_management={"edits": []}, beta="context-management-2025-06-27"),
            request(
                **thinking("adaptive", display="updates"),
                beta="a-2025-01-01,thinking-display-updates-2026-08-18",
            ),
            request(**thinking("adaptive", display="summarized")),
            request(HELLO, EFFORT_NOTE, beta="per-turn-control-2026-07-01"),
        ],
        says="Extra inputs are not permitted",
    ),
    "body.user_id": Case(
        wrong=[request(metadata={"user_id": "a" * 257})],
        right=[request(metadata={"user_id": "a" * 256})],
        says="metadata.user_id",
    ),
    "body.stop_sequences": Case(
        wrong=[request(stop_sequences=["END", "\n"])],
        right=[request(stop_sequences=["END", "\nUser"])],
        says="stop_sequences.1",
    ),
    "messages.not_empty": Case(
        wrong=[request(messages=[])],
        right=[request()],
        says="at least one message is required",
    ),
    "messages.roles": Case(
        wrong=[request({"role": "tool", "content": "a"})],
        right=[request(HELLO, CUT_SHORT, HELLO)],
        says="messages.0.role",
    ),
    "messages.first_role": Case(
        wrong=[request(CUT_SHORT, HELLO), request(NOTE, HELLO)],
        right=[request(HELLO, NOTE)],
        says="messages",
    ),
    "messages.system_role": Case(
        wrong=[request(HELLO, NOTE, model=SONNET_5)],
        right=[request(HELLO, NOTE, model=OPUS_5)],
        says="role 'system' is not supported on this model",
    ),
    "messages.content": Case(
        wrong=[request(said(), HELLO), request({"role": "user", "content": ""})],
        right=[request(HELLO, said(role="assistant"), model=OPUS_4_5)],
        says="messages.0: all messages must have non-empty content",
    ),
    "messages.text_empty": Case(
        wrong=[request(said(text(""))), request(system=[text("")])],
        right=[request(said(text("a"))), request(system="")],
        says="text content blocks must be non-empty",
    ),
    "messages.text_blank": Case(
        wrong=[request(said(text(" \n"))), request(system=[text(" ")])],
        right=[request(said(text(" a ")))],
        says="text content blocks must contain non-whitespace text",
    ),
    "messages.prefill": Case(
        wrong=[request(HELLO, CUT_SHORT), request(HELLO, CUT_SHORT, model=SONNET_4_6)],
        right=[request(HELLO, CUT_SHORT, model=OPUS_4_5)],
        says="does not support assistant message prefill",
    ),
    "messages.trailing_blank": Case(
        wrong=[request(HELLO, said(text("Well "), role="assistant"), model=OPUS_4_5)],
        right=[request(HELLO, said(text(" Well"), role="assistant"), model=OPUS_4_5)],
        says="cannot end with trailing whitespace",
    ),
    "tool_use.ids": Case(
        wrong=[loop("call.1")],
        right=[loop("call_-1")],
        says="String should match pattern",
    ),
    "tool_use.unique_ids": Case(
        wrong=[
            request(HELLO, *[called("a"), said(result("a"))] * 2, tools=[LOOK]),
        ],
        right=[
            request(
                HELLO,
                *(called("a"), said(result("a"))),
                *(called("b"), said(result("b"))),
                tools=[LOOK],
            )
        ],
        says="`tool_use` ids must be unique",
    ),
    "tool_use.input": Case(
        wrong=[request(HELLO, called("a", input="{}"), said(result("a")), tools=[LOOK])],
        right=[loop("a")],
        says="tool_use.input",
    ),
    "tool_use.answered": Case(
        wrong=[
            loop("a", "b", answer=[result("a")]),
            loop("a", answer=[text("first"), result("a")]),
            request(HELLO, called("a"), HELLO, tools=[LOOK]),
        ],
        right=[
            loop("a", "b", answer=[result("b"), result("a"), text("and then")]),
            request(HELLO, called("a"), NOTE, said(result("a")), tools=[LOOK]),
        ],
        says="`tool_use` ids were found without `tool_result` blocks immediately after",
    ),
    "tool_use.no_orphans": Case(
        wrong=[
            request(said(result("a")), tools=[LOOK]),
            loop("a", answer=[result("a"), result("b")]),
        ],
        right=[loop("a")],
        says="unexpected `tool_use_id` found in `tool_result` blocks",
    ),
    "tool_use.one_result_each": Case(
        wrong=[loop("a", answer=[result("a"), result("a")])],
        right=[loop("a", "b")],
        says="each tool_use must have a single result",
    ),
    "tool_use.errors_are_text": Case(
        wrong=[loop("a", answer=[result("a", [picture()], is_error=True)])],
        right=[
            loop("a", answer=[result("a", [picture()])]),
            loop("a", answer=[result("a", is_error=True)]),
        ],
        says='all content must be type "text"',
    ),
    "tool_use.tools_defined": Case(
        wrong=[loop("a", tools=[])],
        right=[loop("a"), request(tools=[])],
        says="must define tools",
    ),
    "tools.names": Case(
        wrong=[request(tools=[{**LOOK, "name": name}]) for name in ("a.b", "a" * 129)],
        right=[request(tools=[{**LOOK, "name": "a" * 128}])],
        says="tools.0.custom.name",
    ),
    "tools.unique_names": Case(
        wrong=[request(tools=[LOOK, LOOK])],
        right=[request(tools=[LOOK, {**LOOK, "name": "see"}])],
        says="Tool names must be unique",
    ),
    "tools.schema_object": Case(
        wrong=[
            request(tools=[{"name": "look"}]),
            tool({"properties": {}}),
            tool({"type": "string"}),
        ],
        right=[tool({"type": "object"}), request(tools=[{"type": "bash_20250124", "name": "b"}])],
        says="tools.0.custom.input_schema",
    ),
    "tools.schema_valid": Case(
        wrong=[tool({"type": "object", "required": "a"})],
        right=[tool({"type": "object", "required": ["a"]})],
        says="It must match JSON Schema draft 2020-12",
    ),
    "tools.references": Case(
        wrong=[
            tool({"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}}),
            tool({"type": "object", "properties": {"a": {"$ref": "http://localhost/a.json"}}}),
        ],
        right=[
            tool(
                {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {}}}
            ),
            tool({"type": "object", "properties": {"a": {"$ref": "#/properties/b"}, "b": {}}}),
            tool({"type": "object", "properties": {"a": {"$ref": "#a"}, "b": {"$anchor": "a"}}}),
        ],
        says="Invalid $ref in schema",
    ),
    "tools.no_composition": Case(
        wrong=[tool({"type": "object", "anyOf": [{"required": ["a"]}]})],
        right=[tool({"type": "object", "properties": {"a": {"anyOf": [{"type": "null"}]}}})],
        says="does not support oneOf, allOf, or anyOf at the top level",
    ),
    "tools.property_names": Case(
        wrong=[tool(PROPERTIES)],
        right=[tool({"type": "object", "properties": {"a": PROPERTIES, "b.c-d_": {}}})],
        says="Property keys should match pattern",
    ),
    "tool_choice.needs_tools": Case(
        wrong=[request(tool_choice={"type": "none"}), choice("auto", tools=[])],
        right=[choice("auto"), choice("none")],
        says="tool_choice: may only be specified while providing `tools`",
    ),
    "tool_choice.exists": Case(
        wrong=[choice("tool", tools=[{**LOOK, "name": "see"}], model=OPUS_5)],
        right=[choice("tool", model=OPUS_5)],
        says="Tool 'look' not found in provided tools",
    ),
    "tool_choice.forced": Case(
        wrong=[choice("any"), choice("tool")],
        right=[choice("any", model=OPUS_5), choice("auto")],
        says='tool_choice: type "tool" and "any" are not supported for this model.',
    ),
    "tool_choice.while_thinking": Case(
        wrong=[choice("any", model=SONNET_4_6, **thinking("adaptive"))],
        right=[
            choice("any", model=SONNET_4_6, **thinking("disabled")),
            choice("any", model=OPUS_5, **thinking("adaptive")),
            choice("auto", model=OPUS, **thinking("adaptive")),
        ],
        says="Thinking may not be enabled when tool_choice forces tool use.",
    ),
}
