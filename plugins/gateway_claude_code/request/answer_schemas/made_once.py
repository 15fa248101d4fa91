"""A cache of answer schemas: clients send the same ones again and again."""

import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

from gateway.content.schema_check import in_another_process
from gateway.errors import InvalidRequest
from gateway.json_schema import InvalidSchema
from gateway.types import ChatRequest
from gateway_claude_code.request.answer_schemas.answer_schema import AnswerSchema
from gateway_claude_code.request.terms import may_answer_by_schema

MOST: Final = 64
LARGE: Final = 8_000
"""Characters. A larger schema is made in another process: 200,000 take half a second."""
LARGEST_KEPT: Final = 200_000
"""Characters. Descriptions have no limit of their own, so that one schema may fill a whole body."""


class AnswerSchemas:
    """Makes slow ones outside of the event loop, and keeps the last `MOST`."""

    def __init__(self) -> None:
        self._made: OrderedDict[str, AnswerSchema] = OrderedDict()

    async def of(self, request: ChatRequest) -> AnswerSchema | None:
        """The schema of a request's answer; None without one. Raises `InvalidRequest`."""
        schema = request.response_format.schema
        return await self._of(schema) if schema and may_answer_by_schema(request) else None

    async def _of(self, schema: Mapping[str, Any]) -> AnswerSchema:
        text = json.dumps(schema, ensure_ascii=False)
        if (known := self._made.get(text)) is not None:
            self._made.move_to_end(text)
            return known
        made = made_of(schema) if len(text) <= LARGE else await _made_elsewhere(schema)
        if len(text) <= LARGEST_KEPT:
            self._made[text] = made
        if len(self._made) > MOST:
            self._made.popitem(last=False)
        return made


def made_of(schema: Mapping[str, Any]) -> AnswerSchema:
    """Raises `InvalidRequest`."""
    try:
        return AnswerSchema.of(schema)
    except InvalidSchema as error:
        raise _refused(str(error)) from None


async def _made_elsewhere(schema: Mapping[str, Any]) -> AnswerSchema:
    try:
        made = await in_another_process(AnswerSchema.of, dict(schema), late=None)
    except InvalidSchema as error:
        raise _refused(str(error)) from None
    if not isinstance(made, AnswerSchema):
        raise _refused("it is too complex")
    return made


def _refused(problem: str) -> InvalidRequest:
    return InvalidRequest(
        f"The schema of the answer is not valid: {problem}.", param="response_format"
    )
