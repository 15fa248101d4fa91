"""The processor's time of a tree of processes, and clients at once."""

import subprocess
import sys
import threading
from collections import Counter

import pytest

from bench.clients import at_once
from bench.compare import rotated
from bench.machine import children, tree_cpu_seconds

PARENT = """
import subprocess, sys
burn = "import time\\nwhile time.process_time() < 0.1: pass\\nprint(flush=True)"
child = [sys.executable, "-S", "-c", burn]
subprocess.run(child, check=True, stdout=subprocess.DEVNULL)
alive = subprocess.Popen([*child[:-1], burn + "\\ninput()"], stdin=subprocess.PIPE,
    stdout=subprocess.PIPE)
alive.stdout.readline()
print(flush=True)
input()
alive.communicate(b"\\n")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_processes_that_have_ended_count_with_those_that_run() -> None:
    command = [sys.executable, "-S", "-c", PARENT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        assert tree_cpu_seconds(parent.pid) >= 0.17  # twice 0.1, in whole ticks
        assert len(children(parent.pid)) == 1
        parent.communicate(b"\n")
    assert tree_cpu_seconds(parent.pid) == 0


def test_clients_do_all_there_is_to_do() -> None:
    seen: Counter[int] = Counter()
    together = threading.Barrier(4)

    def work() -> None:
        together.wait()
        seen[threading.get_ident()] += 1

    assert at_once(work, 4, 12) > 0
    assert seen.total() == 12
    assert set(seen.values()) == {3}


def test_a_client_s_error_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        at_once(lambda: 1 / 0, 2, 5)


def test_another_contender_begins_each_time() -> None:
    assert [rotated(["a", "b", "c"], number)[0] for number in range(4)] == ["a", "b", "c", "a"]
