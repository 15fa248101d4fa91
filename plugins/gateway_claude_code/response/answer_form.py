"""The check of an answer against the requested form, and its error. Pure."""

import json
from dataclasses import dataclass
from typing import Any, Final

from gateway.content.schema_check import CheckedSchema
from gateway.errors import BackendFailed
from gateway.types import StopReason

NOT_AS_ASKED: Final = "invalid_model_output"
"""The error code of an answer without the requested form."""

# a refusal and "max_tokens" end outside the schema, also with native structured output, says
# platform.claude.com/docs/en/build-with-claude/structured-outputs, "Invalid outputs"
WHOLE: Final[tuple[StopReason, ...]] = ("end", "tool_calls")
"""Stop reasons after which JSON must be complete; the others may cut it anywhere."""

NO_JSON: Final = object()


def parsed(text: str) -> Any:  # noqa: ANN401
    """The value of a JSON text, or `NO_JSON`."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return NO_JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete:
    """A complete answer that is yet to be checked against the client's schema."""

    text: str
    schema: CheckedSchema

    async def check(self) -> None:
        """Raises `BackendFailed` for an invalid one."""
        value = parsed(self.text)
        if value is NO_JSON:
            raise not_as_asked("it is not JSON")
        if (problem := await self.schema.check(value, len(self.text))) is not None:
            raise not_as_asked(problem)


def not_as_asked(problem: str) -> BackendFailed:
    """The error for an answer with this problem."""
    return BackendFailed(
        f"The model's answer violates the requested format: {problem}.",
        code=NOT_AS_ASKED,
    )
