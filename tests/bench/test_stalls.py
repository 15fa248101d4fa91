"""The bodies that stalls are measured with, and what is made of the figures."""

import json
from dataclasses import replace

import pytest

from bench import stall_report
from bench.stall_bodies import all_kinds
from bench.stall_parts import MEGABYTE, Kind
from bench.stall_report import Stall
from gateway.config.settings import LimitsConfig

STALL = Stall("plain text", "1 MB", "echo", MEGABYTE, waited=60, loop=50, work=40)
NO_JSON = {
    "JSON without its end", "invalid UTF-8", "half a surrogate pair", "too many values",
    "too many levels",
}  # fmt: skip


@pytest.mark.parametrize("kind", all_kinds(), ids=lambda kind: kind.name)
def test_a_body_is_no_larger_than_it_is_asked_to_be(kind: Kind) -> None:
    body = kind.body(200_000, "echo")
    assert 20_000 <= len(body) <= 200_000
    if kind.name not in NO_JSON:
        assert isinstance(json.loads(body)["model"], str)


def test_each_kind_has_a_name_of_its_own() -> None:
    names = [kind.name for kind in all_kinds()]
    assert len(set(names)) == len(names) >= 60


@pytest.mark.parametrize(
    ("size", "waited", "loop", "held"),
    [
        ("1 MB", 100, 100, True),
        ("1 MB", 101, 0, False),
        ("1 MB", 0, 101, False),
        ("limit", 300, 300, True),
        ("limit", 0, 301, False),
    ],
)
def test_a_stall_is_held_against_what_is_allowed(
    size: str, waited: float, loop: float, held: bool
) -> None:
    stall = replace(STALL, size_name=size, waited=waited, loop=loop)
    assert stall.held is held
    assert stall_report.missed([stall]) == ([] if held else [stall])


def test_on_a_busy_machine_the_gateway_s_own_time_counts() -> None:
    stall = replace(STALL, waited=500, loop=500)
    assert not stall.held
    assert replace(stall, busy=True).held
    assert not replace(stall, busy=True, work=101).held
    assert "processor time" in stall_report.page("Linux", [replace(stall, busy=True)])


def test_the_page_has_the_longest_stall_and_a_row_for_each_kind() -> None:
    stalls = [
        STALL,
        replace(STALL, backend="cli", loop=120),
        replace(STALL, size_name="limit", size=LimitsConfig().body_bytes, waited=200),
        replace(STALL, kind="a picture", waited=10, loop=9),
    ]
    page = stall_report.page("Linux", stalls)
    assert "- bodies of 1 MB: 120 ms at most (plain text); allowed are 100 ms: **fail**" in page
    assert "- bodies at the limits: 200 ms at most (plain text); allowed are 300 ms: pass" in page
    assert "| plain text | 60 | **120** | 33.6 MB | 200 | - |" in page
    assert "| a picture | 10 | - | 1.0 MB | - | - |" in page
