"""The CLI's folder tells nothing of the user, and nobody else can put anything in it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway_claude_code.process.command import own_directory
from gateway_claude_code.process.working_directory import neutral_directory


@pytest.fixture
def shared(tmp_path: Path) -> tuple[Path, Path]:
    folders = tmp_path / "tmp", tmp_path / "var"
    for folder in folders:
        folder.mkdir()
        folder.chmod(0o1777)
    return folders


def own(folder: Path) -> Path:
    return folder / f"dragoman-{os.getuid()}" / "empty"


def test_it_is_in_a_folder_of_all_users_and_this_user_s_alone(
    shared: tuple[Path, Path], tmp_path: Path
) -> None:
    found = neutral_directory(tmp_path / "home" / "name", shared)
    assert found == own(shared[0])
    assert [path.stat().st_mode & 0o777 for path in (found, found.parent)] == [0o700, 0o700]
    assert neutral_directory(tmp_path / "home" / "name", shared) == found
    assert not (tmp_path / "home").exists()


def a_link(path: Path) -> None:
    path.symlink_to(path.parent / "elsewhere", target_is_directory=True)
    (path.parent / "elsewhere").mkdir()


def open_to_others(path: Path) -> None:
    path.mkdir()
    path.chmod(0o777)


def below(make: Callable[[Path], object]) -> Callable[[Path], None]:
    def made(path: Path) -> None:
        path.mkdir(mode=0o700)
        make(path / "empty")

    return made


SQUATTERS: dict[str, Callable[[Path], object]] = {
    "a file": Path.touch,
    "a link": a_link,
    "a folder that others write in": open_to_others,
    "a link below": below(a_link),
    "a folder below that others write in": below(open_to_others),
}


@pytest.mark.parametrize("squatter", SQUATTERS)
def test_what_somebody_else_has_put_there_is_not_used(
    shared: tuple[Path, Path], tmp_path: Path, squatter: str
) -> None:
    SQUATTERS[squatter](own(shared[0]).parent)
    assert neutral_directory(tmp_path / "home", shared) == own(shared[1])


def test_a_folder_of_another_user_is_not_used(
    shared: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own(shared[0]).mkdir(parents=True)
    monkeypatch.setattr("os.geteuid", lambda: os.getuid() + 1)
    assert neutral_directory(tmp_path / "home", shared) == tmp_path / "home"


def test_a_folder_in_which_others_can_exchange_things_is_not_used(
    shared: tuple[Path, Path], tmp_path: Path
) -> None:
    shared[0].chmod(0o777)
    assert neutral_directory(tmp_path / "home", shared) == own(shared[1])


def test_where_there_is_none_it_is_the_user_s_cache(tmp_path: Path) -> None:
    fallback = tmp_path / "home" / "cache"
    assert neutral_directory(fallback, (tmp_path / "none",)) == fallback
    assert fallback.is_dir()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HOME": "/h"}, "/h/.cache/dragoman"),
        ({"HOME": "/h", "XDG_CACHE_HOME": "/c"}, "/c/dragoman"),
    ],
)
def test_where_the_gateway_keeps_its_own(environ: dict[str, str], expected: str) -> None:
    assert own_directory(environ) == Path(expected)
