"""The one-shots as tables, and what is wanted of them. Pure."""

from collections.abc import Iterator
from typing import Final

from bench.compare import Samples
from bench.one_shots import ANSWERS, PROCESSOR, RATE, case_of
from bench.report import CONTENDERS, Target, median, spread

PROCESSOR_SHARE: Final = 0.09
"""Of the processor that a process for each request takes: the most that an answer may take."""
TIMES_FASTER: Final = 8
FLOOR: Final = "warm processes, over their pipes"


def tables(samples: Samples) -> Iterator[str]:
    """Median and quartiles of each number of clients, a table for each measure."""
    for measure, title, digits in (
        (RATE, "One-shots of a known set-up, answers per second: median (quartiles)", 1),
        (
            PROCESSOR,
            "One-shots of a known set-up, processor per answer in ms: median (quartiles)",
            0,
        ),
    ):
        yield f"\n{title}\n"
        yield "| clients | " + " | ".join({**CONTENDERS, "floor": FLOOR}.values()) + " | tries |"
        yield "|---" * (len(CONTENDERS) + 2) + "|"
        for clients in ANSWERS:
            case = case_of(clients)
            cells = [spread(samples.get((case, who, measure)), digits) for who in CONTENDERS]
            count = len(samples.get((case, "gateway", measure), ()))
            yield f"| {clients} | " + " | ".join(cells) + f" | {count} |"


def targets(samples: Samples) -> Iterator[Target]:
    """Each target for which there are numbers."""
    for clients in ANSWERS:
        case = case_of(clients)
        what = f"one-shots, {case}"
        ours, theirs = (
            median(samples, case, "gateway", PROCESSOR),
            median(samples, case, "spawned", PROCESSOR),
        )
        if ours is not None and theirs is not None:
            most = theirs * PROCESSOR_SHARE
            wanted = f"≤ {PROCESSOR_SHARE} of a process for each request: {most:.0f} ms"
            yield Target(f"{what}: processor per answer", f"{ours:.0f} ms", wanted, ours <= most)
        if clients == 1:
            continue
        rate = median(samples, case, "gateway", RATE)
        for who in ("spawned", "proxy"):
            other = median(samples, case, who, RATE)
            if rate is not None and other is not None:
                least = other * TIMES_FASTER
                wanted = f"≥ {TIMES_FASTER} times {CONTENDERS[who]}: {least:.1f}"
                measured = f"{rate:.1f}"
                yield Target(f"{what}: answers per second", measured, wanted, rate >= least)
