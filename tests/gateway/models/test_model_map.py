"""From the name that a client asks for to a backend's own name."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from gateway.config.settings import load, packaged_file
from gateway.errors import ConfigurationError, ModelNotFound, ServerFault
from gateway.models.model_map import ModelEntry, ModelMap
from gateway.pipeline.gateway import CoreGateway
from gateway.startup.build import build_gateway
from tests.gateway.core_support import plugin

Write = Callable[..., Path]


@pytest.fixture
def packaged() -> ModelMap:
    values = load(packaged_file(), packaged_file()).values
    return ModelMap(values.models or {}, values.aliases)


@pytest.mark.parametrize(
    ("asked", "model", "name"),
    [
        ("claude-opus-4", "claude-opus-4", "opus"),
        ("claude-sonnet-4", "claude-sonnet-4", "sonnet"),
        ("claude-haiku-4", "claude-haiku-4", "haiku"),
        ("claude-fable-5", "claude-fable-5", "fable"),
        ("opus", "claude-opus-4", "opus"),
        ("sonnet", "claude-sonnet-4", "sonnet"),
        ("haiku", "claude-haiku-4", "haiku"),
        ("fable", "claude-fable-5", "fable"),
        ("claude-fable-5-1", "claude-fable-5-1", "claude-fable-5-1"),
        ("claude-code-cli/claude-opus-4", "claude-opus-4", "opus"),
        ("claude-code-cli/haiku", "claude-haiku-4", "haiku"),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5-20250929"),
        ("claude-code-cli/claude-x", "claude-x", "claude-x"),
    ],
)
def test_the_packaged_map(packaged: ModelMap, asked: str, model: str, name: str) -> None:
    target = packaged.resolve(asked)
    assert (target.model, target.backend, target.name) == (model, "claude-code", name)


def test_the_packaged_map_has_no_lost_aliases(packaged: ModelMap) -> None:
    assert list(packaged.lost_aliases()) == []


def test_patterns_are_not_listed(packaged: ModelMap) -> None:
    assert list(packaged.listed) == [
        "claude-opus-4",
        "claude-sonnet-4",
        "claude-haiku-4",
        "claude-fable-5",
    ]


def entry(target: str | None = None) -> ModelEntry:
    return ModelEntry(backend="b", target=target, options={"o": 1})


MODELS = {
    "exact": entry("e"),
    "p-*": entry(),
    "p-long-*": entry("long"),
    "both": entry("model"),
    "same-*": entry("model"),
    "*-end": entry("end"),
}
ALIASES = {
    "one": "two",
    "two": "exact",
    "both": "exact",
    "pre/*": "*",
    "gpt-*": "exact",
    "p-long-er-*": "exact",
    "same-*": "exact",
    "*": "p-*",
    "loop": "pool",
    "pool": "loop",
    "nowhere": "",
}


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        pytest.param("exact", "e", id="a model"),
        pytest.param("one", "e", id="an alias of an alias"),
        pytest.param("both", "model", id="a model before an alias"),
        pytest.param("p-x", "p-x", id="a pattern without a target passes the name on"),
        pytest.param("p-long-x", "long", id="the longer pattern"),
        pytest.param("p-long-er-x", "e", id="the longer pattern, of models and aliases"),
        pytest.param("same-x", "model", id="a model's pattern before the same of an alias"),
        pytest.param("pre/p-long-x", "long", id="the star of an alias"),
        pytest.param("pre/one", "e", id="the star of an alias, then an alias"),
        pytest.param("gpt-5", "e", id="a pattern with a fixed target"),
        pytest.param("x-end", "end", id="a star at the beginning"),
        pytest.param("other", "p-other", id="a star alone"),
    ],
)
def test_resolution(asked: str, name: str) -> None:
    target = ModelMap(MODELS, ALIASES).resolve(asked)
    assert (target.name, target.options) == (name, {"o": 1})


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("exat", r"The model 'exat' does not exist\. Did you mean 'exact'\?"),
        ("EXACT", r"The model 'EXACT' does not exist\. Did you mean 'exact'"),
        ("zzz", r"Available: exact, both\."),
        ("p-*", "The model 'p-\\*' does not exist"),
        ("loop", "The alias 'loop' is circular"),
        ("z" * 1000, "z{100}…'"),
    ],
)
def test_no_such_model(asked: str, said: str) -> None:
    aliases = {name: to for name, to in ALIASES.items() if name != "*"}
    with pytest.raises(ModelNotFound, match=said) as missing:
        ModelMap(MODELS, aliases).resolve(asked)
    assert missing.value.param == "model"


USUAL = {
    "large": entry(),
    "claude-sonnet-4": entry(),
    "hidden": ModelEntry(backend="b", hidden=True),
}
FIX = "To accept this name, add to the.yaml: "


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ("gpt-4o", "aliases: {gpt-4o: claude-sonnet-4}"),
        ("openai/gpt-4.1", "aliases: {openai/gpt-4.1: claude-sonnet-4}"),
        ("llama3:8b", 'aliases: {"llama3:8b": claude-sonnet-4}'),
        ("4o", 'aliases: {"4o": claude-sonnet-4}'),
        ("no", 'aliases: {"no": claude-sonnet-4}'),
        ("null", 'aliases: {"null": claude-sonnet-4}'),
    ],
)
def test_a_name_that_a_client_is_stuck_with_gets_its_alias(asked: str, line: str) -> None:
    with pytest.raises(ModelNotFound) as missing:
        ModelMap(USUAL, {}, file="the.yaml").resolve(asked)
    assert missing.value.message == (
        f"The model {asked!r} does not exist. Available: large, claude-sonnet-4. {FIX}{line}"
    )
    aliases = yaml.safe_load(line)["aliases"]
    assert aliases == {asked: "claude-sonnet-4"}
    assert ModelMap(USUAL, aliases).resolve(asked).model == "claude-sonnet-4"


@pytest.mark.parametrize(
    "asked",
    ["", "two words", "a\nb: c", "zzz}", "z" * 65, "ünbekannt", "zz-*", "#zzz", "&zzz", '"zzz"'],
)
def test_an_odd_name_gets_none(asked: str) -> None:
    with pytest.raises(ModelNotFound) as missing:
        ModelMap(USUAL, {}).resolve(asked)
    assert "aliases:" not in missing.value.message


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("claude-sonet-4", "Did you mean 'claude-sonnet-4'?"),
        ("gpt-4o-mini", f"Did you mean 'gpt-4o'? {FIX}aliases: {{gpt-4o-mini: gpt-4o}}"),
    ],
)
def test_beside_a_model_that_is_meant_no_alias_is_proposed(asked: str, said: str) -> None:
    with pytest.raises(ModelNotFound) as missing:
        ModelMap(USUAL, {"gpt-4o": "large"}, file="the.yaml").resolve(asked)
    assert missing.value.message == f"The model {asked!r} does not exist. {said}"


def test_without_the_usual_model_the_first_is_proposed() -> None:
    with pytest.raises(ModelNotFound, match=r"aliases: \{gpt-4o: large\}"):
        ModelMap({"large": entry()}, {}).resolve("gpt-4o")


@pytest.mark.parametrize(
    ("file", "named"),
    [
        (None, "~/.config/dragoman/models.yaml"),
        (".config/dragoman/models.yaml", "~/.config/dragoman/models.yaml"),
        ("secret-project/work.yaml", "work.yaml"),
    ],
)
def test_the_file_to_change_is_named_without_its_folder(
    file: str | None, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    path = packaged_file()
    if file is not None:
        path = tmp_path / file
        path.parent.mkdir(parents=True)
        path.write_text("models: {zzz: {backend: b}}\n", encoding="utf-8")
    with pytest.raises(ModelNotFound) as missing:
        build_gateway(path).resolve("gpt-4o")
    assert f" add to {named}: aliases: {{" in missing.value.message
    assert "secret" not in missing.value.message


def test_an_empty_map_says_so() -> None:
    with pytest.raises(ModelNotFound, match="Available: none"):
        ModelMap({}, {}).resolve("m")


# -- in the configuration -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("aliases", "said"),
    [
        ("x: exat", "line 4: the alias 'x' points to 'exat', which is not a model in 'aliases'; "
         "did you mean 'exact'?"),
        ("x: y\n  y: x", "line 4: the alias 'x' is circular in 'aliases.x'"),
        ("'g-*': exat", "line 4: the alias 'g-*' points to 'exat'"),
        ("x: 'p-*'", "line 4: the alias 'x' points to 'p-*'"),
        ("'a*b*': exact", "line 4: more than one * in 'a*b*'"),
    ],
)  # fmt: skip
def test_aliases_that_lead_nowhere_are_refused(aliases: str, said: str, write: Write) -> None:
    text = f"models:\n  exact: {{backend: b}}\naliases:\n  {aliases}\n"
    with pytest.raises(ConfigurationError) as refused:
        build_gateway(write(text))
    assert said in str(refused.value)


def test_a_file_without_models_keeps_the_default_map(write: Write) -> None:
    gateway = build_gateway(write("aliases: {best: claude-opus-4}"))
    assert gateway.resolve("best").name == "opus"
    assert gateway.resolve("sonnet").name == "sonnet"


def test_a_file_with_models_offers_only_those(write: Write) -> None:
    gateway = build_gateway(write("models: {claude-opus-4: {backend: b}, mine: {backend: b}}"))
    assert list(gateway.models.listed) == ["claude-opus-4", "mine"]
    with pytest.raises(ModelNotFound):
        gateway.resolve("claude-sonnet-4")


@pytest.mark.parametrize("asked", ["claude-sonnet-4", "sonnet", "claude-sonnet-4-5"])
def test_a_default_that_the_file_replaces_is_named_as_one(asked: str, write: Write) -> None:
    path = write("models: {claude-opus-4: {backend: b}, mine: {backend: b}}")
    with pytest.raises(ModelNotFound) as missing:
        build_gateway(path).resolve(asked)
    assert missing.value.message == (
        f"The model {asked!r} does not exist. It is one of the default models, which `models:` in "
        f"{path.name} replaces. Available: claude-opus-4, mine. To accept this name, add to "
        f"{path.name}: aliases: {{{asked}: claude-opus-4}}"
    )


@pytest.mark.parametrize(
    ("models", "asked"),
    [
        pytest.param("{mine: {backend: b}}", "gpt-4o", id="never a default"),
        pytest.param("{'claude-*': {backend: b}}", "gpt-4o", id="beside a pattern"),
        pytest.param("", "gpt-4o", id="with the defaults"),
    ],
)
def test_no_other_name_is_taken_for_a_replaced_default(
    models: str, asked: str, write: Write
) -> None:
    with pytest.raises(ModelNotFound) as missing:
        build_gateway(write(f"models: {models}")).resolve(asked)
    assert "default" not in missing.value.message


def test_an_alias_of_the_file_takes_the_place_of_a_replaced_default(write: Write) -> None:
    gateway = build_gateway(write("models: {mine: {backend: b}}\naliases: {opus: mine}"))
    assert gateway.resolve("opus").model == "mine"


def test_default_aliases_of_models_not_offered_are_left_out(write: Write) -> None:
    gateway = build_gateway(write("models: {claude-opus-4: {backend: b}}"))
    assert gateway.models.aliases == {"opus": "claude-opus-4", "claude-code-cli/*": "*"}


def registering(name: str, backend: str) -> object:
    def gateway_register_models(register: Callable[[str, object], None]) -> None:
        register(name, ModelEntry(backend=backend) if backend else {"backend": "x"})

    return plugin(gateway_register_models)


def test_models_from_code_are_not_offered_beside_named_ones(write: Write) -> None:
    gateway = build_gateway(
        write("models: {m: {backend: b}}"), plugins=[("a", registering("code", "b"))]
    )
    assert "code" not in gateway.models.entries


def test_the_yaml_wins_over_models_from_code(write: Write) -> None:
    gateway = build_gateway(write(""), plugins=[("a", registering("claude-opus-4", "mine"))])
    assert gateway.resolve("claude-opus-4").backend == "claude-code"


def test_of_two_plugins_the_later_one_offers_a_model(write: Write) -> None:
    gateway = build_gateway(
        write(""), plugins=[("a", registering("m", "first")), ("b", registering("m", "second"))]
    )
    assert gateway.resolve("m").backend == "second"


def test_a_model_from_code_is_a_model_entry(write: Write) -> None:
    with pytest.raises(ConfigurationError, match=r"plugin 'a' .* 'm' needs a ModelEntry"):
        build_gateway(write(""), plugins=[("a", registering("m", ""))])


def test_an_alias_plugin_that_gives_no_name_fails_the_request(
    gateway_with: Callable[..., CoreGateway],
) -> None:
    def gateway_resolve_model() -> int:
        return 3

    with pytest.raises(
        ServerFault, match=r"'test_plugin_0' failed in gateway_resolve_model for .*'m'"
    ):
        gateway_with(plugin(gateway_resolve_model)).resolve("m")
