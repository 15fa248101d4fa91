"""`.ci/run`: each step once, its seconds, and a failure that no other step hides."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.pages import ROOT

ONE_BY_ONE = ["setup", "lint", "types", "test-main"]
BESIDE = ["test-clients", "docs", "dist"]
MAKE = """#!/bin/sh
echo "$1" >>made
echo "the words of $1"
case " $FAILING " in *" $1 "*) exit 1 ;; esac
"""


def ci(folder: Path, *failing: str) -> tuple[list[str], str, int]:
    """The steps as they were made, the output and the exit code, with a `make` that does nothing."""
    (folder / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", folder / ".ci" / "run")
    (folder / "make").write_text(MAKE, encoding="utf-8")
    (folder / "make").chmod(0o755)
    done = subprocess.run(
        ["bash", folder / ".ci" / "run"],
        env={"PATH": f"{folder}:{os.defpath}", "FAILING": " ".join(failing)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return (folder / "made").read_text().split(), done.stdout, done.returncode


def test_all_steps_are_made_and_timed(tmp_path: Path) -> None:
    made, output, code = ci(tmp_path)
    assert made[:4] == ONE_BY_ONE
    assert [step for step in made[4:] if step != "test-python"] == BESIDE
    assert sorted(made) == sorted([*ONE_BY_ONE, *BESIDE, "test-python"])
    for step in made:
        assert f"the words of {step}\n" in output
        assert f"\n{step:<14}    " in output
    assert output.splitlines()[-1].split()[0] == "total"
    assert code == 0


@pytest.mark.parametrize("step", [*ONE_BY_ONE, *BESIDE, "test-python"])
def test_a_step_that_fails_is_named_and_fails_the_whole(step: str, tmp_path: Path) -> None:
    made, output, code = ci(tmp_path, step)
    assert code == 1
    assert f"\n{step} (failed)" in output
    assert output.splitlines()[-1].split()[0] == "total"
    if step in ONE_BY_ONE:
        assert made == ONE_BY_ONE[: ONE_BY_ONE.index(step) + 1]
    else:
        assert "test-python" in made
