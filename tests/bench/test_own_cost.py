"""The gateway's own cost: when an answer is complete, and the table."""

from dataclasses import replace

import pytest

from bench.own_cost_load import is_complete
from bench.own_cost_report import BEFORE, GATEWAY, Measured, Row, held, page

TRY = Measured(cpu_ms=0.2, per_second=4000, p50_ms=0.5, p99_ms=1.25, rss_mb=64.4)
ROW = Row(GATEWAY, "whole", (TRY, replace(TRY, cpu_ms=0.3), replace(TRY, cpu_ms=0.4)))


@pytest.mark.parametrize(
    ("received", "complete"),
    [
        (b"HTTP/1.1 200 OK\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", True),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n", False),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", True),
    ],
)
def test_an_answer_ends_by_its_length_or_its_last_chunk(received: bytes, complete: bool) -> None:
    assert is_complete(received) is complete


def test_a_row_has_the_median_and_the_quartiles() -> None:
    text = page("Linux", [ROW])
    assert "| the gateway | **0.30** (0.25 to 0.35) | **4000** (4000 to 4000) |" in text
    assert "| **0.50** (0.50 to 0.50) | **1.25** (1.25 to 1.25) | 64 |" in text


@pytest.mark.parametrize(("before", "verdict"), [(0.8, True), (0.5, False)])
def test_the_gateway_is_compared_try_by_try(before: float, verdict: bool) -> None:
    rows = [ROW, Row(BEFORE, "whole", tuple(replace(TRY, cpu_ms=before) for _ in ROW.tries))]
    assert held(rows) is verdict
    said = "pass" if verdict else "**fail**"
    line = f"÷ the gateway, before: **{0.3 / before:.2f}** ({0.25 / before:.2f} to "
    assert line in page("Linux", rows)
    assert f"allowed is 0.5: {said}" in page("Linux", rows)


def test_the_others_are_only_for_comparison() -> None:
    rows = [ROW, Row("a bare ASGI application", "whole", (TRY,) * 3)]
    assert held(rows)
    assert "÷ a bare ASGI application: **1.50**" in page("Linux", rows)
