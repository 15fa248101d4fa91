"""Rows as OpenTelemetry's traces and logs, over OTLP. Needs the extra `otel`.

Attributes are those of the semantic conventions for generative AI, version 1.37, where they have
one, and `dragoman.*` elsewhere. The SDK sends in threads of its own, and drops what it can't send.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

from gateway import __version__
from gateway_request_log.row import Row

SEND_SECONDS: Final = 5
"""How long the collector may take, also for the rest at the end."""


class OpenTelemetry:
    """A sink. `url` is the collector's, such as http://127.0.0.1:4318."""

    def __init__(self, url: str) -> None:
        resource = Resource.create({"service.name": "dragoman", "service.version": __version__})
        base = url.rstrip("/")
        self._traces = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._traces.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(f"{base}/v1/traces", timeout=SEND_SECONDS))
        )
        self._logs = LoggerProvider(resource=resource, shutdown_on_exit=False)
        self._logs.add_log_record_processor(
            BatchLogRecordProcessor(OTLPLogExporter(f"{base}/v1/logs", timeout=SEND_SECONDS))
        )
        self._tracer = self._traces.get_tracer("dragoman", __version__)
        self._logger = self._logs.get_logger("dragoman", __version__)

    def write(self, rows: Sequence[Row]) -> None:
        """Hand them to the SDK: a span for each answer, and a log record that belongs to it."""
        for row in rows:
            self._write(row)

    def _write(self, row: Row) -> None:
        arrived = datetime.fromisoformat(row.time)
        start = _nanoseconds(arrived)
        end = _nanoseconds(arrived + timedelta(milliseconds=row.total_ms))
        found = attributes(row)
        span = self._tracer.start_span(
            f"chat {row.model}", kind=SpanKind.SERVER, attributes=found, start_time=start
        )
        if row.status == "failed":
            span.set_status(Status(StatusCode.ERROR, row.error_message))
        self._logger.emit(
            timestamp=end,
            context=set_span_in_context(span),
            severity_number=SeverityNumber.ERROR if row.error_code else SeverityNumber.INFO,
            body=row.error_message or row.status,
            attributes=found | bodies(row),
            event_name="dragoman.answer",
        )
        span.end(end)

    def close(self) -> None:
        """Send the rest."""
        self._traces.force_flush(SEND_SECONDS * 1000)
        self._logs.force_flush(SEND_SECONDS * 1000)
        self._traces.shutdown()
        self._logs.shutdown()


def attributes(row: Row) -> dict[str, str | int | float | tuple[str, ...]]:
    """The facts about an answer, under the conventions' names."""
    first_token = None if row.first_token_ms is None else row.first_token_ms / 1000
    named: Mapping[str, str | int | float | tuple[str, ...] | None] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": row.backend,
        "gen_ai.request.model": row.model,
        "gen_ai.response.model": row.backend_model,
        "gen_ai.response.id": row.request_id,
        "gen_ai.response.finish_reasons": (row.finish_reason,) if row.finish_reason else None,
        "gen_ai.response.time_to_first_chunk": first_token,
        "gen_ai.usage.input_tokens": row.input_tokens,
        "gen_ai.usage.output_tokens": row.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": row.cached_tokens,
        "gen_ai.usage.reasoning.output_tokens": row.reasoning_tokens,
        "error.type": row.error_code,
        "user_agent.original": row.client,
        "dragoman.key": row.key,
        "dragoman.status": row.status,
        "dragoman.queue_ms": row.queue_ms,
        "dragoman.asked_ms": row.asked_ms,
        "dragoman.tools_offered": row.tools_offered,
        "dragoman.tool_calls": row.tool_calls,
        "dragoman.cost_usd": row.cost_usd,
    }
    return {name: value for name, value in named.items() if value is not None}


def bodies(row: Row) -> dict[str, str]:
    """The bodies, if they are kept: JSON in the hub's form, so under names of our own."""
    named = {"dragoman.request": row.request, "dragoman.answer": row.answer}
    return {name: value for name, value in named.items() if value is not None}


def _nanoseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000) * 1000
