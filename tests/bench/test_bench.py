"""What the bench makes of its numbers, and that its load generator counts right."""

import asyncio
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import replace

import pytest

from bench import cases, load, one_shot_report, report
from bench.compare import Samples
from bench.echo import Cost
from bench.going_back import CONTINUED, EDIT_EARLIER, EDIT_LAST, FORK, NEW, REGENERATE
from bench.one_shots import PROCESSOR, RATE, case_of
from bench.picture import svg
from gateway_claude_code.upstream import MessagesRequest, Upstream, offline_script

COST = Cost(
    requests_per_second=[1300.0, 1200.0, 1400.0],
    cpu_ms_per_request=0.6,
    p50=1.5,
    p99=9,
    cpu_us_per_chunk=11,
    lost=0,
    late=0,
    worst_gap=20,
    cpu_of_streams=0.5,
    rss_before=60,
    rss_after=80,
)


def samples(medians: Mapping[tuple[str, str], float]) -> Samples:
    return {(*key, "upstream"): [ms - 1, ms, ms + 1] for key, ms in medians.items()}


@pytest.mark.parametrize(
    ("medians", "held"),
    [
        ({("new", "gateway"): 110, ("new", "floor"): 100}, True),
        ({("new", "gateway"): 111, ("new", "floor"): 100}, False),
        ({("new", "gateway"): 35, ("new", "spawned"): 100}, True),
        ({("new", "gateway"): 31, ("new", "proxy"): 100}, False),
        ({("continued", "gateway"): 15, ("continued", "floor"): 10}, True),
        ({("tool results", "gateway"): 13, ("tool results", "spawned"): 100}, False),
        ({("200 messages", "gateway"): 105, ("200 messages", "floor"): 100}, True),
        ({("200 messages", "gateway"): 106, ("200 messages", "floor"): 100}, False),
        ({(NEW, "gateway"): 22, (CONTINUED, "gateway"): 20}, True),
        ({(NEW, "gateway"): 23, (CONTINUED, "gateway"): 20}, False),
        ({(REGENERATE, "gateway"): 24, (CONTINUED, "gateway"): 20}, True),
        ({(EDIT_LAST, "gateway"): 25, (CONTINUED, "gateway"): 20}, False),
        ({(EDIT_EARLIER, "gateway"): 25, (CONTINUED, "gateway"): 20}, False),
        ({(FORK, "gateway"): 25, (CONTINUED, "gateway"): 20}, False),
        ({("16 set-ups", "gateway"): 100, ("16 set-ups", "spawned"): 100}, True),
        ({("16 set-ups", "gateway"): 101, ("16 set-ups", "spawned"): 100}, False),
    ],
)
def test_times_are_held_against_their_targets(
    medians: Mapping[tuple[str, str], float], held: bool
) -> None:
    first, *_ = report.targets(samples(medians), COST)
    assert first.held is held


@pytest.mark.parametrize(
    "worse",
    [{"requests_per_second": [1000.0]}, {"p50": 2.1}, {"p99": 11}, {"lost": 1}, {"late": 1},
     {"rss_after": 130}],
)  # fmt: skip
def test_one_number_that_is_worse_misses_one_target(worse: Mapping[str, object]) -> None:
    assert all(target.held for target in report.targets({}, COST))
    found = report.targets({}, replace(COST, **worse))  # type: ignore[arg-type]
    assert [target.held for target in found].count(False) == 1


def shots(clients: int, measure: str, **medians: float) -> Samples:
    case = case_of(clients)
    return {(case, who, measure): [value] * 3 for who, value in medians.items()}


@pytest.mark.parametrize(
    ("measured", "held"),
    [
        (shots(1, PROCESSOR, gateway=45, spawned=500), [True]),
        (shots(16, PROCESSOR, gateway=46, spawned=500), [False]),
        (shots(4, RATE, gateway=24, spawned=3, proxy=2), [True, True]),
        (shots(16, RATE, gateway=23.9, spawned=3, proxy=2), [False, True]),
        (shots(4, RATE, gateway=24, spawned=3), [True]),
        (shots(1, RATE, gateway=1, spawned=3), []),
    ],
)
def test_one_shots_are_held_against_their_targets(measured: Samples, held: list[bool]) -> None:
    assert [target.held for target in one_shot_report.targets(measured)] == held


def test_rates_have_a_digit_after_the_point() -> None:
    text = "\n".join(one_shot_report.tables(shots(4, RATE, gateway=24.04, spawned=3)))
    assert "| 4 | **24.0** (24.0 to 24.0) | - | **3.0** (3.0 to 3.0) | - | 3 |" in text


def test_a_table_has_the_median_and_the_quartiles() -> None:
    text = "\n".join(report.compared(samples({("new", "gateway"): 100})))
    assert "| new | **100** (100 to 100) | - | - | - | 3 |" in text


def test_the_picture_has_a_bar_for_each_that_was_measured() -> None:
    picture = ET.fromstring(svg(samples({("new", "gateway"): 100, ("new", "floor"): 90})))
    bars = [rect for rect in picture.iter() if rect.tag.endswith("rect")]
    assert len(bars) == 2 + 1 + len(report.CONTENDERS)


def test_a_request_is_found_by_its_mark() -> None:
    upstream = Upstream(offline_script)
    signs = [cases.mark(), cases.mark()]
    upstream.requests += [
        MessagesRequest(body=cases.new(sign), size=1, headers={}, received=float(number))
        for number, sign in enumerate(signs)
    ]
    assert cases.arrival(upstream, signs[1]) == 1
    with pytest.raises(LookupError):
        cases.arrival(upstream, cases.mark())


def test_of_several_with_a_mark_the_first_after_a_moment_is_meant() -> None:
    upstream, sign = Upstream(offline_script), cases.mark()
    upstream.requests += [
        MessagesRequest(body=cases.new(sign), size=1, headers={}, received=float(moment))
        for moment in range(4)
    ]
    assert [cases.arrival(upstream, sign, after) for after in (0, 1.5)] == [0, 2]
    with pytest.raises(LookupError):
        cases.arrival(upstream, sign, 3.5)


@pytest.mark.parametrize(
    ("gaps", "late"), [((0, 0), 0), ((0, load.LATE_SECONDS + 0.05), 1)], ids=["prompt", "late"]
)
async def test_late_chunks_are_counted(gaps: tuple[float, float], late: int) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for gap in gaps:
            await asyncio.sleep(gap)
            writer.write(b'data: {"content":"x"}\n\n')
            await writer.drain()
            await asyncio.sleep(0.001)
        writer.write(b"data: [DONE]\n\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        (stream,) = await load.streams(f"http://127.0.0.1:{port}", b"{}", 1, 0)
    assert (stream.deltas, stream.late, stream.ended) == (2, late, True)
