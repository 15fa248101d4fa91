"""`.ci/run` and `make full` leave nothing out: every target that checks something is in one of them."""

import re

import pytest

from tests.pages import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):.*? ## ", MAKEFILE, re.MULTILINE))
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
ONE_BY_ONE, BESIDE = re.findall(r"^for step in (.+); do$", CI, re.MULTILINE)
STEPS = {*ONE_BY_ONE.split(), *BESIDE.split(), *re.findall(r"^run ([a-z-]+) ", CI, re.MULTILINE)}
FULL = set(re.findall(r"^\t@\$\(MAKE\) ([a-z-]+)$", MAKEFILE, re.MULTILINE))
CHECK_NOTHING = {
    "clean", "cli-releases", "docs-commands", "docs-facts", "docs-serve", "docs-types", "format", "help", "lock", "run",
    "update-cli",
}  # fmt: skip
GROUPS = {"check", "full", "test"}


def test_every_target_that_checks_something_is_run() -> None:
    assert STEPS | FULL | CHECK_NOTHING | GROUPS == TARGETS
    assert not STEPS & FULL


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_every_target_is_declared(target: str) -> None:
    declared = re.findall(r"^\.PHONY: ((?:.*\\\n)*.*)$", MAKEFILE, re.MULTILINE)[0]
    assert target in declared.replace("\\", " ").split()
