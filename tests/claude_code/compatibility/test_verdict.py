"""Which CLI may serve, and what it is served how."""

from pathlib import Path

import anyio
import pytest

from gateway.errors import BackendUnavailable
from gateway_claude_code.compatibility.behaviours import BEHAVIOURS, REUSE, SAFETY
from gateway_claude_code.compatibility.findings import Finding, Verdict
from gateway_claude_code.compatibility.verdict import CliVerdict
from gateway_claude_code.process.launch import Program

PROGRAM = Program(Path("/opt/claude"), (1, 1))
NEWER = Program(Path("/opt/claude"), (2, 2))


def finding(name: str, verdict: Verdict = "differs") -> Finding:
    return BEHAVIOURS[name].found(name, verdict, "it was seen")


def test_a_cli_that_was_not_tried_out_yet_serves() -> None:
    verdict = CliVerdict()
    verdict.admit(PROGRAM)
    assert verdict.takes_history(PROGRAM)
    assert verdict.health == {"checked": False}


@pytest.mark.parametrize("name", SAFETY)
def test_an_unsafe_one_does_not_and_the_error_says_all(name: str) -> None:
    verdict = CliVerdict()
    verdict.learn(PROGRAM, [finding(name)])
    with pytest.raises(BackendUnavailable) as caught:
        verdict.admit(PROGRAM)
    message = caught.value.message
    for words in (
        BEHAVIOURS[name].title,
        "it was seen",
        "dragoman doctor",
        "plugins.claude_code.allow_unsafe_cli: true",
    ):
        assert words in message
    assert caught.value.should_retry is False
    assert verdict.refusal == message
    assert verdict.health == {"checked": True, "differs": [name], "unknown": []}


def test_it_may_be_allowed_all_the_same() -> None:
    verdict = CliVerdict(allow_unsafe=True)
    verdict.learn(PROGRAM, [finding("file_mentions")])
    verdict.admit(PROGRAM)
    assert verdict.refusal is None
    assert verdict.health == {"checked": True, "differs": ["file_mentions"], "unknown": []}


@pytest.mark.parametrize("safety", ["holds", "unknown"])
def test_nothing_else_is_a_reason_to_refuse(safety: Verdict) -> None:
    verdict = CliVerdict()
    unlike = [finding(name) for name in BEHAVIOURS if name not in SAFETY]
    verdict.learn(PROGRAM, [*(finding(name, safety) for name in SAFETY), *unlike])
    verdict.admit(PROGRAM)
    unknown = [*SAFETY] if safety == "unknown" else []
    assert verdict.health["unknown"] == unknown


def test_one_that_was_replaced_on_disk_is_another() -> None:
    verdict = CliVerdict()
    verdict.learn(PROGRAM, [finding("file_mentions"), finding("native_history")])
    verdict.admit(NEWER)
    assert verdict.refusal is None
    assert (verdict.takes_history(PROGRAM), verdict.takes_history(NEWER)) == (False, True)


@pytest.mark.parametrize(
    ("verdicts", "rewinds"),
    [
        ({}, True),
        (dict.fromkeys(REUSE, "holds"), True),
        *(({**dict.fromkeys(REUSE, "holds"), name: "differs"}, False) for name in REUSE),
        ({**dict.fromkeys(REUSE, "holds"), "rewind": "unknown"}, False),
    ],
    ids=["unchecked", "all hold", *REUSE, "in doubt"],
)
def test_a_process_gets_another_conversation_unless_the_check_says_no_or_nothing(
    verdicts: dict[str, Verdict], *, rewinds: bool
) -> None:
    verdict = CliVerdict()
    verdict.learn(PROGRAM, [finding(name, said) for name, said in verdicts.items()])
    assert verdict.rewinds(PROGRAM) is rewinds
    assert verdict.rewinds(NEWER)


async def test_each_program_is_to_be_tried_out_once() -> None:
    verdict = CliVerdict()
    seen = []

    async def look() -> None:
        while True:
            program = await verdict.next_unknown()
            seen.append(program)
            verdict.learn(program, [])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(look)
        for program in (PROGRAM, PROGRAM, NEWER, PROGRAM):
            verdict.admit(program)
            await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert seen == [PROGRAM, NEWER]
