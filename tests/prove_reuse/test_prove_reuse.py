"""A little of `make prove-reuse`: reused processes ask like new ones, and hold nothing of another's."""

from functools import partial
from pathlib import Path

import anyio
import pytest

from tests.prove_reuse.callers.caller import Habits
from tests.prove_reuse.run import run

pytestmark = pytest.mark.e2e

SEQUENCES = 300
SEED = 19
BRIEF = Habits(lengths=(1, 1, 1, 2), strays=0.01, several=0.01, troubles=0.4)
COMPARED = 12
"""Conversations that a new process lives through, which takes it half a second or more each."""


def test_reused_processes_ask_like_new_ones(
    tmp_path: Path, cli_command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGOMAN_CLAUDE_COMMAND", cli_command)
    proof = anyio.run(partial(run, habits=BRIEF), tmp_path, SEQUENCES, SEED, COMPARED)
    assert proof.problems == []
    assert proof.taken["reused"] >= 0.8 * SEQUENCES
    assert proof.replayed == COMPARED
