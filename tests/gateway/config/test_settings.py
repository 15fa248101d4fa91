"""The YAML: what it may say, and how it is told where it is wrong."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, model_validator

from gateway.config import settings
from gateway.config.settings import Config, FileConfig, find_file, load, packaged_file
from gateway.errors import ConfigurationError
from gateway.startup.build import build_gateway
from gateway.yaml_file.document import MAX_BYTES, read_yaml_document
from gateway.yaml_file.valid_keys import keys_at
from tests.gateway.core_support import plugin

Write = Callable[..., Path]


class Rule(BaseModel):
    pattern: str = ""
    replacement: str | None = None


class Square(BaseModel):
    kind: Literal["square"]
    side: int


class Circle(BaseModel):
    kind: Literal["circle"]
    radius: int


class Settings(BaseModel):
    colour: Literal["red", "blue"] = "red"
    rules: list[Rule] = []
    named: dict[str, Rule] | None = None
    pair: tuple[Rule, Rule] | None = None
    shape: Annotated[Square | Circle, Field(discriminator="kind")] | None = None
    from_: str = Field(default="", alias="from")

    @model_validator(mode="after")
    def _no_red_rules(self) -> "Settings":
        if self.rules and self.colour == "red":
            raise ValueError("red takes no rules")
        return self


def gateway_register_config(register: Callable[[str, type[BaseModel]], None]) -> None:
    register("paint", Settings)


PAINT = plugin(gateway_register_config)


def start(path: Path) -> Config:
    return build_gateway(path, plugins=[("paint", PAINT)]).config


def test_everything_is_optional(write: Write) -> None:
    values = start(write("")).values
    assert (values.server.host, values.server.port) == ("localhost", 3456)
    assert (values.limits.idle_seconds, values.limits.request_seconds) == (300, 3600)
    assert values.limits.body_bytes == 32 * 1024 * 1024


def test_a_key_without_a_value_is_a_key_left_out(write: Write) -> None:
    config = start(write("server:\nmodels:\nplugins:\n"))
    assert config.values == start(write("")).values
    assert not config.names_models


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("sever: {}", "line 1: unknown key 'sever'; did you mean 'server'?"),
        ("xyz: {}", "line 1: unknown key 'xyz'; available: aliases, limits, models,"),
        (
            "server:\n  prot: 1",
            "line 2: unknown key 'prot' in 'server'; did you mean 'port'?",
        ),
        (
            "limits:\n\n  idle: 1",
            "line 3: unknown key 'idle' in 'limits'; did you mean 'idle_seconds'?",
        ),
        (
            "models:\n  m:\n    target: t",
            "line 2: Field required in 'models.m.backend'",
        ),
        (
            "models:\n  m:\n    bakend: b",
            "line 3: unknown key 'bakend' in 'models.m'; did you mean 'backend'?",
        ),
        (
            "models:\n  m:\n    backend: b\n    taget: x",
            "line 4: unknown key 'taget' in 'models.m'; did you mean 'target'?",
        ),
        ("models:\n  1: {backend: b}", "line 2: Input should be a valid string in 'models.1'"),
        ("server: {port: 70000}", "line 1: Input should be less than or equal to 65535 in"),
        ("limits: {idle_seconds: 0}", "line 1: Input should be greater than 0 in"),
        ("aliases:\n  a: [b]", "line 2: Input should be a valid string in 'aliases.a'"),
        (
            "plugins:\n  paitn: {}",
            "line 2: unknown section 'paitn' in 'plugins'; did you mean 'paint'?",
        ),
        ("plugins:\n  paint: 3", "line 2: must be a mapping, true or false in 'plugins.paint'"),
        (
            "plugins:\n  paint:\n    color: red",
            "line 3: unknown key 'color' in 'plugins.paint'; did you mean 'colour'?",
        ),
        ("plugins:\n  paint:\n    colour: green", "line 3: Input should be 'red' or 'blue'"),
        (
            "plugins:\n  paint:\n    rules: [{}]",
            "line 2: red takes no rules in 'plugins.paint'",
        ),
        ("- 1", "must be a mapping with keys like 'server' and 'models'"),
        ("a: [1", "line 1: not valid YAML: expected ',' or ']'"),
        ("a: \x00", "not valid YAML: "),
        ("a: !thing 1", "line 1: not valid YAML: could not determine a constructor"),
        ("a: 2024-13-45", ": month must be in 1..12"),
        ("server: {}\nserver: {}", "line 2: 'server' is already on line 1"),
        (
            "models:\n  a: {backend: b}\n  a: {backend: c}",
            "line 3: 'a' is already on line 2",
        ),
        ("a: &a [*a]", "line 1: anchors and nesting make this document too large"),
        ("a: &a {b: *a}", "line 1: anchors and nesting make this document too large"),
        ("[" * 20_000, "nested too deeply"),
    ],
)
def test_errors_name_file_line_and_nearest_key(text: str, error: str, write: Write) -> None:
    path = write(text)
    with pytest.raises(ConfigurationError, match=f"^{re.escape(str(path))}") as refused:
        start(path)
    assert error in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_few_lines_of_anchors_do_not_become_billions(write: Write) -> None:
    lines = ["a0: &a0 [x]"] + [
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)
    ]
    with pytest.raises(ConfigurationError, match="too large"):
        read_yaml_document(write("\n".join(lines)))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: 1" + ":1" * 10_000, "a number of more than 100 characters"),
        ("a: 1" + ":1" * 10_000 + ".5", "a number of more than 100 characters"),
        ("? 1" + ":1" * 400 + "\n: a", "a number of more than 100 characters"),
        ("a: " + "9" * 10_000, "a number of more than 100 characters"),
        ("a: " + "[" * 5_000, "nested too deeply"),
        ("a: &a [*a]", "too large"),
        ("a: &a {b: *a}", "too large"),
        ("a: &a\n  <<: *a", "too large"),
        ("a: !!python/object/apply:os.system [x]", "not valid YAML"),
        ("a: !!python/name:os.system", "not valid YAML"),
        ("? [1, 2]\n: 1", "not valid YAML"),
    ],
    ids=lambda text: ascii(text[:30]),
)
def test_a_file_that_is_made_to_do_harm_is_refused_at_once(
    text: str, why: str, write: Write
) -> None:
    with pytest.raises(ConfigurationError, match=why):
        read_yaml_document(write(text))


def test_anchors_and_merges_are_fine_within_reason(write: Write) -> None:
    path = write(
        "models:\n"
        "  a: &a\n    backend: b\n    target: x\n"
        "  c: {<<: *a, target: y}\n"
        "  d: {<<: [*a], target: z}\n"
    )
    models = load(path).values.models
    assert models is not None
    assert [(entry.backend, entry.target) for entry in models.values()] == [
        ("b", "x"),
        ("b", "y"),
        ("b", "z"),
    ]


def test_the_line_of_a_merged_key_is_where_it_stands(write: Write) -> None:
    path = write("models:\n  a: &a\n    backend: b\n    taget: x\n  c: {<<: *a}\n")
    assert read_yaml_document(path).lines["models", "c", "taget"] == 4


def test_a_huge_file_is_refused(write: Write) -> None:
    with pytest.raises(ConfigurationError, match=f"is larger than {MAX_BYTES} bytes"):
        load(write("#" * (MAX_BYTES + 1)))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.yaml: no such file"):
        load(tmp_path / "none.yaml")


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "models.yaml").write_bytes(b"a: \xff")
    with pytest.raises(ConfigurationError, match="is not UTF-8 text: "):
        load(tmp_path / "models.yaml")


def test_a_byte_order_mark_is_passed_over(write: Write) -> None:
    assert load(write("\ufeffserver: {port: 1}")).values.server.port == 1


@pytest.mark.parametrize("section", ["true", "", "{}"])
def test_a_section_may_just_be_there(section: str, write: Write) -> None:
    config = start(write(f"plugins:\n  paint: {section}"))
    assert config.section("paint", Settings) == Settings()


def test_a_section_is_given_out_as_claimed(write: Write) -> None:
    with pytest.raises(TypeError, match="'paint' was claimed with another model"):
        start(write("")).section("paint", Rule)


def test_overrides_replace_keys_of_a_section(write: Write) -> None:
    path = write("plugins: {paint: {colour: red, from: x}}")
    gateway = build_gateway(
        path, plugins=[("paint", PAINT)], overrides={"paint": {"colour": "blue"}}
    )
    section = gateway.config.section("paint", Settings)
    assert (section.colour, section.from_) == ("blue", "x")


def test_overrides_make_a_section(write: Write) -> None:
    gateway = build_gateway(
        write(""), plugins=[("paint", PAINT)], overrides={"paint": {"colour": "blue"}}
    )
    assert gateway.config.section("paint", Settings).colour == "blue"


def test_a_section_is_claimed_once(write: Write) -> None:
    def claims() -> object:
        def gateway_register_config(register: Callable[[str, type[BaseModel]], None]) -> None:
            register("paint", Settings)

        return plugin(gateway_register_config)

    with pytest.raises(ConfigurationError, match=r"claimed by two plugins \(plugin 'a'\)$"):
        build_gateway(write(""), plugins=[("a", claims()), ("b", claims())])


def test_a_section_is_claimed_with_a_model(write: Write) -> None:
    def gateway_register_config(register: Callable[[str, object], None]) -> None:
        register("paint", {})

    with pytest.raises(ConfigurationError, match=r"plugin 'a' .* needs a pydantic model"):
        build_gateway(write(""), plugins=[("a", plugin(gateway_register_config))])


class Lax(BaseModel, extra="ignore"):
    colour: str = ""


class Strict(BaseModel, extra="forbid"):
    colour: str = ""


@pytest.mark.parametrize("model", [Lax, Strict])
def test_unknown_keys_are_refused_whatever_the_model_says(model: type[BaseModel]) -> None:
    config = Config(FileConfig(plugins={"p": {"color": "red"}}), None, {})
    with pytest.raises(ConfigurationError, match=r"^configuration: unknown key 'color'"):
        config.validate_sections({"p": model})


@pytest.mark.parametrize(
    ("location", "keys"),
    [
        (["rules", "0"], {"pattern", "replacement"}),
        (["named", "any"], {"pattern", "replacement"}),
        (["pair", "1"], {"pattern", "replacement"}),
        (["shape"], {"kind", "side", "radius"}),
        (["colour", "x"], set()),
        (["nowhere"], set()),
    ],
)
def test_valid_keys_inside_lists_mappings_and_unions(location: list[str], keys: set[str]) -> None:
    assert keys_at(Settings, location) == keys


def test_keys_are_those_that_are_written(write: Write) -> None:
    assert "from" in keys_at(Settings, [])


# -- which file ---------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "home"


def test_the_file_named_comes_first(home: Path) -> None:
    assert find_file(Path("mine.yaml"), Path("packaged")) == Path("mine.yaml")


def test_then_the_users_then_the_packaged_and_never_the_current_folders(home: Path) -> None:
    packaged = Path("packaged.yaml")
    Path("models.yaml").touch()
    assert find_file(None, packaged) == packaged
    users = home / ".config" / "dragoman" / "models.yaml"
    users.parent.mkdir(parents=True)
    users.touch()
    assert find_file(None, packaged) == users


def test_a_user_without_a_home_gets_the_packaged_file(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_home(_: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", no_home)
    assert find_file(None, Path("packaged.yaml")) == Path("packaged.yaml")


def test_the_checkouts_own_file_is_the_packaged_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(packaged_file().parent)
    assert not load(Path("models.yaml"), packaged_file()).names_models


def test_in_a_wheel_the_packaged_file_lies_in_the_package(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("", "gateway/models.yaml")
    monkeypatch.setattr(settings, "__file__", str(tmp_path / "gateway" / "config" / "settings.py"))
    assert packaged_file() == path


@pytest.mark.parametrize(
    ("text", "enabled"),
    [
        ("", False),
        ("plugins: {}", False),
        ("plugins: {paint: false}", False),
        ("plugins:\n  paint:", False),
        ("plugins: {paint: true}", True),
        ("plugins: {paint: {}}", True),
        ("plugins: {paint: {colour: blue}}", True),
        ("plugins: {other: true}", False),
    ],
)
def test_a_plugin_that_is_off_unless_asked_for(write: Write, text: str, enabled: bool) -> None:
    assert load(write(text)).enabled("paint") is enabled
