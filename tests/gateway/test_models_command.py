"""`dragoman models`."""

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner, Result

from gateway.models_command import models

YAML = """\
models:
  big: {backend: b, target: b1, description: The big one, defaults: {effort: low}}
  small: {backend: b, hidden: true, limits: {max_output_tokens: 9}}
  both: {split: {big: 90, small: 10}}
  "x-*": {backend: b}
aliases:
  gpt-4o: big
  "gpt-5*": gpt-4o
  "pre/*": "*"
"""


def run(write: Callable[..., Path], *arguments: str) -> Result:
    return CliRunner().invoke(models, ["--config", str(write(YAML)), *arguments])


def test_the_table(write: Callable[..., Path]) -> None:
    lines = [" ".join(line.split()) for line in run(write).output.splitlines()]
    assert "big gpt-4o, gpt-5* b: b1 effort=low models.yaml:2 The big one" in lines
    assert "small (hidden) b: the same name max_output_tokens≤9 models.yaml:3" in lines
    assert "both big 90, small 10 models.yaml:4" in lines
    assert "pre/* * models.yaml:9" in lines


def test_json(write: Callable[..., Path]) -> None:
    rows = {row["name"]: row for row in json.loads(run(write, "--json").output)}
    assert rows["small"]["hidden"] is True
    assert rows["big"]["aliases"] == ["gpt-4o", "gpt-5*"]
    assert rows["both"]["split"] == {"big": 90, "small": 10}


def test_resolve_says_each_step(write: Callable[..., Path]) -> None:
    assert run(write, "resolve", "pre/gpt-5-mini").output.splitlines() == [
        "pre/gpt-5-mini",
        "  alias pre/* (models.yaml:9) → gpt-5-mini",
        "  alias gpt-5* (models.yaml:8) → gpt-4o",
        "  alias gpt-4o (models.yaml:7) → big",
        "  model big (models.yaml:2) → b: b1",
    ]


def test_resolve_follows_all_of_a_split(write: Callable[..., Path]) -> None:
    assert run(write, "resolve", "both").output.splitlines() == [
        "both",
        "  split both (models.yaml:4)",
        "  90 of 100 conversations → big",
        "    model big (models.yaml:2) → b: b1",
        "  10 of 100 conversations → small",
        "    model small (models.yaml:3) → b: small",
    ]


def test_resolve_says_what_a_client_would_be_told(write: Callable[..., Path]) -> None:
    result = run(write, "resolve", "bigg")
    assert result.exit_code == 1
    assert result.stderr == "The model 'bigg' does not exist. Did you mean 'big'?\n"
