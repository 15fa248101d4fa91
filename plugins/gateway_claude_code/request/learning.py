"""From a refusal of the API to the next try, and to the fact that is remembered."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from gateway.errors import InvalidRequest
from gateway.types import ChatRequest, Target
from gateway_claude_code.facts.known import KnownModels
from gateway_claude_code.facts.model_facts import ModelFacts
from gateway_claude_code.request.cache_marks import CacheMarks
from gateway_claude_code.request.canonical import LatestDigests, schema_digest
from gateway_claude_code.request.lessons import Sent, lesson_of, refuses_schema
from gateway_claude_code.request.prepare import Prepared, WentOut
from gateway_claude_code.request.terms import careful

MOST_REFUSED_SCHEMAS: Final = 1000
"""The number of refused schemas that are remembered; the oldest are dropped."""


def nothing_learnt() -> None:
    """Remember nothing: the refusal teaches nothing about the next request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextTry:
    """The parameters of a try, the first or a second one; `remember` is called if it is answered."""

    facts: ModelFacts
    cached: bool = True
    remember: Callable[[], None] = nothing_learnt


class Learning:
    """The lessons of refusals, and the next try after one."""

    def __init__(self, known: KnownModels) -> None:
        self._known = known
        self._refused_schemas = LatestDigests(MOST_REFUSED_SCHEMAS)
        self.cache_marks = CacheMarks()

    def first_try(self, facts: ModelFacts, request: ChatRequest) -> NextTry:
        """How to ask by these facts; a schema that the API has refused is not sent natively."""
        cached = facts.cache_marks
        if schema_digest(request) in self._refused_schemas:
            facts = replace(facts, output_format=False)
        return NextTry(facts=facts, cached=cached)

    def next_try(
        self, error: InvalidRequest, prepared: Prepared, went_out: WentOut, target: Target
    ) -> NextTry | None:
        """The next try, if the refusal is about something that can be left out."""
        known = self._known.about(target)
        if went_out.terms is None:
            return None
        # marks first: their refusals name places within messages, which `lesson_of` leaves alone
        if self.cache_marks.learn(error.message, went_out.mark):
            return NextTry(facts=careful(known.facts))
        # the facts of now: another request may have learnt something meanwhile
        sent = Sent(request=prepared.request, terms=went_out.terms, facts=known.facts)
        # "Schema is too complex for compilation" is about this schema alone
        # (platform.claude.com/docs/en/build-with-claude/structured-outputs)
        if refuses_schema(error.message, sent):
            digest = schema_digest(prepared.request)
            return NextTry(
                facts=careful(known.facts), remember=partial(self._refused_schemas.add, digest)
            )
        lesson = lesson_of(error.message, sent)
        if lesson is None:
            return None
        learn = partial(self._known.learn, target, lesson.fact, lesson.value, said=error.message)
        if lesson.value == "none":  # now, as a client that asked for a search gets an error next
            learn()
        taught = replace(known.facts, **{lesson.fact: lesson.value})
        # the order in which the API checks is unknown: the second try avoids everything at once
        return NextTry(facts=careful(taught), cached=taught.cache_marks, remember=learn)
