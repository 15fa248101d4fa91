"""`dragoman keys`."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from gateway.cli import main as cli
from gateway.client import running_gateways
from gateway.client.published import published
from gateway.startup.build import build_gateway
from gateway_access.keys import keys_file
from gateway_access.keys.keyring import Keyring
from gateway_access.keys.keys_file import read_keys
from tests.access.access_support import stored


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_config(tmp_path)


def write_config(folder: Path, **section: Any) -> Path:
    path = folder / "models.yaml"
    access = {"keys_file": "keys.yaml", **section}
    path.write_text(yaml.safe_dump({"plugins": {"access": access}}), encoding="utf-8")
    return path


def keys(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli.cli, ["keys", "--config", str(config), *arguments])


def test_new_prints_the_key_alone_and_stores_its_hash(config: Path, tmp_path: Path) -> None:
    limits = ("--model", "claude-haiku-*", "--model", "opus", "--rpm", "3", "--tpm", "400")
    result = keys(config, "new", "laptop", *limits, "--concurrent", "2")
    assert result.exit_code == 0, result.output
    key = result.stdout.removesuffix("\n")
    assert key.startswith("dgm-")
    assert "won't be shown again" in result.stderr
    [entry] = read_keys(tmp_path / "keys.yaml")
    assert Keyring([entry]).find(key.encode()) == entry
    assert key not in (tmp_path / "keys.yaml").read_text(encoding="utf-8")
    assert (entry.name, entry.models) == ("laptop", ("claude-haiku-*", "opus"))
    assert (entry.requests_per_minute, entry.tokens_per_minute, entry.concurrent) == (3, 400, 2)


def test_list_shows_names_and_limits_and_no_hashes(tmp_path: Path) -> None:
    config = write_config(tmp_path, keys=[stored("fixed")])
    keys(config, "new", "laptop", "--rpm", "3", "--model", "opus")
    result = keys(config, "list")
    assert result.stdout.splitlines() == [
        "fixed\tno limits\tthe configuration file",
        f"laptop\tmodels opus, rpm 3\t{tmp_path / 'keys.yaml'}",
    ]


def test_revoke_takes_one_key_back(config: Path, tmp_path: Path) -> None:
    keys(config, "new", "one")
    keys(config, "new", "two")
    assert keys(config, "revoke", "one").exit_code == 0
    assert [entry.name for entry in read_keys(tmp_path / "keys.yaml")] == ["two"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("new", "taken"), "duplicate key name 'taken'"),
        (("new", "fixed"), "duplicate key name 'fixed'"),
        (("new", "a b"), "'a b' is not a valid key name"),
        (("new", "a\r\nx-evil: 1"), "is not a valid key name"),
        (("new", "a", "--rpm", "0"), "0 is not in the range"),
        (("revoke", "fixed"), "is in the configuration file"),
        (("revoke", "tken"), "unknown key 'tken'; available: taken"),
    ],
)
def test_what_can_not_be_done_is_said(tmp_path: Path, arguments: tuple[str, ...], why: str) -> None:
    config = write_config(tmp_path, keys=[stored("fixed")])
    keys(config, "new", "taken")
    result = keys(config, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert why in result.stderr
    assert [entry.name for entry in read_keys(tmp_path / "keys.yaml")] == ["taken"]


def test_without_a_file_there_is_nothing_to_revoke(config: Path, tmp_path: Path) -> None:
    assert " does not exist" in keys(config, "revoke", "one").stderr
    assert keys(config, "list").stdout == ""
    assert not (tmp_path / "keys.yaml").exists()


def test_a_wrong_section_is_one_line(tmp_path: Path) -> None:
    result = keys(write_config(tmp_path, key=[]), "list")
    assert result.exit_code == 2
    assert "unknown key 'key' in 'plugins.access'; did you mean 'keys'?" in result.stderr


def test_a_user_without_a_home_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "models.yaml"
    path.write_text("{}", encoding="utf-8")
    monkeypatch.setattr(Path, "expanduser", lambda _: (_ for _ in ()).throw(RuntimeError()))
    assert "set plugins.access.keys_file" in keys(path, "list").stderr


def test_an_empty_list_says_whether_a_key_is_needed(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys_file, "DEFAULT", str(tmp_path / "usual.yaml"))
    usual = tmp_path / "without.yaml"
    usual.write_text("server: {port: 1}")
    assert keys(usual, "list").stderr == (
        "There are no keys, so none is required; create one with `dragoman keys new NAME`.\n"
    )
    # a file that is named, or that is there, has the gateway ask for one
    assert "so every request is rejected" in keys(config, "list").stderr
    keys(usual, "new", "one")
    assert keys(usual, "list").stderr == ""
    keys(usual, "revoke", "one")
    assert "so every request is rejected" in keys(usual, "list").stderr


def test_taking_the_last_key_back_warns(config: Path, tmp_path: Path) -> None:
    keys(config, "new", "one")
    keys(config, "new", "two")
    assert "Warning" not in keys(config, "revoke", "one").stderr
    warning = keys(config, "revoke", "two").stderr.splitlines()[-1]
    assert warning.startswith("Warning: that was the last key, and one is still required")
    assert f"delete plugins.access.keys_file and {tmp_path / 'keys.yaml'}" in warning


def test_a_key_of_the_yaml_is_still_one(tmp_path: Path) -> None:
    config = write_config(tmp_path, keys=[stored("fixed")])
    keys(config, "new", "one")
    assert "Warning" not in keys(config, "revoke", "one").stderr


def test_a_running_gateway_with_other_keys_is_named(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running_gateways, "folder", lambda *_: tmp_path / "running")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    gateway = build_gateway(config)
    gateway.urls = ("http://127.0.0.1:5001",)
    with published(gateway):
        said = CliRunner().invoke(cli.cli, ["keys", "list"]).stderr
        assert f"dragoman keys --config {config}\n" in said
        assert "keys --config" not in keys(config, "list").stderr
