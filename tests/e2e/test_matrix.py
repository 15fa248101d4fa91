"""The matrix for one model of each kind of thinking: see `make matrix` for all of them."""

from pathlib import Path

import pytest

from gateway_claude_code.upstream import offline_script, running_upstream
from tests.cells import cells
from tests.matrix.run import LESSONS, matrix_gateway, run

MODELS = cells(
    {
        name: name
        for name in (
            "claude-sonnet-5-5",
            "claude-haiku-5-5",
            "claude-opus-4-6",
            "claude-sonnet-4-5",
        )
    },
    ["claude-sonnet-5-5"],
)

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("model", MODELS)
def test_every_parameter_is_met_at_the_first_try(
    tmp_path: Path, cli_command: str, model: str
) -> None:
    with (
        running_upstream(offline_script) as upstream,
        matrix_gateway(tmp_path, upstream, cli_command) as gateway,
    ):
        outcomes = run(gateway, [model])
    wrong = [
        f"{outcome.model}, {outcome.cell}: {outcome.problem}"
        for outcome in outcomes
        if outcome.problem is not None
    ]
    assert wrong == []
    assert list(gateway.home.rglob(LESSONS)) == [], "nothing was to be learnt"
