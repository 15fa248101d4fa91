"""What the gateway itself costs: models of the backend that says what it was told."""

import asyncio
import json
import statistics
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from bench import load
from bench.machine import cpu_seconds, memory

T = TypeVar("T")

STREAMS: Final = 500
EVERY: Final = 0.05
"""Seconds between two chunks: 20 a second."""
CHUNKS_AT_ONCE: Final = 2000

MODELS: Final = {
    "whole": {"backend": "echo"},
    "fast": {"backend": "echo", "options": {"chunks": CHUNKS_AT_ONCE}},
    "slow": {"backend": "echo", "options": {"chunks": 10**6, "delay": EVERY}},
}


@dataclass(frozen=True, slots=True)
class Cost:
    """The numbers; times in milliseconds, memory in MB. Percentiles are medians of five slices."""

    requests_per_second: list[float]
    cpu_ms_per_request: float
    p50: float
    p99: float
    cpu_us_per_chunk: float
    lost: int
    late: int
    worst_gap: float
    cpu_of_streams: float
    rss_before: float
    rss_after: float


def measure(pid: int, url: str, *, quick: bool) -> Cost:
    """Measure a gateway that has `MODELS`. It is one thread, and so has a core at most."""
    hello = _body("whole", "Hello! How are you?")
    run(load.as_many_as_go(url, hello, 16, 1))  # everything imported, everything warm
    before = memory(pid)["rss"]
    used, seconds = cpu_seconds(pid), 1 if quick else 3
    rates = [run(load.as_many_as_go(url, hello, 16, seconds)) for _ in range(5)]
    cpu = (cpu_seconds(pid) - used) * 1000 / (sum(rates) * seconds)
    slices = [
        statistics.quantiles(run(load.at_rate(url, hello, 50, 2 if quick else 6)), n=100)
        for _ in range(5)
    ]
    used, streams = cpu_seconds(pid), 10
    fast = _body("fast", "x" * CHUNKS_AT_ONCE, stream=True)
    for _ in range(streams):
        run(load.streams(url, fast, 1, 0))
    per_chunk = (cpu_seconds(pid) - used) * 1e6 / (streams * CHUNKS_AT_ONCE)
    chunks, used = (100 if quick else 300), cpu_seconds(pid)
    slow = _body("slow", "x" * chunks, stream=True)
    done = run(load.streams(url, slow, STREAMS, EVERY))
    return Cost(
        requests_per_second=rates,
        cpu_ms_per_request=cpu,
        p50=statistics.median(part[49] for part in slices) * 1000,
        p99=statistics.median(part[98] for part in slices) * 1000,
        cpu_us_per_chunk=per_chunk,
        lost=STREAMS * chunks - sum(s.deltas for s in done) + sum(not s.ended for s in done),
        late=sum(s.late for s in done),
        worst_gap=max(s.worst for s in done) * 1000,
        cpu_of_streams=(cpu_seconds(pid) - used) / (chunks * EVERY),
        rss_before=before,
        rss_after=memory(pid)["rss"],
    )


def _body(model: str, text: str, **fields: Any) -> bytes:
    messages = [{"role": "user", "content": text}]
    return json.dumps({"model": model, "messages": messages, **fields}).encode()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Under uvloop where it is, as the load generator must not be the slower side."""
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return asyncio.run(work)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
