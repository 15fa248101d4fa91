"""One run: the callers' sequences, what they leave, and the conversations lived through anew."""

import resource
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import anyio

from gateway_claude_code.config import ClaudeCodeConfig
from tests.prove_reuse.callers.caller import Habits
from tests.prove_reuse.ledger import Chain
from tests.prove_reuse.leftovers import descriptors, files_with_secrets
from tests.prove_reuse.oracle import oracle
from tests.prove_reuse.world import world

USUAL: Final = Habits()
PROCESSES: Final = 24
ROUND: Final = 400
"""Sequences after which conversations are compared, so that not all of them are kept."""
AT_ONCE: Final = 2
"""Conversations that are lived through at the same time."""
CONFIG: Final = ClaudeCodeConfig(
    upstream_retries=0,
    check_cli=False,
    max_processes=PROCESSES,
    max_live=PROCESSES,
    max_spares=1,
    start_seconds=60,
)


@dataclass(slots=True)
class Proof:
    """What was done, and what is wrong, which `tell` is told at once.

    `compared` counts upstream requests.
    """

    tell: Callable[[str], None]
    problems: list[str] = field(default_factory=list)
    did: Counter[str] = field(default_factory=Counter)
    upstream: int = 0
    conversations: int = 0
    replayed: int = 0
    compared: int = 0
    taken: Counter[str] = field(default_factory=Counter)
    seconds: float = 0
    comparing: float = 0
    processor: float = 0

    def wrong(self, *problems: str) -> None:
        """Note what is wrong."""
        self.problems += problems
        for problem in problems:
            self.tell(f"PROBLEM: {problem}")

    def lines(self) -> Iterator[str]:
        """For people."""
        did: Counter[str] = Counter()
        for name, count in self.did.items():
            did[name.split(" (")[0]] += count
        yield f"{sum(self.did.values())} requests: {dict(did.most_common())}"
        yield (
            f"{self.upstream} upstream requests in {self.seconds:.0f} s "
            f"({self.processor:.0f} s of processor), processes {dict(self.taken)}"
        )
        yield (
            f"{self.replayed} of {self.conversations} conversations lived through anew, "
            f"{self.compared} requests compared in {self.comparing:.0f} s"
        )
        yield f"{len(self.problems)} problems"


async def run(
    folder: Path,
    sequences: int,
    seed: int,
    most_compared: int | None = None,
    *,
    habits: Habits = USUAL,
    tell: Callable[[str], None] = print,
) -> Proof:
    """So many sequences in rounds, each with a backend of its own; `folder` is empty."""
    proof = Proof(tell)
    for number, first in enumerate(range(0, sequences, ROUND)):
        place = folder / str(number)
        (place / "home").mkdir(parents=True)
        (place / "tmp").mkdir()
        count = min(ROUND, sequences - first)
        chains = await _play(place, count, f"{seed}/{number}", habits, proof)
        await _compare(place, _some(chains, most_compared, seed), proof)
    return proof


async def _play(
    place: Path, sequences: int, seed: str, habits: Habits, proof: Proof
) -> list[Chain]:
    opened = descriptors()
    began, used = time.monotonic(), _processor()
    async with world(place, CONFIG, seed, habits) as w:
        await w.play(sequences)
        w.check_open()
        proof.taken.update(w.taken)
    w.check_costs()
    proof.processor += _processor() - used
    proof.seconds += time.monotonic() - began
    proof.wrong(*w.findings.problems)
    proof.did.update(w.findings.did)
    proof.upstream += w.findings.upstream
    proof.conversations += len(w.tap.chains)
    if more := Counter(descriptors()) - Counter(opened):
        proof.wrong(f"still open: {more}")
    proof.wrong(*(f"a secret in {path}" for path in files_with_secrets([place])))
    return w.tap.chains


def _processor() -> float:
    """Seconds of processor so far, those of ended children included."""
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _some(chains: Sequence[Chain], most: int | None, seed: int) -> list[Chain]:
    """All of them by default; otherwise a sample."""
    if most is None or len(chains) <= most:
        return list(chains)
    return Random(seed).sample(list(chains), most)


async def _compare(place: Path, chains: Sequence[Chain], proof: Proof) -> None:
    began = time.monotonic()
    left = iter(chains)

    async def judge_some() -> None:
        async with oracle(CONFIG, place) as judge:
            for chain in left:
                if found := await judge.judge(chain):
                    proof.wrong("\n    ".join([*found, str(chain)]))
        proof.replayed += judge.replayed
        proof.compared += judge.compared

    async with anyio.create_task_group() as tasks:
        for _ in range(AT_ONCE):
            tasks.start_soon(judge_some)
    proof.comparing += time.monotonic() - began
