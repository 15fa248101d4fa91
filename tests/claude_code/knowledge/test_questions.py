"""Asking the CLI about itself."""

from typing import Any

import pytest

from gateway.errors import BackendFailed
from gateway_claude_code.knowledge.questions import asked

QUESTION = {"subtype": "list_models"}


class Process:
    """Says these lines, and keeps what it was told."""

    def __init__(self, *lines: dict[str, Any] | None) -> None:
        self.lines = list(lines)
        self.sent: list[dict[str, Any]] = []

    async def send(self, *lines: dict[str, Any]) -> None:
        self.sent += lines

    async def receive(self) -> dict[str, Any] | None:
        return self.lines.pop(0)


def answer(request_id: str = "question", **response: Any) -> dict[str, Any]:
    return {"type": "control_response", "response": {"request_id": request_id, **response}}


async def test_the_answer_is_the_one_to_the_question() -> None:
    process = Process({"type": "system"}, answer("other", response=1), answer(response={"a": 2}))
    assert await asked(process, QUESTION, {"type": "first"}) == {"a": 2}  # type: ignore[arg-type]
    first, question = process.sent
    assert (first, question["request"]) == ({"type": "first"}, QUESTION)


async def test_a_cli_that_ends_has_no_answer() -> None:
    assert await asked(Process(None), QUESTION) is None  # type: ignore[arg-type]


async def test_a_cli_that_knows_no_such_question_is_a_failure() -> None:
    process = Process(answer(subtype="error", error="Unsupported"))
    with pytest.raises(BackendFailed, match="Unsupported"):
        await asked(process, QUESTION)  # type: ignore[arg-type]
