"""The model's answers, each with secrets of its own."""

from collections.abc import Sequence
from random import Random
from typing import Any, Final

from gateway.types import ChatRequest
from gateway_claude_code.upstream import (
    Answer,
    Cut,
    Failure,
    Reply,
    Silence,
    StreamError,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    Usage,
)
from tests.prove_reuse.marks import Secrets

FAILURES: Final = (
    Failure(400, "invalid_request_error", "messages.0: something about this is not liked"),
    Failure(400, "invalid_request_error", "prompt is too long: 212345 tokens > 200000 maximum"),
    Failure(413, "request_too_large", "Request exceeds the maximum size"),
    Failure(429, "rate_limit_error", "This request would exceed a rate limit"),
    Failure(500, "api_error", "Internal server error"),
    Failure(529, "overloaded_error", "Overloaded"),
)


class Replies:
    """Makes replies. `thoughts` gives each secret of a thinking the one that the client sees."""

    def __init__(self, random: Random, secrets: Secrets) -> None:
        self._random = random
        self._secrets = secrets
        self.thoughts: dict[str, str] = {}

    def reply(self, request: ChatRequest, troubles: float) -> tuple[str, Reply]:
        """Something that may follow, and what to call it."""
        kinds: dict[str, float] = {"text": 60, "refusal": 2, "blank": 2, "cut": 3, "nothing": 1}
        kinds |= {"two texts": 2, "stop": 2}
        kinds |= {"failure": 3 * troubles, "broken": troubles, "stream error": troubles}
        if request.tools and request.tool_choice.mode != "none":
            kinds["calls"] = 50 if request.tool_choice.mode == "auto" else 300
        [kind] = self._random.choices(list(kinds), list(kinds.values()))
        return kind, self._of(kind, request)

    def silence(self, request: ChatRequest) -> Reply:
        """An answer that never comes to its end."""
        kind = "calls" if request.tools and self._random.random() < 0.4 else "text"
        answer = self._of(kind, request)
        assert isinstance(answer, Answer)
        return Silence(answer, after=self._random.randint(0, 8))

    def _of(self, kind: str, request: ChatRequest) -> Reply:
        usage = Usage(
            input_tokens=self._random.randint(1, 99), output_tokens=self._random.randint(1, 99)
        )
        match kind:
            case "failure":
                return self._random.choice(FAILURES)
            case "broken":
                return Cut(self._text(request, usage), after=self._random.randint(0, 6))
            case "stream error":
                return StreamError(self._text(request, usage), after=self._random.randint(1, 5))
            case "refusal":
                return Answer(blocks=(TextBlock(self._said()),), stop_reason="refusal", usage=usage)
            case "blank":
                return Answer(blocks=(TextBlock(" \n"),), usage=usage)
            case "nothing":
                return Answer(blocks=(), usage=usage)
            case "cut":
                block = TextBlock(self._said())
                return Answer(blocks=(block,), stop_reason="max_tokens", usage=usage)
            case "stop" if request.sampling.stop:
                [*_, stop] = request.sampling.stop
                block = TextBlock(self._said())
                return Answer(
                    blocks=(block,), stop_reason="stop_sequence", stop_sequence=stop, usage=usage
                )
            case "two texts":
                blocks = (TextBlock(self._said()), TextBlock(self._said()))
                return Answer(blocks=blocks, usage=usage)
            case "calls":
                return self._calls(request, usage)
            case _:
                return self._text(request, usage)

    def _said(self) -> str:
        return f"Yes, {self._secrets.new()}."

    def _text(self, request: ChatRequest, usage: Usage) -> Answer:
        mark = self._secrets.new()
        schema = request.response_format.schema
        text = f"Yes, {mark}." if schema is None else f'{{"word": "{mark}"}}'
        return Answer(blocks=(*self._thinking(request, mark), TextBlock(text)), usage=usage)

    def _calls(self, request: ChatRequest, usage: Usage) -> Answer:
        mark = self._secrets.new()
        names = self._names(request)
        calls = tuple(
            ToolUseBlock(f"mcp__t__{self._random.choice(names)}", self._arguments(mark, number))
            for number in range(self._random.choice((1, 1, 2, 3)))
        )
        text = (TextBlock(f"Let me see, {mark}."),) if self._random.random() < 0.4 else ()
        return Answer(blocks=(*self._thinking(request, mark), *text, *calls), usage=usage)

    def _names(self, request: ChatRequest) -> Sequence[str]:
        return request.tool_choice.names or [tool.name for tool in request.tools]

    def _arguments(self, mark: str, number: int) -> dict[str, Any]:
        return {"path": f"{mark}/{number}"} if self._random.random() < 0.9 else {}

    def _thinking(self, request: ChatRequest, mark: str) -> tuple[ThinkingBlock, ...]:
        if request.thinking is False or self._random.random() < 0.6:
            return ()
        thought = self._secrets.new()
        self.thoughts[thought] = mark
        return (ThinkingBlock(f"Hm, {thought}."),)
