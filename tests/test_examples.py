"""The example plugins are short, right, and do their work beside a YAML."""

import re
import shutil
from pathlib import Path

import pytest

from gateway.cli.plugin_report import check_file
from gateway.startup.build import build_gateway

FOLDER = Path(__file__).parent.parent / "examples" / "plugins"
FILES = sorted(FOLDER.glob("*.py"))
COMPLETE = sorted((FOLDER.parent / "complete").glob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_is_under_25_lines_and_has_a_test(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 25
    assert (FOLDER / "tests" / f"test_{path.name}").is_file()
    assert check_file(path).hooks


@pytest.mark.parametrize("path", COMPLETE, ids=lambda path: path.stem)
def test_a_complete_example_is_one_file_and_has_a_test(path: Path) -> None:
    test = path.parent / "tests" / f"test_{path.name}"
    assert re.search(r"await check_(frontend|backend)\(", test.read_text(encoding="utf-8"))
    assert check_file(path).hooks


def test_all_of_them_are_found_beside_the_yaml(tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    for path in FILES:
        shutil.copy(path, tmp_path / "plugins")
    config = tmp_path / "models.yaml"
    config.write_text("plugins: {claude_code: false}\n", encoding="utf-8")
    names = build_gateway(config).plugins.names
    assert names[-len(FILES) :] == tuple(path.stem for path in FILES)
