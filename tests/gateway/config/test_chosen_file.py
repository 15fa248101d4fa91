"""Which configuration a command uses, and what is not Dragoman's at all."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.config.chosen_file import configuration, find, why_foreign
from gateway.config.settings import packaged_file
from gateway.errors import ConfigurationError

Write = Callable[..., Path]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home, with the current folder elsewhere."""
    home, work = tmp_path / "home", tmp_path / "work"
    (home / ".config/dragoman").mkdir(parents=True)
    work.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(work)
    return home


@pytest.fixture
def users(home: Path) -> Path:
    path = home / ".config/dragoman/models.yaml"
    path.write_text("server: {port: 1}")
    return path


def test_only_serve_looks_into_the_current_folder(home: Path) -> None:
    Path("models.yaml").write_text("server: {port: 5}")
    assert configuration().path == packaged_file()
    found = configuration(from_folder=True)
    assert (found.path, found.values.server.port, found.trusted) == (Path("models.yaml"), 5, False)


def test_a_file_that_is_named_is_trusted_wherever_it_is(home: Path) -> None:
    Path("models.yaml").write_text("server: {port: 5}")
    assert configuration(Path("models.yaml"), from_folder=True).trusted


def test_without_one_there_serve_uses_what_the_others_use(users: Path) -> None:
    assert find(from_folder=True) == find()
    assert find().path == users


def test_in_the_users_own_folder_the_file_is_the_users(
    users: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(users.parent)
    assert find(from_folder=True) == find()


def test_in_the_checkout_the_file_is_the_packaged_one(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(packaged_file().parent)
    found = find(from_folder=True)
    assert (found.path, found.trusted) == (packaged_file(), True)


def test_in_the_checkout_the_users_own_file_goes_before_the_packaged_one(
    users: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(packaged_file().parent)
    assert find(from_folder=True) == find()
    assert find().path == users


@pytest.mark.parametrize("target", ["users", "packaged"])
def test_a_link_to_an_own_file_leaves_the_folder_of_the_link(target: str, users: Path) -> None:
    """Else the code beside the link would be run, as that beside an own file is."""
    Path("models.yaml").symlink_to(users if target == "users" else packaged_file())
    found = find(from_folder=True)
    assert (found.path, found.trusted) == (users, True)


def test_an_own_file_may_be_a_link_into_the_current_folder(home: Path) -> None:
    Path("models.yaml").write_text("server: {port: 5}")
    link = home / ".config/dragoman/models.yaml"
    link.symlink_to(Path("models.yaml").absolute())
    found = find(from_folder=True)
    assert (found.path, found.trusted) == (link, True)


FOREIGN = {
    "dbt": "version: 2\n\nmodels:\n  - name: orders\n    columns: []\n",
    "a list": "- a\n- b\n",
    "a scalar": "just text",
    "nothing": "",
    "comments": "# models\n",
    "other keys": "name: x\nlayers: {a: 1}\n",
    "a template": "models:\n{% for m in models %}\n  {{ m }}: {}\n{% endfor %}\n",
    "a template of keys": "{{ key }}:\n  models: {{ x }}\n",
    "broken, with other keys": "version: 2\nmodels: [\n",
}
OWN = {
    "models": "models: {m: {backend: b}}",
    "one section among unknown keys": "version: 2\nserver: {port: 1}",
    "misspelt": "modles: {m: {backend: b}}",
    "not yet YAML": "server: {port: 1}\nmodels: {m: [\n",
    "a key twice": "server: {port: 1}\nserver: {port: 2}\n",
}


@pytest.mark.parametrize("text", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_file_is_passed_over_with_one_warning(
    text: str, users: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Path("models.yaml").write_text(text)
    assert find(from_folder=True).path == users
    [warning] = caplog.messages
    assert warning.startswith("ignoring models.yaml in the current folder, which is not Dragoman's")
    assert warning.endswith(f"; using {users}")


@pytest.mark.parametrize(
    "text",
    [
        "version: 2\nmodels:\n  x: {description: y}\n",
        "models:\n  user:\n    table: users\n",
        "models: {a: 3, b: text}\n",
    ],
)
def test_models_without_a_backend_are_another_programs(text: str, write: Write) -> None:
    assert why_foreign(write(text)) == "none of its models has a backend"


def test_a_binary_file_is_foreign(write: Write, tmp_path: Path) -> None:
    path = tmp_path / "models.yaml"
    path.write_bytes(b"models: \xff\x00")
    assert why_foreign(path) is not None


def test_a_folder_or_a_pipe_of_that_name_is_no_file(users: Path) -> None:
    Path("models.yaml").mkdir()
    assert find(from_folder=True).path == users


@pytest.mark.parametrize("text", OWN.values(), ids=OWN)
def test_an_own_file_with_a_mistake_is_not_foreign(text: str, home: Path) -> None:
    Path("models.yaml").write_text(text)
    assert find(from_folder=True).path == Path("models.yaml")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("misspelt", "line 1: unknown key 'modles'; did you mean 'models'?"),
        ("not yet YAML", "line 3: not valid YAML"),
        ("a key twice", "line 2: 'server' is already on line 1"),
    ],
)
def test_its_mistake_is_said_with_the_line(name: str, line: str, home: Path) -> None:
    Path("models.yaml").write_text(OWN[name])
    with pytest.raises(ConfigurationError, match=r"^models\.yaml, ") as error:
        configuration(from_folder=True)
    assert line in str(error.value)


@pytest.mark.parametrize("text", FOREIGN.values(), ids=FOREIGN)
def test_no_other_command_reads_a_foreign_file(text: str, home: Path) -> None:
    Path("models.yaml").write_text(text)
    assert configuration().path == packaged_file()


def test_a_home_that_depends_on_the_folder_is_none(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(".config/dragoman").mkdir(parents=True)
    Path(".config/dragoman/models.yaml").write_text("server: {port: 5}")
    monkeypatch.setenv("HOME", ".")
    assert configuration().path == packaged_file()
