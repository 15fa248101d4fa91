"""One-shots of a known set-up: how many a second, and what processor each of them takes."""

import os
import resource
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Final

from bench import cases
from bench.cases import Body
from bench.clients import at_once
from bench.compare import WARM_SECONDS, Ask, Comparison, Samples, rotated
from bench.contenders import Asked
from bench.machine import PATIENCE, Served, tree_cpu_seconds
from bench.pipe import Pipe

ANSWERS: Final = {1: 12, 4: 24, 16: 48}
"""The number of answers in a try, by the number of clients."""
IDLE_SECONDS: Final = 1.0
"""Longer than the gateway waits before it starts a process ahead of a request."""
IDLE_SHARE: Final = 0.15
"""Of a core: what all processes that wait may use; one was seen to use 0.004 (2.1.330)."""
RATE: Final = "answers per second"
PROCESSOR: Final = "processor per answer"


@dataclass(frozen=True, slots=True)
class _Contender:
    """`used` gives the seconds of processor so far, once `rest` has waited for what goes on."""

    ask: Ask
    used: Callable[[], float]
    rest: Callable[[], None]


@dataclass
class OneShots:
    """The samples by case, contender and measure; the processor's in milliseconds."""

    comparison: Comparison
    samples: Samples = field(default_factory=lambda: defaultdict(list))

    def run(self, tries: int) -> None:
        """All numbers of clients, by all contenders, `tries` times."""
        with self._contenders() as contenders:
            for number in range(tries):
                print(f"  try {number + 1} of {tries}", flush=True)
                for clients in ANSWERS:
                    for who in rotated(list(contenders), number):
                        with self.comparison.noted(f"{case_of(clients)}, {who}"):
                            self._one(who, contenders[who], clients)

    def _one(self, who: str, contender: _Contender, clients: int) -> None:
        if who == "gateway":  # which knows the set-up from then on
            _ask_all(contender.ask, clients, max(clients, 2))
        contender.rest()
        before = contender.used()
        seconds = _ask_all(contender.ask, clients, ANSWERS[clients])
        contender.rest()
        used = contender.used() - before
        case = case_of(clients)
        self.samples[case, who, RATE].append(ANSWERS[clients] / seconds)
        self.samples[case, who, PROCESSOR].append(used * 1000 / ANSWERS[clients])

    @contextmanager
    def _contenders(self) -> Iterator[dict[str, _Contender]]:
        comparison = self.comparison
        found = {
            "gateway": _served(comparison.gateway, comparison.ask_gateway),
            "spawned": _Contender(comparison.spawn, _used_by_ended_children, lambda: None),
        }
        if comparison.proxy is not None:
            found["proxy"] = _served(comparison.proxy, comparison.ask_proxy)
        with ExitStack() as stack:
            pipes = [Pipe(comparison.launch) for _ in range(os.cpu_count() or 1)]
            for pipe in pipes:
                stack.callback(pipe.close)
            time.sleep(WARM_SECONDS)
            for pipe in pipes:
                pipe.ask(cases.set_up(cases.mark()))
            found["floor"] = _Contender(
                _in_turns(pipes),
                lambda: sum(tree_cpu_seconds(pipe.pid) for pipe in pipes),
                lambda: None,
            )
            yield found


def _served(server: Served, ask: Ask) -> _Contender:
    return _Contender(ask, lambda: tree_cpu_seconds(server.pid), lambda: _until_idle(server))


def case_of(clients: int) -> str:
    """Its name in the tables."""
    return f"{clients} client{'s' if clients > 1 else ''}"


def _ask_all(ask: Ask, clients: int, answers: int) -> float:
    """The seconds until so many clients have so many answers."""
    return at_once(lambda: ask(cases.set_up(cases.mark())), clients, answers)


def _in_turns(pipes: list[Pipe]) -> Ask:
    """Ask whichever process is idle, its conversation rewound to the beginning."""
    idle: SimpleQueue[Pipe] = SimpleQueue()
    for pipe in pipes:
        idle.put(pipe)

    def ask(body: Body) -> Asked:
        pipe = idle.get()
        try:
            return pipe.ask(body, kept=0)
        finally:
            idle.put(pipe)

    return ask


def _used_by_ended_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _until_idle(server: Served) -> None:
    """Wait until nothing that belongs to it works any more, without asking it anything."""
    end, before = time.monotonic() + PATIENCE, tree_cpu_seconds(server.pid)
    while time.monotonic() < end:
        time.sleep(IDLE_SECONDS)
        now = tree_cpu_seconds(server.pid)
        if now - before <= IDLE_SHARE * IDLE_SECONDS:
            return
        before = now
    raise RuntimeError("the processes of a server do not come to rest")
