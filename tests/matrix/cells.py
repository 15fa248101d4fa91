"""The columns of the matrix: requests as clients send them, and what makes an answer right."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from tests.e2e.bodies import Choice, asked_again, function

Body: TypeAlias = dict[str, Any]
Check: TypeAlias = Callable[[Choice], str | None]
"""What is wrong with a choice, or None."""

TOOL: Final = function(
    "look", {"type": "object", "properties": {"at": {"type": "string"}}, "required": ["at"]}
)
OTHER: Final = function("wait", {"type": "object", "properties": {}})
POINT: Final = {
    "type": "json_schema",
    "json_schema": {
        "name": "point",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"x": {"type": "integer"}, "label": {"type": "string", "minLength": 2}},
            "required": ["x", "label"],
            "additionalProperties": False,
        },
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One column. `fields` go beside the model and the messages; `{}` in a text is its marker.

    `turns` come before the last user turn. With `loop` the answer's calls get a result, and the
    answer to that is asked for as well.
    """

    name: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    text: str = "Say hello."
    turns: Sequence[Body] = ()
    ends_with: Sequence[Body] = ()
    check: Check = lambda choice: None if choice.content else "an empty answer"
    loop: bool = False

    def messages(self, marker: str) -> list[Body]:
        """The conversation, with a word by which the upstream's requests are told apart."""
        asked = {"role": "user", "content": f"{self.text} ({marker})"}
        return [*self.turns, asked, *self.ends_with]


def _called(*names: str) -> Check:
    def check(choice: Choice) -> str | None:
        called = [call["name"] for call in choice.tool_calls]
        if not called or not set(called) <= set(names):
            return f"called {called or 'nothing'}, not {' or '.join(names)}"
        if choice.content:
            return "text beside a call that was demanded"
        return None if choice.finish_reason == "tool_calls" else f"ended: {choice.finish_reason}"

    return check


def _no_call(choice: Choice) -> str | None:
    return "called a tool" if choice.tool_calls else None


def _point(choice: Choice) -> str | None:
    try:
        value = json.loads(choice.content)
    except ValueError:
        return f"no JSON: {choice.content!r:.60}"
    right = isinstance(value, dict) and set(value) == {"x", "label"} and len(value["label"]) > 1
    return None if right else f"not of the schema: {value!r:.60}"


def _cut(choice: Choice) -> str | None:
    return None if "hello" not in choice.content.lower() else "the stop sequence is in the text"


_TOOLS: Final = {"tools": [TOOL, OTHER]}
_CALL: Final = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "call_0", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    ],
}
_RESULT: Final = {"role": "tool", "tool_call_id": "call_0", "content": "It is blue."}
_NAMED: Final = {"type": "function", "function": {"name": "wait"}}

CELLS: Final[tuple[Cell, ...]] = (
    Cell(name="plain"),
    Cell(name="max_tokens 100", fields={"max_tokens": 100}),
    Cell(name="temperature 0", fields={"temperature": 0}),
    Cell(name="temperature 1", fields={"temperature": 1}),
    Cell(name="top_p", fields={"top_p": 0.5}),
    Cell(name="temperature + top_p", fields={"temperature": 0.2, "top_p": 0.5}),
    Cell(name="required", fields={**_TOOLS, "tool_choice": "required"}, check=_called("look")),
    Cell(name="named", fields={**_TOOLS, "tool_choice": _NAMED}, check=_called("wait")),
    Cell(name="none", fields={**_TOOLS, "tool_choice": "none"}, check=_no_call),
    Cell(
        name="parallel off",
        fields={**_TOOLS, "parallel_tool_calls": False},
        text="Call look.",
        check=_called("look"),
    ),
    *(
        Cell(name=f"effort {level}", fields={"reasoning_effort": level})
        for level in ("none", "minimal", "low", "medium", "high", "xhigh", "max")
    ),
    Cell(name="json_schema", fields={"response_format": POINT}, check=_point),
    Cell(name="json_schema + tools", fields={**_TOOLS, "response_format": POINT}, check=_point),
    Cell(name="stop", fields={"stop": ["hello", "Hello"]}, text="Say Hello.", check=_cut),
    Cell(name="tool loop, live", fields=_TOOLS, text="Call look.", loop=True),
    Cell(
        name="tool loop, seeded",
        fields=_TOOLS,
        text="Look.",
        ends_with=(_CALL, _RESULT),
    ),
    Cell(name="prefill", ends_with=({"role": "assistant", "content": "Well,"},)),
)


def with_results(messages: list[Body], choice: Choice) -> list[Body]:
    """The conversation with a result for each of the answer's calls."""
    results = {call["id"]: "It is blue." for call in choice.tool_calls}
    return [*messages, *asked_again(choice, results)]
