"""The API's own structured output: the model's text is the JSON, and streams as it comes.

It is checked against the client's own schema at the end. The API guarantees neither the limits that
were left out of the grammar nor the capitals of enum values; refusals and answers that were cut are
not of the schema either (platform.claude.com/docs/en/build-with-claude/structured-outputs,
"Invalid outputs").
"""

from collections.abc import Iterator
from dataclasses import replace

from gateway.content.schema_check import CheckedSchema
from gateway.types import PartDelta, PartEnd, PartStart, ResponseEnd, StreamEvent, Text, ToolCall
from gateway_claude_code.request.answer_schemas.output_format import OutputFormat
from gateway_claude_code.response.answer_form import WHOLE, Complete
from gateway_claude_code.response.json_names import Restorer


class NativeAnswer:
    """The text in the form of the client's schema; unchecked beside calls of tools."""

    satisfied = True  # the CLI does not ask again, as it knows no schema (2.1.330)

    def __init__(self, form: OutputFormat, schema: CheckedSchema) -> None:
        self.complete: Complete | None = None
        self._form = form
        self._schema = schema
        self._texts: dict[int, Restorer] = {}
        self._pieces: list[str] = []
        self._calls = False
        self._changed = False

    @property
    def verbatim(self) -> bool:
        """Whether the text was passed on unchanged."""
        return not self._changed

    def feed(self, event: StreamEvent) -> Iterator[StreamEvent]:
        """Text gets the client's names; everything else is sent on unchanged."""
        match event:
            case PartStart(part=Text()):
                self._texts[event.index] = Restorer(self._form)
            # beside a call the text is a comment: the schema is for the final answer
            case PartStart(part=ToolCall()):
                self._calls = True
            case PartDelta(index=index) if index in self._texts:
                yield from self._said(index, self._texts[index].feed(event.text), event)
                return
            case PartEnd(index=index) if index in self._texts:
                text = self._texts[index].end()
                yield from self._said(index, text, PartDelta(index=index, text=text))
            case ResponseEnd(stop_reason=reason) if reason in WHOLE and not self._calls:
                self.complete = Complete(text="".join(self._pieces), schema=self._schema)
        yield event

    def _said(self, index: int, text: str, event: PartDelta) -> Iterator[StreamEvent]:
        self._changed |= self._texts[index].changed
        self._pieces.append(text)
        if text:
            yield event if text == event.text else replace(event, text=text)
