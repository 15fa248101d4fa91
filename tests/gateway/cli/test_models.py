"""`dragoman models`."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.models import models
from gateway.cli.models_table import levels, tokens
from gateway.types import Effort

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
    lines = [" ".join(line.split()) for line in run(write, "-v").output.splitlines()]
    assert "big gpt-4o, gpt-5* b: b1 effort=low models.yaml:2" in lines
    assert "The big one" in lines
    assert "small (hidden) b: same name max_output_tokens≤9 models.yaml:3" in lines
    assert "both big 90, small 10 models.yaml:4" in lines
    assert "pre/* * models.yaml:9" in lines


def test_it_fits_a_terminal_without_empty_columns(write: Callable[..., Path]) -> None:
    aliases = "".join(f"\n  another-name-{number}: big" for number in range(9))
    path = write(f"{YAML.rstrip()}{aliases}\n")
    lines = CliRunner().invoke(models, ["--config", str(path)]).output.splitlines()
    assert lines[0].split() == ["name", "aliases", "resolves", "to", "settings"]
    assert max(map(len, lines)) <= 80
    assert "another-name-8" in "".join(lines)


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


# -- what is known of the models ----------------------------------------------------------

PLUGIN = """\
from gateway import hookimpl
from gateway.types import *


@hookimpl
def gateway_describe_model(target):
    if target.name not in ("b1", "small"):
        return None
    return ModelDescription(
        resolved=f"{target.name}-2026",
        context_length=1_000_000 if target.name == "b1" else 200_000,
        max_output_tokens=64_000,
        parameters=("max_output_tokens", "tools"),
        efforts=("low", "medium", "high") if target.name == "b1" else (),
        thinking="optional",
        inputs=("text", "image"),
        facts=(
            ModelFact(name="prefill", value="no", origin="documented", source="a/page"),
            ModelFact(name="efforts", value="low", origin="learnt", source="No!", date="2026-11-20"),
        ),
    )
"""


@pytest.fixture
def known(write: Callable[..., Path]) -> Callable[..., Result]:
    """Runs `dragoman models` where a backend knows of its models."""
    write(PLUGIN, "plugins/b.py")
    return lambda *arguments: run(write, *arguments)


def test_the_table_has_limits_and_efforts(known: Callable[..., Result]) -> None:
    lines = [" ".join(line.split()) for line in known("-v").output.splitlines()]
    assert "big gpt-4o, gpt-5* b: b1 1M 64k low…high effort=low models.yaml:2" in lines
    assert "small (hidden) b: same name 200k 9 none max_output_tokens≤9 models.yaml:3" in lines
    assert "both big 90, small 10 200k 9 none models.yaml:4" in lines


def test_json_has_all_that_is_known(known: Callable[..., Result]) -> None:
    rows = {row["name"]: row for row in json.loads(known("--json").output)}
    assert rows["big"]["known"]["resolved"] == "b1-2026"
    assert rows["big"]["known"]["facts"][0]["origin"] == "documented"
    assert rows["x-*"]["known"] is None


def test_show_prints_every_fact_and_how_it_is_known(known: Callable[..., Result]) -> None:
    result = known("show", "gpt-4o")
    assert result.exit_code == 0
    assert [" ".join(line.split()) for line in result.output.splitlines()] == [
        "big",
        "answers b1-2026",
        "context 1,000,000 tokens",
        "output 64,000 tokens",
        "thinking optional",
        "efforts low, medium, high",
        "input text, image",
        "parameters max_output_tokens, tools",
        "",
        "fact value known by source date",
        "prefill no documented a/page",
        "efforts low learnt No! 2026-11-20",
    ]


def test_show_has_each_model_of_a_split(known: Callable[..., Result]) -> None:
    shown = json.loads(known("show", "--json", "both").output)
    assert {name: model["max_output_tokens"] for name, model in shown.items()} == {
        "big": 64_000,
        "small": 9,
    }
    assert shown["small"]["facts"][1] == {
        "name": "efforts",
        "value": "low",
        "origin": "learnt",
        "source": "No!",
        "date": "2026-11-20",
    }


def test_show_says_when_nothing_is_known(known: Callable[..., Result]) -> None:
    result = known("show", "x-1")
    assert result.exit_code == 1
    assert result.output == "x-1\n  Nothing is known about it.\n"


def test_show_says_what_a_client_would_be_told(known: Callable[..., Result]) -> None:
    result = known("show", "bigg")
    assert result.exit_code == 1
    assert result.stderr == "The model 'bigg' does not exist. Did you mean 'big'?\n"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1_000_000, "1M"),
        (200_000, "200k"),
        (64_000, "64k"),
        (1_500_000, "1500k"),
        (9, "9"),
        (None, ""),
    ],
)
def test_tokens_in_short(number: int | None, text: str) -> None:
    assert tokens(number) == text


@pytest.mark.parametrize(
    ("efforts", "text"),
    [
        (("low", "medium", "high", "xhigh", "max"), "low…max"),
        (("low", "medium", "high", "max"), "low, medium, high, max"),
        (("low", "medium"), "low, medium"),
        (("max",), "max"),
        ((), "none"),
    ],
)
def test_levels_in_short(efforts: Sequence[Effort], text: str) -> None:
    assert levels(efforts) == text
