"""What recorded requests cost, beside the best that the same conversation could."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from bench.cache_cost_report import Priced, Recorded, priced, svg, table, targets
from bench.direct import direct
from bench.prompt_cache import Rules, Spent

Body = dict[str, Any]
MARKED = "the system prompt and the last message"


def asked(turns: int) -> Body:
    said = [
        {"role": ("user", "assistant")[n % 2], "content": f"{n} " + "x" * 4000}
        for n in range(2 * turns - 1)
    ]
    return {"messages": [{"role": "system", "content": "s" * 8000}, *said]}


SENT = [asked(turns) for turns in (1, 2, 3)]


def recorded(
    upstream: Sequence[Mapping[str, Any]], own: Sequence[int] = (0, 1, 2), who: str = "gateway"
) -> Recorded:
    return Recorded("chat", who, SENT, own, [[(0.0, body)] for body in upstream])


def test_who_sends_the_best_pays_the_best() -> None:
    found = priced(recorded([direct(body, MARKED) for body in SENT]), Rules())
    assert found.ratio == pytest.approx(1)
    assert found.spent == found.best


def test_who_marks_nothing_pays_more() -> None:
    found = priced(recorded([direct(body, "no marks") for body in SENT]), Rules())
    assert found.spent.cost == found.spent.fresh > found.best.cost


def test_only_the_shape_s_own_requests_count_but_all_fill_the_cache() -> None:
    found = priced(recorded([direct(body, MARKED) for body in SENT], own=[2]), Rules())
    assert found.requests == 1
    last = recorded([direct(SENT[2], "no marks")], own=[0])
    spent = found.spent
    assert spent.read + spent.written == priced(last, Rules()).spent.fresh
    assert spent.read > 2000


def test_a_request_that_went_upstream_twice_is_paid_twice() -> None:
    bodies = [direct(body, "no marks") for body in SENT]
    once, twice = ([[(0.0, body)] * times for body in bodies] for times in (1, 2))
    costs = [
        priced(Recorded("chat", "gateway", SENT, [0, 1, 2], upstream), Rules()).spent.cost
        for upstream in (once, twice)
    ]
    assert costs[1] == 2 * costs[0]


def of(shape: str, ratio: float, who: str = "gateway") -> Priced:
    return Priced(
        shape, who, Spent(read=500, fresh=500, cost=ratio), Spent(fresh=1000, cost=1.0), 1
    )


@pytest.mark.parametrize(
    ("shape", "most"),
    [("chat, 10 turns", 1.08), ("agent, 20 rounds of tools", 1.05), ("30 one-shots", 1.3),
     ("regenerate", 1.3), ("edit", 1.3)],
)  # fmt: skip
def test_the_gateway_is_held_against_the_targets(shape: str, most: float) -> None:
    found = targets([of(shape, most), of(shape, most + 0.01), of(shape, 9, "spawned")])
    assert [target.held for target in found] == [True, False]


def test_a_row_has_the_ratios_of_both() -> None:
    found = [of("edit", 1.25), of("edit", 3, "spawned")]
    with_line = [of("edit", 2), of("edit", 4, "spawned")]
    rows = list(table(found, with_line))
    assert rows[-1] == "| edit | 1 | 1000 | 0 % | 50 % | 1.25 | 3.00 | 2.00 | 4.00 |"
    assert {row.count("|") for row in rows} == {10}


def test_the_picture_has_a_bar_for_each_and_a_line_for_a_target() -> None:
    found = [of("edit", 1.2), of("edit", 99, "spawned"), of("fork", 1.2), of("fork", 2, "spawned")]
    picture = ET.fromstring(svg(found))
    bars = [each for each in picture.iter() if each.tag.endswith("rect")]
    lines = [each for each in picture.iter() if each.attrib.get("stroke-width") == "2"]
    assert (len(bars), len(lines)) == (4 + 1 + 2, 1)
