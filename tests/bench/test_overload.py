"""Load on a schedule: what counts as an answer, and what is made of the figures."""

import asyncio
import xml.etree.ElementTree as ET
from contextlib import suppress
from dataclasses import replace

import pytest

from bench.open_loop import Generator, Outcomes, is_proper_refusal
from bench.overload_report import Level, Series, page, percentile, problems, svg

BUSY_HEAD = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 40"
BUSY_BODY = b'{"error":{"code":"gateway_busy"}}'
LEVEL = Level(1.0, 100.0, 100.0, 0.0, {}, p99=0.1, refused_median=0.0)
TWICE = replace(LEVEL, factor=2.0, offered=200.0, served=80.0, refused=120.0, refused_median=0.01)
SERIES = Series("echo", 100.0, 1.0, (LEVEL, TWICE))


@pytest.mark.parametrize(
    ("head", "body", "proper"),
    [
        (BUSY_HEAD, BUSY_BODY, True),
        (BUSY_HEAD.replace(b"retry-after: 1\r\n", b""), BUSY_BODY, False),
        (BUSY_HEAD.replace(b"503", b"500"), BUSY_BODY, False),
        (BUSY_HEAD, b'{"error":{"code":"overloaded"}}', False),
    ],
)
def test_a_refusal_says_who_is_busy_and_when_to_come_back(
    head: bytes, body: bytes, proper: bool
) -> None:
    assert is_proper_refusal(head, body) is proper


def test_levels_that_are_as_they_have_to_be_have_no_problem() -> None:
    assert not list(problems(SERIES))


@pytest.mark.parametrize(
    ("worse", "said"),
    [
        ({"served": 79.0}, "79.0/s served, 100.0/s at most"),
        ({"p99": 1.1}, "p99 of 1.10 s"),
        ({"refused_median": 1.5}, "refused after 1.50 s"),
        ({"failed": {"connection lost": 3}}, "3 requests with 'connection lost'"),
    ],
)
def test_each_problem_is_named(worse: dict[str, object], said: str) -> None:
    series = replace(SERIES, levels=(LEVEL, replace(TWICE, **worse)))  # type: ignore[arg-type]
    [problem] = problems(series)
    assert problem.startswith("echo at 2 times the saturation: ")
    assert said in problem


def test_a_level_has_rates_and_percentiles() -> None:
    outcomes = Outcomes(served=[0.1] * 98 + [0.5, 0.9], refused=[0.01] * 50)
    level = Level.of(1.5, 30.0, 5.0, outcomes)
    assert (level.served, level.refused, level.p99, level.refused_median) == (20, 10, 0.9, 0.01)
    assert percentile([], 0.99) == 0


def test_the_page_and_the_picture_have_all_levels() -> None:
    assert "| 2 times (200.0/s) | 80.0 | 120.0 | 100 ms | 10 ms | 0 |" in page("Linux", [SERIES])
    picture = ET.fromstring(svg([SERIES, SERIES]))
    lines = [each for each in picture.iter() if each.tag.endswith("polyline")]
    assert [len(line.attrib["points"].split()) for line in lines] == [2] * 6


async def test_requests_are_counted_by_what_they_got_and_a_closed_connection_is_replaced() -> None:
    answers = iter((b"200 OK", b"", b"503 Busy", b"500 Oh"))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                if not (status := next(answers)):
                    break
                body = BUSY_BODY if b"503" in status else b"{}"
                head = b"HTTP/1.1 %s\r\nretry-after: 1" % status
                writer.write(head + b"\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        writer.close()
        closed.release()

    closed = asyncio.Semaphore(0)
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        make = lambda _: b"POST / HTTP/1.1\r\n\r\n"  # noqa: E731
        generator = Generator(f"http://127.0.0.1:{port}", make, 5)
        outcomes = Outcomes()
        for _ in range(3):
            await generator._one(outcomes)
        generator.close()
        for _ in range(2):
            await closed.acquire()
    assert (len(outcomes.served), len(outcomes.refused), outcomes.failed) == (1, 1, {"500": 1})
