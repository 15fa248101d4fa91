"""`dragoman init`: the file says what the code says."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from gateway.config.settings import LimitsConfig, ServerConfig, load, packaged_file
from gateway.startup.build import build_gateway
from gateway_access.config import AccessConfig
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_openai.config import OpenAIConfig
from gateway_terminal.init_command import sample
from tests.terminal.terminal_support import Run

SECTIONS: dict[str, type[BaseModel]] = {
    "server": ServerConfig,
    "limits": LimitsConfig,
    "plugins.openai": OpenAIConfig,
    "plugins.claude_code": ClaudeCodeConfig,
}
EXAMPLES = {"hosts", "origins", "keys", "keys_file"}
"""Keys of `access` for which the default would show nothing."""


def uncommented() -> str:
    """With every setting in force: `#key:` and `#  key:` are settings, `# Words` are prose."""
    return re.sub(r"^#(?=\S|  )", "", sample(), flags=re.MULTILINE)


def at(place: str) -> Any:
    found = yaml.safe_load(uncommented())
    for key in place.split("."):
        found = found[key]
    return found


def test_as_it_is_it_changes_nothing(tmp_path: Path, run: Run) -> None:
    assert run("init", "here.yaml").exit_code == 0
    mine, packaged = build_gateway(tmp_path / "here.yaml"), build_gateway()
    assert mine.models.entries == packaged.models.entries
    assert mine.config.values.server == ServerConfig()


def test_with_everything_in_force_it_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "models.yaml"
    path.write_text(uncommented(), encoding="utf-8")
    gateway = build_gateway(path)
    assert {"quick", "mixed", "mirror"} <= gateway.models.entries.keys()
    assert load(path).values.aliases["gpt-4o"] == "claude-sonnet-4"


@pytest.mark.parametrize("place", SECTIONS)
def test_each_section_has_every_key_with_its_default(place: str) -> None:
    assert at(place) == SECTIONS[place]().model_dump()


def test_the_keys_of_access_are_all_mentioned() -> None:
    assert set(AccessConfig.model_fields) == EXAMPLES
    assert all(re.search(rf"^#.*\b{key}:", sample(), re.MULTILINE) for key in EXAMPLES)


def test_without_a_path_it_goes_where_serve_looks(home: Path, run: Run) -> None:
    result = run("init")
    assert result.exit_code == 0
    assert (home / ".config/dragoman/models.yaml").read_text(encoding="utf-8") == sample()


@pytest.mark.parametrize(
    ("packaged", "says"), [(False, "`dragoman serve` uses ./models.yaml instead"), (True, "")]
)
def test_a_file_in_the_folder_is_named_unless_it_is_the_packaged_one(
    packaged: bool, says: str, home: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = packaged_file().parent if packaged else home / "work"
    folder.mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    if not packaged:
        Path("models.yaml").write_text("server: {port: 4000}\n", encoding="utf-8")
    said = run("init").stderr
    assert says in said
    assert bool(says) == bool(said)


def test_what_is_there_is_left_alone(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("server: {}\n", encoding="utf-8")
    result = run("init", path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "already exists" in result.stderr
    assert path.read_text(encoding="utf-8") == "server: {}\n"


def test_force_keeps_a_copy(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("server: {}\n", encoding="utf-8")
    assert run("init", "--force", path).exit_code == 0
    assert path.read_text(encoding="utf-8") == sample()
    assert (tmp_path / "mine.yaml.bak").read_text(encoding="utf-8") == "server: {}\n"


def test_a_place_that_can_t_be_written_is_one_line(tmp_path: Path, run: Run) -> None:
    (tmp_path / "file").touch()
    result = run("init", tmp_path / "file/models.yaml")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
