"""Requests made up from our own OpenAPI document: well-formed ones, and ones that miss it.

`make fuzz` tries thousands, each time others; without it there are a hundred, always the same.
"""

import os
from collections import Counter
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from gateway import hookimpl
from gateway.http.app import create_app
from gateway.testing import SCRIPTED, ScriptedBackend, answer, build, part, text_answer
from gateway.types import ModelDescription, Target, ToolCall

THOROUGH: Final = "FUZZ_CASES" in os.environ
CASES: Final = int(os.environ.get("FUZZ_CASES", "100"))

POSITIVE, NEGATIVE = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
SHARES: Final = {
    ("createChatCompletion", POSITIVE): 0.22,
    ("createChatCompletion", NEGATIVE): 0.14,
    ("createCompletion", POSITIVE): 0.14,
    ("createCompletion", NEGATIVE): 0.14,
    ("createResponse", POSITIVE): 0.16,
    ("createResponse", NEGATIVE): 0.1,
    ("getResponse", POSITIVE): 0.02,
    ("deleteResponse", POSITIVE): 0.02,
    ("listInputItems", POSITIVE): 0.02,
    ("retrieveModel", POSITIVE): 0.04,
}
"""Which part of the cases each gets. Nothing can be said against the document without input."""

OF_KEPT: Final = {"getResponse", "deleteResponse", "listInputItems"}
"""Operations on responses that are kept: no made-up id is that of one."""

load_all_checks()
CONFORM: Final = [
    *CHECKS.get_by_names(
        [
            "not_a_server_error",
            "status_code_conformance",
            "content_type_conformance",
            "response_schema_conformance",
        ]
    )
]


class Describing:
    """Says of each model something else, and of some nothing."""

    @hookimpl
    def gateway_describe_model(self, target: Target) -> ModelDescription | None:
        size = len(target.name)
        if size % 3 == 0:
            return None
        return ModelDescription(
            resolved=target.name,
            context_length=size,
            max_output_tokens=size if size % 2 else None,
            parameters=("max_output_tokens", "response_format"),
            efforts=("low", "max"),
            thinking="optional" if size % 2 else None,
            inputs=("text", "document"),
        )


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The document as schemathesis has it; every name of a model leads to a backend that answers."""
    calling = answer(part(0, ToolCall(id="c1", name="f"), '{"a"', ": 1}"), stop_reason="tool_calls")
    scripts = (text_answer("Hello", " there"), calling)
    turns = iter(range(10**9))
    backend = ScriptedBackend(reply=lambda _: scripts[next(turns) % len(scripts)])
    gateway = build(
        tmp_path_factory.mktemp("gateway"),
        backend,
        Describing(),
        config={
            "models": {"*": {"backend": SCRIPTED}, "m": {"backend": SCRIPTED}},
            "plugins": {"access": {"hosts": ["testserver"]}},
        },
        disabled=("claude_code",),
    )
    return schemathesis.openapi.from_asgi("/openapi.json", create_app(gateway))


def check(case: Case) -> int:
    """Send it, and hold the answer against the document; the status."""
    response = case.call()
    case.validate_response(response, checks=CONFORM)
    if response.status_code >= 400:
        error = response.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert error["message"]
    return int(response.status_code)


@pytest.mark.parametrize(("operation_id", "mode"), SHARES, ids=str)
def test_every_answer_is_a_documented_one(
    operation_id: str, mode: GenerationMode, document: Any
) -> None:
    operation = document.find_operation_by_id(operation_id)
    seen: Counter[int] = Counter()

    @settings(
        max_examples=round(CASES * SHARES[operation_id, mode]),
        derandomize=not THOROUGH,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode))
    def run(case: Case) -> None:
        if mode is POSITIVE and isinstance(case.body, dict):
            case.body["model"] = "m"  # made-up names are not found, and get no further
            case.body.pop("previous_response_id", None)
            if operation_id == "createResponse" and seen.total() % 2:
                # made-up calls, tools and choices rarely go together
                case.body |= {"input": "Hi", "tools": [], "tool_choice": "auto"}
        seen[check(case)] += 1

    run()
    print(operation_id, mode.value, dict(seen))  # noqa: T201 - `make fuzz` shows it
    if mode is POSITIVE and operation_id not in OF_KEPT:
        assert seen[200] > 0


@pytest.mark.parametrize("operation_id", ["listModels", "health", "healthz", "livez", "readyz"])
def test_what_takes_no_input_answers(operation_id: str, document: Any) -> None:
    operation = document.find_operation_by_id(operation_id)
    assert check(operation.Case()) == 200


def test_every_operation_is_tried_and_described(document: Any) -> None:
    operations = [result.ok().definition.raw for result in document.get_all_operations()]
    tried = {name for name, _ in SHARES} | {"listModels", "health", "healthz", "livez", "readyz"}
    assert {operation["operationId"] for operation in operations} == tried
    for operation in operations:
        assert operation["summary"]
        assert operation["tags"]
