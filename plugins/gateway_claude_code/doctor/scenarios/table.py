"""The scenarios with their behaviours, and running them within their time limits."""

import logging
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

import anyio

from gateway.errors import GatewayError
from gateway_claude_code.compatibility.behaviours import BEHAVIOURS, REUSE
from gateway_claude_code.compatibility.findings import Finding, Verdict
from gateway_claude_code.doctor.scenarios import (
    answers,
    failures,
    isolation,
    rewinding,
    running,
    settings,
    tools,
    turns,
)
from gateway_claude_code.doctor.scenarios.rig import Cli, Rig, rig

log = logging.getLogger("gateway_claude_code")

SCENARIO_SECONDS: Final = 10
ALL_SECONDS: Final = 30
"""The time limits of one scenario and of all: a behaviour not seen by then is unknown."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A use of the CLI, and the behaviours that it shows."""

    names: tuple[str, ...]
    play: Callable[[Rig], Awaitable[None]]


SAFE_TO_SERVE: Final = (
    Scenario(("file_mentions",), isolation.file_mentions),
    Scenario(("slash_commands",), isolation.slash_commands),
    Scenario(("built_in_tools",), isolation.built_in_tools),
    Scenario(("native_history",), turns.native_history),
    Scenario(
        ("output_limit", "sampling", "tool_choice", "taken_back", "model"), settings.parameters
    ),
    Scenario(REUSE, rewinding.one_after_another),
)
"""The quick part: the gateway's check of a new CLI."""

MEASURED_ALONE: Final = Scenario(
    ("start_up", "small_request", "system_prompt", "streaming", "memory", "exit_at_end"),
    running.one_process,
)

OTHERS: Final = (
    *SAFE_TO_SERVE,
    Scenario(("not_on_disk", "not_in_argv"), isolation.traces),
    Scenario(("stable_prefix",), turns.stable_prefix),
    Scenario(("tools", "parking"), tools.calls),
    Scenario(("tool_descriptions", "tool_list"), tools.as_offered),
    Scenario(("parallel_calls",), tools.parallel_calls),
    Scenario(("web_search",), tools.web_search),
    Scenario(("output_format",), tools.output_format),
    Scenario(("structured_output",), tools.structured_output),
    Scenario(("one_request",), answers.one_request),
    Scenario(("one_refusal",), answers.one_refusal),
    Scenario(("overload_retried",), answers.overload_retried),
    Scenario(("media_smaller",), answers.media_smaller),
    Scenario(("media_removed",), answers.media_removed),
    Scenario(("list_models",), settings.models),
    *(Scenario((name,), partial(failures.failure, name=name)) for name in failures.FAILURES),
)
"""All but `MEASURED_ALONE`, which comes first and has the machine to itself."""

AT_ONCE: Final = 2
"""The number of simultaneous processes."""

Admission: TypeAlias = Callable[[], AbstractAsyncContextManager[object]]


async def look_at(
    cli: Cli,
    scenarios: Iterable[Scenario],
    admission: Admission,
    deadline: float = math.inf,
) -> list[Finding]:
    """The findings of these scenarios, in the order of the table of behaviours.

    Each runs within `admission()`, and has at most one process at a time. Raises nothing: an error
    is a finding.
    """
    found: dict[str, Finding] = {}

    async def play(scenario: Scenario) -> None:
        async with admission():
            for finding in await _findings(cli, scenario, deadline):
                found[finding.name] = finding

    async with anyio.create_task_group() as tasks:
        for scenario in scenarios:
            tasks.start_soon(play, scenario)
    return [found[name] for name in BEHAVIOURS if name in found]


async def look_at_all(cli: Cli) -> list[Finding]:
    """The findings of all scenarios, within `ALL_SECONDS`."""
    deadline = anyio.current_time() + ALL_SECONDS
    limiter = anyio.CapacityLimiter(AT_ONCE)
    alone = await look_at(cli, [MEASURED_ALONE], lambda: limiter, deadline)
    found = {
        finding.name: finding
        for finding in (*alone, *await look_at(cli, OTHERS, lambda: limiter, deadline))
    }
    return [found[name] for name in BEHAVIOURS]


def quick_part(findings: Iterable[Finding]) -> list[Finding]:
    """The findings of `SAFE_TO_SERVE` among all findings."""
    names = {name for scenario in SAFE_TO_SERVE for name in scenario.names}
    return [finding for finding in findings if finding.name in names]


async def _findings(cli: Cli, scenario: Scenario, deadline: float) -> list[Finding]:
    limit = min(anyio.current_time() + SCENARIO_SECONDS, deadline)
    notes: Mapping[str, tuple[bool, str]] = {}
    failure: Exception | None = None
    with anyio.CancelScope(deadline=limit) as scope:
        try:
            async with rig(cli) as place:
                notes = place.notes
                await scenario.play(place)
        except Exception as error:
            log.debug("checking %s failed", scenario.names, exc_info=error)
            failure = error
    findings = []
    for name in scenario.names:
        if name in notes:
            holds, seen = notes[name]
            verdict: Verdict = "holds" if holds else "differs"
        elif scope.cancelled_caught:
            verdict, seen = "unknown", "it took too long"
        else:
            verdict, seen = "unknown", _reason(failure)
        findings.append(BEHAVIOURS[name].found(name, verdict, seen))
    return findings


def _reason(failure: Exception | None) -> str:
    """The reason why a behaviour could not be seen. A failure alone does not mean that it differs."""
    match failure:
        case None:
            return "an earlier step failed"
        case GatewayError():
            return failure.message
        case _:
            return f"it could not be checked: {failure!r:.200}"
