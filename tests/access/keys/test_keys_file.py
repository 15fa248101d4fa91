"""The keys file: written whole and for its owner only, and read while a gateway runs."""

import os
from pathlib import Path

import pytest

from gateway.errors import ConfigurationError
from gateway_access.config import AccessConfig, KeyEntry
from gateway_access.keys.keys_file import change_keys, path_of, read_keys
from gateway_access.keys.known_keys import KnownKeys
from tests.access.access_support import KEY, OTHER, entry
from tests.clock import Clock


def write(path: Path, *entries: KeyEntry) -> None:
    change_keys(path, lambda _: entries)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "keys.yaml"
    written = (entry("a", models=("claude-*",), requests_per_minute=3), entry("b", OTHER))
    write(path, *written)
    assert read_keys(path) == written
    assert KEY not in path.read_text(encoding="utf-8")


def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "keys.yaml"
    old_mask = os.umask(0)
    try:
        write(path, entry())
    finally:
        os.umask(old_mask)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["keys.yaml"]


def test_a_change_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    write(path, entry())

    def fail(_: tuple[KeyEntry, ...]) -> tuple[KeyEntry, ...]:
        raise ConfigurationError("no")

    with pytest.raises(ConfigurationError, match="no"):
        change_keys(path, fail)
    assert read_keys(path) == (entry(),)


def test_a_file_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "keys.yaml"
    with pytest.raises(ConfigurationError, match=r"keys\.yaml can't be written: "):
        write(path, entry())
    assert read_keys(path) == ()
    assert not KnownKeys([], path).required


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    link = tmp_path / "keys.yaml"
    link.symlink_to(tmp_path / "elsewhere.yaml")
    write(link, entry())
    assert link.is_symlink()
    assert read_keys(tmp_path / "elsewhere.yaml") == (entry(),)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keys.yaml"
    write(path, entry())
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match="is writable by other users; run `chmod 600"):
        read_keys(path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("keys: [{name: a}]", "line 1: Field required"),
        ("keys: [{name: a, hash: plain}]", "line 1: String should match"),
        ("keys: []\nkees: []", "line 2: unknown key 'kees'; did you mean 'keys'"),
        ("keys: [", "line 1"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match=why) as caught:
        read_keys(path)
    assert str(path) in str(caught.value)


def test_where_the_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside = tmp_path / "models.yaml"
    relative = AccessConfig(keys_file=Path("some/keys.yaml"))
    assert path_of(relative, beside) == tmp_path / "some/keys.yaml"
    assert path_of(relative, None) == Path("some/keys.yaml")
    monkeypatch.setenv("HOME", "/home/me")
    assert path_of(AccessConfig(keys_file=Path("~/keys")), beside) == Path("/home/me/keys")


# -- while a gateway runs -----------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.yaml"


def test_the_file_is_looked_at_twice_a_second_at_most(path: Path) -> None:
    clock = Clock()
    keys = KnownKeys([], path, clock=clock)
    assert not keys.required
    write(path, entry("a"))
    clock.now += 0.4
    assert len(keys.current()) == 0
    clock.now += 0.2
    assert keys.current().named("a") == entry("a")
    assert keys.required


def test_a_key_that_was_taken_back_is_no_longer_known(path: Path) -> None:
    clock = Clock()
    write(path, entry("a"), entry("b", OTHER))
    keys = KnownKeys([], path, clock=clock)
    write(path, entry("b", OTHER))
    clock.now += 1
    assert keys.current().find(KEY.encode()) is None
    assert keys.current().find(OTHER.encode()) == entry("b", OTHER)


@pytest.mark.parametrize("how", ["empty", "gone"])
def test_without_its_last_key_a_gateway_lets_nobody_in(path: Path, how: str) -> None:
    clock = Clock()
    write(path, entry())
    keys = KnownKeys([], path, clock=clock)
    if how == "gone":
        path.unlink()
    else:
        write(path)
    clock.now += 1
    assert len(keys.current()) == 0
    assert keys.required


def test_a_gateway_that_starts_with_an_empty_file_lets_nobody_in(path: Path) -> None:
    write(path)
    assert KnownKeys([], path).required


def test_a_broken_file_leaves_the_keys_as_they_were(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    write(path, entry())
    keys = KnownKeys([], path, clock=clock)
    path.write_text("keys: [", encoding="utf-8")
    for _ in range(3):
        clock.now += 1
        assert keys.current().find(KEY.encode()) == entry()
    errors = [each for each in caplog.records if each.levelname == "ERROR"]
    assert len(errors) == 1
    assert "keeping the previous keys" in errors[0].getMessage()


def test_a_broken_file_stops_the_start(path: Path) -> None:
    path.write_text("keys: [", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"keys\.yaml"):
        KnownKeys([], path)


def test_keys_that_stay_need_no_file() -> None:
    keys = KnownKeys([entry()], None)
    assert keys.required
    assert keys.current().find(KEY.encode()) == entry()
