"""From the outcome of a probe to evidence about the facts of the table. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from gateway_claude_code.compatibility.findings import Verdict
from gateway_claude_code.doctor.live.probes import Probe, Trial
from gateway_claude_code.facts.model_facts import EFFORT_LEVELS, ModelFacts
from gateway_claude_code.request.lessons import Lesson

Answer: TypeAlias = Literal["accepted", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The API began an answer, by its own word of the model `model`."""

    model: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The API refused the request with these words; they teach the lesson, if any."""

    said: str
    lesson: Lesson | None


Outcome: TypeAlias = Accepted | Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The result of one probe for one fact.

    `table` is the fact's value there, `value` the observed one; with the verdict "unknown" it is
    the table's. `seen` None: the request was refused for another reason.
    """

    fact: str
    tried: str
    expected: Answer
    seen: Answer | None
    verdict: Verdict
    table: Any
    value: Any
    said: str = ""

    def repeats(self, other: "Evidence") -> bool:
        """Whether the other one already showed the same, by a fact that was not on trial."""
        differs = self.verdict == other.verdict == "differs"
        return differs and (self.fact, self.value) == (other.fact, other.value)


def judge(probe: Probe, table: ModelFacts, outcome: Outcome) -> tuple[Evidence, ...]:
    """The evidence of one outcome, for each fact on trial and each incidental one."""
    if isinstance(outcome, Accepted):
        trials = (one for trial in probe.trials for one in _with_also(trial))
        return tuple(_evidence(trial, table, "accepted", trial.accepted) for trial in trials)
    return tuple(_judge_refusal(probe, table, outcome))


def _judge_refusal(probe: Probe, table: ModelFacts, refused: Refused) -> Iterator[Evidence]:
    lesson, named = refused.lesson, False
    for trial in probe.trials:
        if lesson is not None and trial.fact == lesson.fact:
            named = True
            yield _evidence(trial, table, "refused", lesson.value, refused.said)
        else:
            said = "" if lesson is not None else refused.said
            yield _evidence(trial, table, None, getattr(table, trial.fact), said)
    if lesson is not None and not named and lesson.value != getattr(table, lesson.fact):
        tried = next((one.tried for one in probe.trials if lesson.fact in one.also), probe.name)
        besides = Trial(fact=lesson.fact, tried=tried, accepted=getattr(table, lesson.fact))
        yield _evidence(besides, table, "refused", lesson.value, refused.said)


def _with_also(trial: Trial) -> Iterator[Trial]:
    yield trial
    for fact, value in trial.also.items():
        yield replace(trial, fact=fact, accepted=value, also={})


def _evidence(
    trial: Trial, table: ModelFacts, seen: Answer | None, value: object, said: str = ""
) -> Evidence:
    in_table = getattr(table, trial.fact)
    verdict: Verdict = "holds" if value == in_table else "differs"
    return Evidence(
        fact=trial.fact,
        tried=trial.tried,
        expected="accepted" if trial.accepted == in_table else "refused",
        seen=seen,
        verdict="unknown" if seen is None else verdict,
        table=in_table,
        value=value,
        said=said,
    )


def settled(evidence: Iterable[Evidence]) -> dict[str, tuple[Any, str]]:
    """The facts that are now certain: each with its value and its evidence.

    A fact that was seen only in part is certain only if that part differs.
    """
    by_fact: dict[str, list[Evidence]] = {}
    for one in evidence:
        by_fact.setdefault(one.fact, []).append(one)
    return {
        fact: (_merged(found), _shown(found))
        for fact, found in by_fact.items()
        if any(one.verdict == "differs" for one in found)
        or all(one.verdict == "holds" for one in found)
    }


def _shown(found: Sequence[Evidence]) -> str:
    return "; ".join(
        one.said or f"{one.tried}: {one.seen}" for one in found if one.verdict != "unknown"
    )


def _merged(found: Sequence[Evidence]) -> Any:  # noqa: ANN401 - as the field has it
    """The value after all evidence; sets gain and lose members."""
    value = found[0].table
    for one in found:
        if one.verdict != "differs":
            continue
        if isinstance(value, frozenset):
            value = (value - (one.table - one.value)) | (one.value - one.table)
        elif isinstance(value, tuple):
            kept = (set(value) - (set(one.table) - set(one.value))) | set(one.value) - set(
                one.table
            )
            value = tuple(level for level in EFFORT_LEVELS if level in kept)
        else:
            value = one.value
    return value
