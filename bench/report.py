"""The numbers as tables, with targets beside them, as JSON, and as a picture."""

import statistics
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from bench import going_back
from bench.compare import Samples
from bench.echo import Cost

CONTENDERS: Final = {
    "gateway": "the gateway",
    "floor": "a warm process, over its pipe",
    "spawned": "a process for each request",
    "proxy": "claude-max-api-proxy 1.0.0",
}
CASES: Final = (
    "new", "continued", "tools", "tool results", "200 messages", "image", *going_back.CASES,
    "4 clients", "16 clients", "16 set-ups",
)  # fmt: skip
COLORS: Final = {
    "gateway": "#2563a8", "floor": "#8a8f98", "spawned": "#d08a2e", "proxy": "#a8483d",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """What is wanted of a number, and whether it is so."""

    what: str
    measured: str
    wanted: str
    held: bool


def median(samples: Samples, case: str, who: str, measure: str = "upstream") -> float | None:
    values = samples.get((case, who, measure))
    return statistics.median(values) if values else None


def spread(values: list[float] | None, digits: int = 0) -> str:
    """The median in bold and the quartiles."""
    if not values:
        return "-"
    if len(values) < 2:
        return f"{values[0]:.{digits}f}"
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"**{middle:.{digits}f}** ({low:.{digits}f} to {high:.{digits}f})"


def compared(samples: Samples) -> Iterator[str]:
    """Median and quartiles of each case, a table for each measure."""
    for measure, title in (
        (
            "upstream",
            "From the client's request to its arrival upstream, in ms: median (quartiles)",
        ),
        ("first token", "From the client's request to its first token, in ms: median (quartiles)"),
    ):
        yield f"\n{title}\n"
        yield "| case | " + " | ".join(CONTENDERS.values()) + " | requests |"
        yield "|---" * (len(CONTENDERS) + 2) + "|"
        for case in CASES:
            count = len(samples.get((case, "gateway", measure), ()))
            if not count:
                continue
            cells = [spread(samples.get((case, who, measure))) for who in CONTENDERS]
            yield f"| {case} | " + " | ".join(cells) + f" | {count} |"


def cost_table(cost: Cost, processes: dict[str, dict[str, float]]) -> Iterator[str]:
    """What the gateway itself takes, and what the processes do."""
    rates = cost.requests_per_second
    yield "\nThe gateway itself, with the backend `echo`\n"
    yield "| what | measured |"
    yield "|---|---|"
    yield f"| requests per second, not streamed | {spread(rates)} |"
    yield f"| processor time per request | {cost.cpu_ms_per_request:.2f} ms |"
    yield f"| latency at 50 requests/s, p50 | {cost.p50:.2f} ms |"
    yield f"| latency at 50 requests/s, p99 | {cost.p99:.2f} ms |"
    yield f"| processor time per streamed chunk | {cost.cpu_us_per_chunk:.0f} µs |"
    yield f"| 500 streams of 20 chunks/s: lost chunks | {cost.lost} |"
    yield f"| … late by more than 250 ms | {cost.late} |"
    yield f"| … the latest of all | {cost.worst_gap:.0f} ms |"
    yield f"| … cores in use | {cost.cpu_of_streams:.2f} |"
    yield f"| memory (RSS) before and after the streams | {cost.rss_before:.0f}, {cost.rss_after:.0f} MB |"
    for name, used in processes.items():
        yield f"| memory of {name} (RSS; PSS) | {used['rss']:.0f}; {used['pss']:.0f} MB |"


def targets(samples: Samples, cost: Cost | None) -> list[Target]:
    """Each target for which there are numbers."""
    return [*_times(samples), *(_own(cost) if cost is not None else ())]


def _times(samples: Samples) -> list[Target]:
    found: list[Target] = []

    def time(case: str, other: tuple[str, str], limit: Callable[[float], float], said: str) -> None:
        ours, theirs = median(samples, case, "gateway"), median(samples, *other)
        if ours is not None and theirs is not None:
            most = limit(theirs)
            wanted = f"≤ {said}: {most:.1f} ms"
            found.append(Target(f"{case}, to upstream", f"{ours:.1f} ms", wanted, ours <= most))

    time("new", ("new", "floor"), lambda ms: ms + 10, "floor + 10 ms")
    time("new", ("new", "spawned"), lambda ms: ms * 0.35, "0.35 of a process for each request")
    time("new", ("new", "proxy"), lambda ms: ms * 0.3, "0.30 of claude-max-api-proxy")
    for case in ("continued", "tool results"):
        time(case, (case, "floor"), lambda ms: ms + 5, "the second turn's floor + 5 ms")
        time(case, (case, "spawned"), lambda ms: ms * 0.12, "0.12 of a process for each request")
    time("200 messages", ("200 messages", "floor"), lambda ms: ms * 1.05, "1.05 of the floor")
    continued = (going_back.CONTINUED, "gateway")
    time(going_back.NEW, continued, lambda ms: ms + 2, "a continued turn + 2 ms")
    for case in (
        going_back.REGENERATE, going_back.EDIT_LAST, going_back.EDIT_EARLIER, going_back.FORK,
    ):  # fmt: skip
        time(case, continued, lambda ms: ms + 4, "a continued turn + 4 ms")
    time("16 set-ups", ("16 set-ups", "spawned"), lambda ms: ms, "a process for each request")
    return found


def _own(cost: Cost) -> Iterator[Target]:
    rate = statistics.median(cost.requests_per_second)
    broken = cost.lost + cost.late
    yield Target("requests per second", f"{rate:.0f}", "≥ 1200", rate >= 1200)
    yield Target("latency at 50/s, p50", f"{cost.p50:.2f} ms", "≤ 2 ms", cost.p50 <= 2)
    yield Target("latency at 50/s, p99", f"{cost.p99:.2f} ms", "≤ 10 ms", cost.p99 <= 10)
    yield Target("500 streams, lost or late chunks", f"{broken}", "none", not broken)
    most = cost.rss_after
    yield Target("memory after them", f"{most:.0f} MB", "≤ 120 MB", most <= 120)


def target_table(found: list[Target]) -> Iterator[str]:
    yield "\nTargets\n"
    yield "| what | measured | wanted | |"
    yield "|---|---|---|---|"
    for target in found:
        verdict = "pass" if target.held else "**fail**"
        yield f"| {target.what} | {target.measured} | {target.wanted} | {verdict} |"


def nested(samples: Samples) -> dict[str, Any]:
    """By case, by contender, by measure: every single try."""
    found: dict[str, Any] = {}
    for (case, who, measure), values in samples.items():
        rounded = [round(value, 2) for value in values]
        found.setdefault(case, {}).setdefault(who, {})[measure] = rounded
    return found


def as_json(
    samples: Samples,
    cost: Cost | None,
    processes: dict[str, dict[str, float]],
    found: list[Target],
) -> dict[str, Any]:
    """All of it, every single try included."""
    return {
        "milliseconds": nested(samples),
        "gateway": None if cost is None else asdict(cost),
        "memory_mb": processes,
        "targets": [asdict(target) for target in found],
    }
