"""For plugins that serve a wire format: all of it but wire models, decoding and encoding.

A frontend registers a `Frontend`, and adds routes that return `answer(gateway, request, decode)`.
`decode` gets an `Incoming` and returns a `Call` with an `Encoding`; a streamed answer is encoded
by an `SSEEncoder` or an `NDJSONEncoder`.
"""

from gateway.frontend.answering import (
    KEEPALIVE_SECONDS,
    answer,
    answer_decoded,
    read_incoming,
)
from gateway.frontend.call import Call, Decode, Encoding, Incoming
from gateway.frontend.encoder import (
    NDJSONEncoder,
    SSEEncoder,
    StreamEncoder,
    json_line,
    sse_event,
)
from gateway.frontend.error_body import ERROR_SCHEMA, Envelope, ErrorBody, envelope
from gateway.frontend.field_table import Behaviour, FieldTable, RequestField
from gateway.frontend.models import ListedModel, listed_models, model_named
from gateway.frontend.openapi import (
    GENERATING,
    LISTING,
    ONE_MODEL,
    request_body,
    responses_of,
)
from gateway.frontend.registration import Frontend, ModelsFormat
from gateway.frontend.request.body import parse_json_object
from gateway.frontend.request.context import client_of
from gateway.frontend.request.function_tools import check_name, check_schema, function_tool
from gateway.frontend.request.sizes import check_count, check_schema_size, count_values
from gateway.frontend.response.json_text import dump
from gateway.frontend.wire_models import (
    Integer,
    Items,
    WireModel,
    checked,
    string_or_object,
)

__all__ = [
    "ERROR_SCHEMA",
    "GENERATING",
    "KEEPALIVE_SECONDS",
    "LISTING",
    "ONE_MODEL",
    "Behaviour",
    "Call",
    "Decode",
    "Encoding",
    "Envelope",
    "ErrorBody",
    "FieldTable",
    "Frontend",
    "Incoming",
    "Integer",
    "Items",
    "ListedModel",
    "ModelsFormat",
    "NDJSONEncoder",
    "RequestField",
    "SSEEncoder",
    "StreamEncoder",
    "WireModel",
    "answer",
    "answer_decoded",
    "check_count",
    "check_name",
    "check_schema",
    "check_schema_size",
    "checked",
    "client_of",
    "count_values",
    "dump",
    "envelope",
    "function_tool",
    "json_line",
    "listed_models",
    "model_named",
    "parse_json_object",
    "read_incoming",
    "request_body",
    "responses_of",
    "sse_event",
    "string_or_object",
]
