"""What is remembered of a CLI, for whom, and where."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from gateway_claude_code.compatibility import known_findings
from gateway_claude_code.compatibility.behaviours import BEHAVIOURS
from gateway_claude_code.compatibility.findings import Finding, Verdict
from gateway_claude_code.compatibility.known_findings import MOST, KnownFindings, findings_file
from gateway_claude_code.process.launch import Program

PROGRAM = Program(Path("/opt/claude"), (5, 7))


def found(verdict: Verdict = "holds", name: str = "") -> list[Finding]:
    """Findings of all behaviours, with this verdict on the one of this name."""
    return [
        behaviour.found(each, verdict if each == name else "holds", "seen")
        for each, behaviour in BEHAVIOURS.items()
    ]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "dragoman" / "cli-checks.json"


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({"HOME": "/home/u"}, "/home/u/.local/state/dragoman/cli-checks.json"),
        ({"HOME": "/home/u", "XDG_STATE_HOME": "/s"}, "/s/dragoman/cli-checks.json"),
        (
            {"HOME": "/home/u", "XDG_STATE_HOME": "s"},
            "/home/u/.local/state/dragoman/cli-checks.json",
        ),
        ({}, None),
    ],
)
def test_where_the_file_is(environ: dict[str, str], path: str | None) -> None:
    assert findings_file(environ) == (Path(path) if path else None)


def test_findings_come_back_as_they_were(file: Path) -> None:
    findings = found("differs", "native_history")
    KnownFindings(file).keep(PROGRAM, "2.1.330", findings)
    assert KnownFindings(file).recall(PROGRAM, "2.1.330") == findings


def test_the_file_is_its_owners_alone(file: Path) -> None:
    KnownFindings(file).keep(PROGRAM, "2.1.330", found())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize(
    ("program", "version", "dragoman"),
    [
        (replace(PROGRAM, path=Path("/usr/bin/claude")), "2.1.330", None),
        (replace(PROGRAM, stamp=(6, 7)), "2.1.330", None),
        (PROGRAM, "2.1.331", None),
        (PROGRAM, "2.1.330", "9.0"),
    ],
    ids=["path", "stamp", "version", "dragoman's version"],
)
def test_another_cli_is_not_known(
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
    program: Program,
    version: str,
    dragoman: str | None,
) -> None:
    KnownFindings(file).keep(PROGRAM, "2.1.330", found())
    if dragoman:
        monkeypatch.setattr(known_findings, "__version__", dragoman)
    assert KnownFindings(file).recall(program, version) is None


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("file_mentions", False),
        ("native_history", False),
        ("rewind", False),
        ("exchanged_tools", False),
        ("model", True),
    ],
)
def test_what_has_consequences_is_remembered_only_when_it_is_certain(
    file: Path, name: str, kept: bool
) -> None:
    KnownFindings(file).keep(PROGRAM, "2.1.330", found("unknown", name))
    assert (KnownFindings(file).recall(PROGRAM, "2.1.330") is not None) is kept


def test_a_difference_in_one_is_as_certain_where_the_others_could_not_be_seen(file: Path) -> None:
    findings = [
        BEHAVIOURS[finding.name].found(finding.name, "unknown", "an earlier step failed")
        if finding.name in ("rewind_parked", "exchanged_tools")
        else finding
        for finding in found("differs", "rewind")
    ]
    KnownFindings(file).keep(PROGRAM, "2.1.197", findings)
    assert KnownFindings(file).recall(PROGRAM, "2.1.197") == findings


def test_a_check_without_all_that_has_consequences_is_made_anew(file: Path) -> None:
    KnownFindings(file).keep(PROGRAM, "2.1.330", found())
    entries = json.loads(file.read_text())
    del entries["entries"][0]["findings"]["rewind"]
    file.write_text(json.dumps(entries))
    assert KnownFindings(file).recall(PROGRAM, "2.1.330") is None


def test_a_new_look_takes_the_place_of_the_old_one(file: Path) -> None:
    known = KnownFindings(file)
    known.keep(PROGRAM, "2.1.330", found("differs", "file_mentions"))
    known.keep(PROGRAM, "2.1.330", found())
    assert known.recall(PROGRAM, "2.1.330") == found()
    assert len(json.loads(file.read_text())["entries"]) == 1


def test_the_last_ones_stay(file: Path) -> None:
    known = KnownFindings(file)
    for number in range(MOST + 2):
        known.keep(PROGRAM, f"2.1.{number}", found())
    assert known.recall(PROGRAM, "2.1.1") is None
    assert known.recall(PROGRAM, "2.1.2") is not None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"entries": 1}',
        '{"entries": [1]}',
        '{"entries": [{"cli": 1}]}',
        '{"entries": [{"cli": ["/opt/claude", 5, 7, "2.1.330", "0.1.0"], "findings": []}]}',
    ],
)
def test_a_file_that_makes_no_sense_is_as_good_as_none(file: Path, content: str) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(content)
    assert KnownFindings(file).recall(PROGRAM, "2.1.330") is None
    KnownFindings(file).keep(PROGRAM, "2.1.330", found())
    assert KnownFindings(file).recall(PROGRAM, "2.1.330") == found()


def test_a_behaviour_that_is_no_longer_known_is_looked_at_anew(file: Path) -> None:
    KnownFindings(file).keep(PROGRAM, "2.1.330", found())
    file.write_text(file.read_text().replace('"memory"', '"of_old"'))
    assert KnownFindings(file).recall(PROGRAM, "2.1.330") is None


def test_a_place_that_cant_be_written_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file" / "cli-checks.json", None):
        KnownFindings(place).keep(PROGRAM, "2.1.330", found())
        assert KnownFindings(place).recall(PROGRAM, "2.1.330") is None
