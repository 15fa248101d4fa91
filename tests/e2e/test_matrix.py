"""The matrix for one model of each kind of thinking, each time a quarter of it for one of them.

`make matrix` tries all of it for all models.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway_claude_code.upstream import offline_script, running_upstream
from tests.matrix.cells import CELLS, Cell
from tests.matrix.run import LESSONS, matrix_gateway, run

MODELS = ("claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-4-6", "claude-sonnet-4-5")
QUARTER = CELLS[::4]

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    ("model", "tried"),
    [
        pytest.param(MODELS[0], QUARTER, id="a quarter"),
        *(pytest.param(model, CELLS, id=model, marks=pytest.mark.on_demand) for model in MODELS),
    ],
)
def test_every_parameter_is_met_at_the_first_try(
    tmp_path: Path, cli_command: str, model: str, tried: Sequence[Cell]
) -> None:
    with (
        running_upstream(offline_script) as upstream,
        matrix_gateway(tmp_path, upstream, cli_command) as gateway,
    ):
        outcomes = run(gateway, [model], tried)
    wrong = [
        f"{outcome.model}, {outcome.cell}: {outcome.problem}"
        for outcome in outcomes
        if outcome.problem is not None
    ]
    assert wrong == []
    assert list(gateway.home.rglob(LESSONS)) == [], "nothing was to be learnt"
