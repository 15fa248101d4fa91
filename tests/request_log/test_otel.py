"""Rows as a collector gets them: traces and logs over OTLP, to a real HTTP server."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from gateway_request_log.otel import OpenTelemetry
from tests.request_log.request_log_support import row


class Collector:
    """Keeps what is posted to it, by path."""

    def __init__(self) -> None:
        self.received: dict[str, bytes] = {}
        received = self.received

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                received[self.path] = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever)
    thread.start()
    yield collector
    collector.server.shutdown()
    collector.server.server_close()
    thread.join()


def values(attributes: Any) -> dict[str, Any]:
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in attributes}


def test_spans_and_log_records(collector: Collector) -> None:
    sink = OpenTelemetry(f"{collector.url}/")
    failed = row(
        status="failed", finish_reason=None, error_code="timeout", error_message="too slow"
    )
    sink.write([row(answer="[]"), failed])
    sink.close()

    traces = ExportTraceServiceRequest.FromString(collector.received["/v1/traces"])
    [resource] = traces.resource_spans
    assert values(resource.resource.attributes)["service.name"] == "dragoman"
    span, failed_span = resource.scope_spans[0].spans
    assert (span.name, span.kind, span.status.code) == ("chat m", span.SPAN_KIND_SERVER, 0)
    assert span.end_time_unix_nano - span.start_time_unix_nano == 400_000_000
    assert span.start_time_unix_nano == 1_767_323_045_678_000_000
    found = values(span.attributes)
    assert found["gen_ai.operation.name"] == "chat"
    assert (found["gen_ai.request.model"], found["gen_ai.response.model"]) == ("m", "m-1")
    assert (found["gen_ai.usage.input_tokens"], found["gen_ai.usage.output_tokens"]) == (10, 5)
    assert found["gen_ai.response.time_to_first_chunk"] == 0.03
    assert "error.type" not in found
    assert (failed_span.status.code, failed_span.status.message) == (2, "too slow")
    assert values(failed_span.attributes)["error.type"] == "timeout"

    logs = ExportLogsServiceRequest.FromString(collector.received["/v1/logs"])
    record, failed_record = logs.resource_logs[0].scope_logs[0].log_records
    assert (record.trace_id, record.span_id) == (span.trace_id, span.span_id)
    assert values(record.attributes)["dragoman.answer"] == "[]"
    assert (record.body.string_value, record.severity_number) == ("completed", 9)
    assert (failed_record.body.string_value, failed_record.severity_number) == ("too slow", 17)
