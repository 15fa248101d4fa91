"""Waiting conversations against a model of them that is just a list."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gateway_claude_code.pool.live import LiveConversations
from tests.cells import examples

KEYS = st.binary(min_size=1, max_size=1).map(lambda key: bytes([key[0] % 5]))
KEEP_ALIVE = 10


class Waiting(RuleBasedStateMachine):
    """`model` has key, conversation and end of waiting, the least recently kept first."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.number = 0
        self.model: list[tuple[bytes, int, float]] = []

    @initialize(most=st.integers(0, 4))
    def begin(self, most: int) -> None:
        self.most = most
        self.live: LiveConversations[int] = LiveConversations(most, KEEP_ALIVE, lambda: self.now)

    @rule(key=KEYS)
    def keep(self, key: bytes) -> None:
        self.number += 1
        replaced = [entry for entry in self.model if entry[0] == key]
        kept = [entry for entry in self.model if entry[0] != key]
        kept.append((key, self.number, self.now + KEEP_ALIVE))
        surplus = max(len(kept) - self.most, 0)
        given_up = [number for _, number, _ in (*replaced, *kept[:surplus])]
        self.model = kept[surplus:]
        assert self.live.keep(key, self.number) == given_up

    @rule(key=KEYS)
    def take(self, key: bytes) -> None:
        expected = [number for kept, number, _ in self.model if kept == key]
        self.model = [entry for entry in self.model if entry[0] != key]
        assert self.live.take(key) == (expected[0] if expected else None)

    @rule()
    def take_oldest(self) -> None:
        expected = self.model.pop(0)[1] if self.model else None
        assert self.live.take_oldest() == expected

    @rule(seconds=st.sampled_from([0.5, 3, KEEP_ALIVE]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def take_expired(self) -> None:
        expected = [number for _, number, until in self.model if until <= self.now]
        self.model = [entry for entry in self.model if entry[2] > self.now]
        assert self.live.take_expired() == expected

    @rule()
    def take_all(self) -> None:
        assert self.live.take_all() == [number for _, number, _ in self.model]
        self.model = []

    @invariant()
    def agree(self) -> None:
        if not hasattr(self, "live"):
            return
        assert len(self.live) == len(self.model) <= self.most
        ends = [max(until - self.now, 0) for _, _, until in self.model]
        assert self.live.next_expiry() == (min(ends) if ends else None)


TestWaiting = Waiting.TestCase
TestWaiting.settings = settings(max_examples=examples(60), stateful_step_count=40)
