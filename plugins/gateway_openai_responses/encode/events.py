"""From the hub's events to those of a streamed response, as server-sent events.

The events are those of `openai.types.responses.ResponseStreamEvent` (openai-python 3.54). Their order:
`response.created`, `response.in_progress`; for each item `response.output_item.added`, the events of
its content, `response.output_item.done`; then `response.completed` or `response.incomplete`. A failure
is the event `error`, and then `response.failed`. There is no `[DONE]`.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from gateway.errors import BackendFailed, GatewayError
from gateway.frontend import SSEEncoder, dump
from gateway.types import (
    Citation,
    PartCitation,
    PartDelta,
    PartEnd,
    PartStart,
    ResponseEnd,
    StreamEvent,
    Text,
    Usage,
    UsageUpdate,
)
from gateway_openai_responses.encode.failures import error_fields, failed_error
from gateway_openai_responses.encode.item_events import (
    Events,
    OpenItem,
    OpenMessage,
    OpenRefusal,
    OpenSearch,
    open_item,
)
from gateway_openai_responses.encode.items import ItemStatus, visible
from gateway_openai_responses.encode.response import (
    ResponseForm,
    Status,
    final_state,
    refusal_text,
    state,
)

Keep: TypeAlias = Callable[[Mapping[str, Any]], None]
"""Takes a response that has come to its end, with all that is to be kept of it."""


class ResponseEncoder(SSEEncoder):
    """Encodes the events of one response. `keep` gets it before the client has its end."""

    def __init__(self, form: ResponseForm, keep: Keep | None = None) -> None:
        self._form = form
        self._keep = keep
        self._events = Events()
        self._head = dump(form.head())[:-1]
        self._open: dict[int, OpenItem | None] = {}
        self._ended: dict[int, tuple[OpenItem, PartEnd]] = {}
        self._output: dict[int, dict[str, Any]] = {}
        self._early: dict[int, list[Citation]] = {}
        self._items = 0
        self._begun = False
        self._usage = Usage()
        self._end: ResponseEnd | None = None

    def encode(self, choice: int, event: StreamEvent) -> bytes:
        """The events for one of the hub's; often one, sometimes none.

        Raises `BackendFailed` for more of a part that never began.
        """
        if isinstance(event, PartDelta):
            return self._delta(event.index, event.text)
        begun = b"" if self._begun else self._begin()
        match event:
            case PartStart():
                return begun + self._start(event)
            case PartEnd():
                return begun + self._end_part(event)
            case PartCitation():
                return begun + self._cite(event)
            case UsageUpdate():
                self._usage = event.usage
            case ResponseEnd():
                self._end = event
        return begun

    def finish(self) -> bytes:
        """The last item's end, and the end of the response."""
        end = self._end
        if end is None:
            raise BackendFailed("the answer was interrupted")
        last = b"".join(self._end_part(PartEnd(index=index)) for index in list(self._open))
        last += self._close_ended("incomplete" if end.stop_reason == "max_tokens" else "completed")
        if (refusal := refusal_text(end)) is not None:
            last += self._refuse(refusal)
        final = final_state(end.stop_reason, self._items_so_far(), self._usage)
        if self._keep is not None:
            self._keep({**self._form.head(), **final})
        return last + self._lifecycle(final["status"], {**final, "output": self._shown()})

    def fail(self, error: GatewayError) -> bytes:
        """Both forms of a failure: clients read the one or the other."""
        begun = b"" if self._begun else self._begin()
        begun += self._close_ended("completed")
        failed = state("failed", self._shown(), error=failed_error(error))
        return (
            begun
            + self._events.event("error", error_fields(error))
            + self._lifecycle("failed", failed)
        )

    def keepalive(self) -> bytes:
        """The event `response.in_progress` again: Codex's idle timer does not count comments.

        It waits for events, for 300 s unless configured (codex-rs/codex-api/src/sse/responses.rs;
        `stream_idle_timeout_ms`).
        """
        if not self._begun:
            return super().keepalive()
        return self._lifecycle("in_progress", state("in_progress"))

    def _begin(self) -> bytes:
        self._begun = True
        first = state("in_progress")
        return self._lifecycle("created", first) + self._lifecycle("in_progress", first)

    def _lifecycle(self, step: Status | str, fields: Mapping[str, Any]) -> bytes:
        kind = f"response.{step}".encode()
        rest = dump(fields)[1:]
        return self._events.numbered(
            b"".join(
                (
                    b"event: ",
                    kind,
                    b'\ndata: {"type":"',
                    kind,
                    b'","response":',
                    self._head,
                    b",",
                    rest,
                )
            )
        )

    # -- items ------------------------------------------------------------------------

    def _items_so_far(self) -> list[dict[str, Any]]:
        return [item for _, item in sorted(self._output.items())]

    def _shown(self) -> list[Mapping[str, Any]]:
        encrypted = self._form.encrypted
        return [visible(item, encrypted=encrypted) for item in self._items_so_far()]

    def _start(self, event: PartStart) -> bytes:
        if isinstance(event.part, Text):
            self._open[event.index] = None  # an empty text makes no item
            return b""
        return self._open_item(event)

    def _open_item(self, event: PartStart) -> bytes:
        before = self._close_ended("completed")
        item = self._open[event.index] = open_item(
            self._form, self._events, self._items, event.part
        )
        self._items += 1
        return before + item.open()

    def _delta(self, index: int, text: str) -> bytes:
        if index not in self._open:
            raise BackendFailed(f"part {index} of the answer never began")
        if not text:
            return b""
        item = self._open[index]
        if item is not None:
            return item.delta(text)
        opening, message = self._open_text(index)
        for citation in self._early.pop(index, ()):
            message.cite(citation)
        return opening + message.delta(text)

    def _open_text(self, index: int) -> tuple[bytes, OpenMessage]:
        """A text goes on with the item of the one before, if nothing else has begun since."""
        before, _ = self._ended.get(self._items - 1, (None, None))
        if isinstance(before, OpenMessage):
            del self._ended[before.index]
            before.begin_text()
            self._open[index] = before
            return b"", before
        closed = self._close_ended("completed")
        message = self._open[index] = OpenMessage(self._form, self._events, self._items)
        self._items += 1
        return closed + message.open(), message

    def _cite(self, event: PartCitation) -> bytes:
        """Take a source, which may come before the text that it is of."""
        if self._open.get(event.index) is None:
            self._early.setdefault(event.index, []).append(event.citation)
        elif isinstance(item := self._open[event.index], OpenMessage):
            item.cite(event.citation)
        return b""

    def _end_part(self, event: PartEnd) -> bytes:
        """Whether an item is complete shows only when another begins, or at the end.

        The result of a search is not waited for: other items begin while it is on its way.
        """
        item = self._open.pop(event.index, None)
        if item is None:  # an empty text, whose sources are those of nothing
            return b""
        self._ended[item.index] = (item, event)
        return self._close(item.index, "completed") if isinstance(item, OpenSearch) else b""

    def _close_ended(self, status: ItemStatus) -> bytes:
        last = self._items - 1
        return b"".join(
            self._close(index, status if index == last else "completed")
            for index in sorted(self._ended)
        )

    def _close(self, index: int, status: ItemStatus) -> bytes:
        item, end = self._ended.pop(index)
        closed = item.close(status, end)
        self._output[index] = item.item
        return closed

    def _refuse(self, text: str) -> bytes:
        item = OpenRefusal(self._form, self._events, self._items)
        said = item.open() + item.delta(text) + item.close("completed", None)
        self._output[item.index] = item.item
        return said
