"""Every behaviour is seen: a CLI that breaks it is told from one that keeps it."""

from pathlib import Path

import pytest

from gateway_claude_code import conversation
from gateway_claude_code.doctor import running, tools
from gateway_claude_code.doctor.behaviours import BEHAVIOURS
from gateway_claude_code.doctor.findings import Finding
from gateway_claude_code.doctor.rig import Cli
from gateway_claude_code.doctor.scenarios import look_at_all
from tests.doctor.conftest import MakeCli


async def findings(path: Path) -> dict[str, Finding]:
    found = await look_at_all(Cli(path=path, version="9.9.9"))
    return {finding.name: finding for finding in found}


def not_holding(found: dict[str, Finding]) -> dict[str, str]:
    return {name: each.seen for name, each in found.items() if each.verdict != "holds"}


async def test_all_of_them_are_kept_by_a_cli_that_breaks_none(fake_claude: MakeCli) -> None:
    found = await findings(fake_claude())
    assert not_holding(found) == {}
    assert found.keys() == BEHAVIOURS.keys()


@pytest.mark.parametrize("broken", BEHAVIOURS)
async def test_the_one_that_is_broken_is_named_and_no_other(
    fake_claude: MakeCli, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    monkeypatch.setattr(conversation, "SETTLE_SECONDS", 1)
    monkeypatch.setattr(tools, "OPEN_SECONDS", 0.2)
    if broken == "start_up":
        monkeypatch.setattr(running, "LONGEST_START", 0.25)
    if broken == "memory":
        monkeypatch.setattr(running, "PROCESS_BYTES", 50 * 1024 * 1024)
    found = await findings(fake_claude(broken))
    assert not_holding(found).keys() == {broken}, not_holding(found)
    assert found[broken].verdict == "differs"
    assert found[broken].advice
