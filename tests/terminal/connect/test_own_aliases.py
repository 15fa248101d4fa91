"""`dragoman connect CLIENT --alias NAME`: a line in Dragoman's own YAML, and nothing else of it."""

from pathlib import Path

import pytest
import yaml

from gateway.config.settings import packaged_file
from gateway.errors import ConfigurationError
from gateway.pipeline.gateway import CoreGateway
from gateway.startup.build import build_gateway
from gateway.startup.reload import Reloader
from gateway_terminal.connect.own_aliases import with_alias, write_alias
from gateway_terminal.init_command import sample, write_sample
from tests.terminal.terminal_support import Run

MODEL = "claude-sonnet-4"
LINE = f"gpt-4o: {MODEL}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"aliases:\n  {LINE}\n"),
        ("# mine\n", f"# mine\n\naliases:\n  {LINE}\n"),
        ("server: {port: 1}", f"server: {{port: 1}}\n\naliases:\n  {LINE}\n"),
        ("server:\r\n  port: 1\r\n", f"server:\r\n  port: 1\r\n\r\naliases:\r\n  {LINE}\r\n"),
        ("aliases:\n", f"aliases:\n  {LINE}\n"),
        ("aliases:", f"aliases:\n  {LINE}\n"),
        ("aliases:   # none\n\nserver: {}\n", f"aliases:   # none\n  {LINE}\n\nserver: {{}}\n"),
        ("aliases:\n  a: b\n", f"aliases:\n  {LINE}\n  a: b\n"),
        ("aliases:\n # old\n a: b # c\nx: y\n", f"aliases:\n # old\n {LINE}\n a: b # c\nx: y\n"),
        ("'aliases':\n    a: b\n", f"'aliases':\n    {LINE}\n    a: b\n"),
        ("aliases: {}\n", f"aliases: {{{LINE}}}\n"),
        ("aliases: {a: b} # c\n", f"aliases: {{{LINE}, a: b}} # c\n"),
        ("aliases: {\n  a: b,\n}\n", f"aliases: {{{LINE}, \n  a: b,\n}}\n"),
        (f"aliases: {{{LINE}}} # has it\n", f"aliases: {{{LINE}}} # has it\n"),
    ],
)
def test_the_line_goes_under_aliases_and_all_else_stays(before: str, after: str) -> None:
    assert with_alias(before, "gpt-4o", MODEL) == after
    old = yaml.safe_load(before) or {}
    aliases = {**(old.get("aliases") or {}), "gpt-4o": MODEL}
    assert yaml.safe_load(after) == {**old, "aliases": aliases}


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ("- 1", "it is not a mapping"),
        ("aliases: [a]", "aliases is not a mapping"),
        ("aliases: null\n", "unexpected structure"),
        ("aliases: &x {a: b}\nmore: *x\n", "unexpected structure"),
        ("{server: {port: 1}}", "in braces"),
        ("aliases: {gpt-4o: claude-opus-4}", "already points to 'claude-opus-4'"),
    ],
)
def test_what_would_take_more_than_a_line_is_left_alone(before: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        with_alias(before, "gpt-4o", MODEL)


def test_the_sample_keeps_every_comment() -> None:
    after = with_alias(sample(), "gpt-4o", MODEL)
    assert after == f"{sample()}\naliases:\n  {LINE}\n"


@pytest.fixture
def path(home: Path) -> Path:
    return home / ".config/dragoman/models.yaml"


def test_the_users_file_is_made_and_still_offers_every_model(path: Path, run: Run) -> None:
    result = run("connect", "env", "--alias", "gpt-4o", "--alias", "gpt-*")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("export OPENAI_BASE_URL=")
    assert f"# gpt-4o is an alias of {MODEL} in {path}. A running gateway" in result.stderr
    assert path.read_text(encoding="utf-8") == f'aliases:\n  "gpt-*": {MODEL}\n  {LINE}\n'
    mine, packaged = build_gateway(path), build_gateway(packaged_file())
    assert mine.models.entries == packaged.models.entries
    assert mine.models.aliases == packaged.models.aliases | {"gpt-4o": MODEL, "gpt-*": MODEL}
    assert mine.resolve("gpt-5.1").model == MODEL


def test_a_file_that_is_there_is_kept_as_a_copy(path: Path, run: Run) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("server: {port: 4000} # mine\n", encoding="utf-8")
    result = run("connect", "curl", "--alias", "gpt-4o", "--model", "claude-opus-4")
    assert result.exit_code == 0
    backup = path.with_name("models.yaml.before-dragoman")
    assert f"the previous version is {backup}. A running gateway applies it" in result.stderr
    assert backup.read_text(encoding="utf-8") == "server: {port: 4000} # mine\n"
    assert path.read_text(encoding="utf-8") == (
        "server: {port: 4000} # mine\n\naliases:\n  gpt-4o: claude-opus-4\n"
    )
    before = path.stat().st_mtime_ns
    assert run("connect", "curl", "--alias", "gpt-4o", "-m", "claude-opus-4").exit_code == 0
    assert path.stat().st_mtime_ns == before


def test_the_named_file_is_the_one_that_gets_it(tmp_path: Path, path: Path, run: Run) -> None:
    other = tmp_path / "work.yaml"
    other.write_text("models: {mine: {backend: echo}}\n", encoding="utf-8")
    assert run("connect", "curl", "--alias", "o1", "--config", other).exit_code == 0
    assert yaml.safe_load(other.read_text(encoding="utf-8"))["aliases"] == {"o1": "mine"}
    assert not path.exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--alias", "two words"), "'two words' can't be used in an alias"),
        (("--alias", "a: b\nc"), "can't be used in an alias"),
        (
            ("--alias", "gpt-4o", "-m", "claud-sonnet-4"),
            "does not exist. Did you mean 'claude-sonnet-4'",
        ),
    ],
)
def test_what_can_not_be_written_leaves_no_file(
    options: tuple[str, ...], says: str, path: Path, run: Run
) -> None:
    result = run("connect", "env", *options)
    assert result.exit_code == 2
    assert says in result.stderr
    assert not path.exists()


@pytest.mark.parametrize("text", ["aliases: [\n", "{server: {port: 1}}", "aliases: {gpt-4o: opus}"])
def test_a_file_that_it_can_not_change_is_left_as_it_is(text: str, path: Path, run: Run) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    result = run("connect", "env", "--alias", "gpt-4o")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"dragoman: {path}")
    assert result.stderr.count("\n") == 1
    assert path.read_text(encoding="utf-8") == text
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.fixture
def from_sample(path: Path) -> CoreGateway:
    """A gateway whose YAML is as `dragoman init` made it."""
    write_sample(path, force=False)
    return build_gateway(path)


async def test_a_running_gateway_takes_it_up(from_sample: CoreGateway, path: Path) -> None:
    gateway = from_sample
    reloader = Reloader(gateway, path)
    await reloader.look()
    write_alias(path, "gpt-4o", MODEL)
    await reloader.look()
    assert gateway.last_error is None
    assert gateway.resolve("gpt-4o").model == MODEL


def test_a_folder_that_can_not_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"models\.yaml"):
        write_alias(tmp_path / "file" / "models.yaml", "gpt-4o", MODEL)
