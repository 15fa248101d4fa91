"""Every behaviour is seen: a CLI that breaks it is told from one that keeps it."""

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from gateway_claude_code.channel import patience
from gateway_claude_code.compatibility.behaviours import BEHAVIOURS, REUSE, SAFETY
from gateway_claude_code.compatibility.findings import Finding, Verdict
from gateway_claude_code.conversations import conversation
from gateway_claude_code.doctor.scenarios import running, tools
from gateway_claude_code.doctor.scenarios import table as scenarios
from gateway_claude_code.doctor.scenarios.rig import Cli
from gateway_claude_code.doctor.scenarios.table import (
    MEASURED_ALONE,
    OTHERS,
    SAFE_TO_SERVE,
    look_at,
    look_at_all,
    quick_part,
)
from tests.cells import cells

MakeCli = Callable[..., Path]

OTHER_WAYS = (
    "built_in_tools: offered",
    "exchanged_tools: not called",
    "exchanged_tools: refused",
    "model: a trace",
    "native_history: exits",
    "native_history: other words",
    "parking: other words",
    "rewind: on disk",
    "rewind: refused",
    "rewind_parked: refused",
    "slash_commands: other words",
    "streaming: nothing",
)
"""To break a behaviour; some of them break so much that others can't be seen."""
WAYS = {name: name for name in (*BEHAVIOURS, *OTHER_WAYS)}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "SETTLE_SECONDS", 1)
    monkeypatch.setattr(tools, "OPEN_SECONDS", 0.2)
    monkeypatch.setattr(scenarios, "AT_ONCE", 5)


async def findings(path: Path) -> dict[str, Finding]:
    found = await look_at_all(Cli(path=path, version="9.9.9"))
    return {finding.name: finding for finding in found}


def not_holding(found: dict[str, Finding]) -> dict[str, tuple[Verdict, str]]:
    return {name: (each.verdict, each.seen) for name, each in found.items() if each.advice}


async def test_a_cli_that_breaks_none_keeps_all(fake_claude: MakeCli) -> None:
    found = await findings(fake_claude())
    assert not_holding(found) == {}
    assert list(found) == list(BEHAVIOURS)


def not_so_patient(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    """Bounds that a CLI with this fault passes soon."""
    if broken == "start_up":
        monkeypatch.setattr(running, "LONGEST_START", 0.25)
    if broken == "memory":
        monkeypatch.setattr(running, "PROCESS_BYTES", 50 * 1024 * 1024)
    if broken == "streaming: nothing":
        monkeypatch.setattr(scenarios, "SCENARIO_SECONDS", 2)


@pytest.mark.parametrize("broken", WAYS)
async def test_the_one_that_is_broken_is_seen_by_its_scenario(
    fake_claude: MakeCli, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    not_so_patient(monkeypatch, broken)
    name = broken.partition(":")[0]
    scenario = next(each for each in (MEASURED_ALONE, *OTHERS) if name in each.names)
    cli = Cli(path=fake_claude(broken), version="9.9.9")
    found = await look_at(cli, [scenario], anyio.Lock)
    assert {finding.name for finding in found} == set(scenario.names)
    differing = [finding.name for finding in found if finding.verdict == "differs"]
    assert differing == [name]


@pytest.mark.parametrize("broken", cells(WAYS, ["parking"]))
async def test_the_one_that_is_broken_is_named_and_no_other(
    fake_claude: MakeCli, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    not_so_patient(monkeypatch, broken)
    differing = not_holding(await findings(fake_claude(broken)))
    name = broken.partition(":")[0]
    if broken not in BEHAVIOURS:
        differing = {key: said for key, said in differing.items() if said[0] == "differs"}
    assert differing.keys() == {name}, differing
    assert differing[name][0] == "differs"


# -- a CLI that does not get so far -------------------------------------------------------


@pytest.mark.parametrize(
    ("play", "seconds", "words"),
    [
        ("cat > /dev/null", 0.2, "it took too long"),
        ("exit 3", 20, "exited with code 3"),
        ("read line; echo 'not json'; cat > /dev/null", 20, "an invalid line"),
    ],
    ids=["silent", "gone", "garbage"],
)
async def test_what_was_not_seen_is_unknown_and_no_reason_to_refuse_the_cli(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, play: str, seconds: float, words: str
) -> None:
    monkeypatch.setattr(scenarios, "SCENARIO_SECONDS", seconds)
    path = tmp_path / "claude"
    path.write_text(f"#!/bin/sh\n{play}\n", encoding="utf-8")
    path.chmod(0o755)
    found = await findings(path)
    for name in (*SAFETY, "native_history"):
        assert found[name].verdict == "unknown"
        assert words in found[name].seen


async def test_silence_when_a_conversation_is_cut_proves_nothing(
    fake_claude: MakeCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "WARM_SECONDS", 0.5)
    scenario = next(each for each in OTHERS if each.names == REUSE)
    found = await look_at(
        Cli(path=fake_claude("rewind: silent"), version="9"), [scenario], anyio.Lock
    )
    assert {finding.name: finding.verdict for finding in found} == dict.fromkeys(REUSE, "unknown")


async def test_all_together_have_a_limit_of_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenarios, "ALL_SECONDS", 0.3)
    path = tmp_path / "claude"
    path.write_text("#!/bin/sh\ncat > /dev/null\n", encoding="utf-8")
    path.chmod(0o755)
    found = await findings(path)
    assert {finding.verdict for finding in found.values()} == {"unknown"}


# -- the table ----------------------------------------------------------------------------


def test_every_behaviour_has_one_scenario() -> None:
    names = [
        name
        for scenario in (scenarios.MEASURED_ALONE, *scenarios.OTHERS)
        for name in scenario.names
    ]
    assert sorted(names) == sorted(BEHAVIOURS)


def test_what_a_cli_is_refused_for_is_in_the_quick_part() -> None:
    names = {name for scenario in SAFE_TO_SERVE for name in scenario.names}
    assert {*SAFETY, *REUSE, "native_history", "output_limit"} <= names
    every = [BEHAVIOURS[name].found(name, "holds", "") for name in BEHAVIOURS]
    assert {finding.name for finding in quick_part(every)} == names
