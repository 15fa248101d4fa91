"""One rule of the Messages API, with its check and its source."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.upstream.request import MessagesRequest

Confidence: TypeAlias = Literal["high", "medium"]

INVALID: Final = "invalid_request_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The HTTP error that the API answers with."""

    status: int
    error_type: str
    message: str


Check: TypeAlias = Callable[[MessagesRequest, ModelFacts], Refusal | None]
"""Returns the refusal of a request, or None if it keeps the rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule of the table.

    `source` is a page below platform.claude.com/docs/en, or the public thread that quotes the
    live API. With confidence "medium" the rule or its wording was inferred.
    """

    name: str
    source: str
    confidence: Confidence
    check: Check


def invalid(message: str) -> Refusal:
    """A 400 `invalid_request_error`."""
    return Refusal(status=400, error_type=INVALID, message=message)


def extra_input(path: str) -> Refusal:
    """The refusal of a field that the API does not know, or not without a beta header."""
    return invalid(f"{path}: Extra inputs are not permitted")
