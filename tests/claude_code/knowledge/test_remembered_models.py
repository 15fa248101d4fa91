"""The file of what each CLI has said about its models."""

from pathlib import Path

import pytest

from gateway.types import Target
from gateway_claude_code.facts.asked import AskedModel
from gateway_claude_code.facts.seen import SeenFacts
from gateway_claude_code.knowledge.remembered_models import MOST, RememberedModels, known_to_user
from gateway_claude_code.process.launch import Program

CLI = Program(Path("/bin/claude"), (1, 2))
MODELS = [
    AskedModel(
        value="opus",
        model="claude-opus-5-5",
        description="Most capable",
        efforts=("low", "max"),
        adaptive_thinking=True,
        thinking_off=False,
    ),
    AskedModel(value="plain", model="claude-plain"),
    AskedModel(value="none", model="claude-none", efforts=()),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "models.json"


def test_a_list_is_there_after_a_restart(path: Path) -> None:
    RememberedModels(path).keep(CLI, "claude.ai", MODELS)
    assert RememberedModels(path).recall(CLI, "claude.ai") == MODELS


@pytest.mark.parametrize(
    ("program", "login"),
    [
        (Program(Path("/opt/claude"), (1, 2)), "claude.ai"),
        (Program(Path("/bin/claude"), (1, 3)), "claude.ai"),
        (CLI, "api_key"),
    ],
    ids=["another program", "another version", "another login"],
)
def test_it_is_of_one_program_and_one_login(program: Program, login: str, path: Path) -> None:
    remembered = RememberedModels(path)
    remembered.keep(CLI, "claude.ai", MODELS)
    assert remembered.recall(program, login) is None


def test_without_a_login_the_last_one_counts(path: Path) -> None:
    remembered = RememberedModels(path)
    remembered.keep(CLI, "claude.ai", MODELS)
    remembered.keep(CLI, "api_key", MODELS[:1])
    assert remembered.recall(CLI) == MODELS[:1]


def test_a_newer_list_takes_the_place_of_an_older_one(path: Path) -> None:
    remembered = RememberedModels(path)
    remembered.keep(CLI, "claude.ai", MODELS)
    remembered.keep(CLI, "claude.ai", MODELS[1:])
    assert remembered.recall(CLI, "claude.ai") == MODELS[1:]


def test_an_empty_list_is_not_remembered(path: Path) -> None:
    remembered = RememberedModels(path)
    remembered.keep(CLI, "claude.ai", MODELS)
    remembered.keep(CLI, "claude.ai", [])
    assert remembered.recall(CLI, "claude.ai") == MODELS


def test_only_the_last_ones_stay(path: Path) -> None:
    remembered = RememberedModels(path)
    for number in range(MOST + 1):
        remembered.keep(CLI, str(number), MODELS)
    assert remembered.recall(CLI, "0") is None
    assert remembered.recall(CLI, "1") == MODELS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"entries": {}}',
        '{"entries": [3, {}, {"cli": "x"}]}',
        '{"entries": [{"cli": ["/bin/claude", 1, 2, "claude.ai"]}]}',
        '{"entries": [{"cli": ["/bin/claude", 1, 2, "claude.ai"], "models": [{"value": "a"}]}]}',
        '{"entries": [{"cli": ["/bin/claude", 1, 2, "claude.ai"], "models": [3]}]}',
    ],
)
def test_a_broken_file_is_as_good_as_none(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
    assert RememberedModels(path).recall(CLI, "claude.ai") is None
    RememberedModels(path).keep(CLI, "claude.ai", MODELS)
    assert RememberedModels(path).recall(CLI, "claude.ai") == MODELS


def test_what_a_user_s_gateways_know_is_known_to_commands_too(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    RememberedModels.of_user(environ).keep(CLI, "claude.ai", MODELS)
    SeenFacts.of_user(environ).note("claude-opus-5-5", "cache_marks", False, how="learnt")
    about = known_to_user(environ, CLI).about(Target(model="m", backend="b", name="opus"))
    assert about.facts.efforts == ("low", "max")
    assert about.facts.cache_marks is False


def test_without_a_program_only_what_was_seen_is_known(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    RememberedModels.of_user(environ).keep(CLI, "claude.ai", MODELS)
    assert known_to_user(environ, None).offered == ()
