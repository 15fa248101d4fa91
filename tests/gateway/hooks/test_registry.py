"""Where plugins come from, and what is refused before anything starts."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway import hookimpl
from gateway.config.settings import packaged_file
from gateway.errors import ConfigurationError
from gateway.hooks.registry import PluginRegistry
from gateway.startup.build import build_gateway
from gateway.testing import build
from tests.gateway.core_support import entry_point, install, module, plugin

Write = Callable[..., Path]
MODELS = "models: {m: {backend: b}}\n"


def test_the_order_is_core_entry_points_files_code(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(
        monkeypatch,
        entry_point("aaa", "another", module("aaa")),
        entry_point("zoo", "dragoman", module("zoo")),
        entry_point("bar", "dragoman", module("bar")),
        entry_point("loose", "", module("loose")),
    )
    write("", "plugins/two.py")
    write("", "plugins/one.py")
    write("raise KeyError", "plugins/_part_of_one.py")
    registry = build_gateway(write(MODELS), plugins=[("mine", plugin())]).plugins
    assert registry.names == ("health", "bar", "zoo", "aaa", "loose", "one", "two", "mine")


def test_origins_tell_distribution_file_or_code(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, entry_point("a", "another", module("a")))
    file = write("", "plugins/one.py")
    registry = build_gateway(write(MODELS), plugins=[("mine", plugin())]).plugins
    assert registry.origin("a") == "another 1.2"
    assert registry.origin("one") == str(file)
    assert registry.origin("mine") == "code"


def test_the_folder_plugins_of_a_source_checkout_holds_no_plugin_files() -> None:
    """It is a source root of packages, and lies beside the packaged configuration."""
    registry = PluginRegistry()
    registry.load_files(packaged_file().parent / "plugins")
    assert registry.names == ()


def test_no_folder_is_no_plugins(tmp_path: Path) -> None:
    registry = PluginRegistry()
    registry.load_files(tmp_path / "plugins")
    assert registry.names == ()


def test_a_name_is_taken_once(write: Write) -> None:
    write("", "plugins/health.py")
    with pytest.raises(
        ConfigurationError, match=r"duplicate plugin name 'health': dragoman .* and /"
    ):
        build_gateway(write(MODELS))


def test_an_object_is_registered_once(tmp_path: Path) -> None:
    twice = plugin()
    with pytest.raises(ConfigurationError, match="'test_plugin_1'"):
        build(tmp_path, twice, twice)


@pytest.mark.parametrize("how", ["section", "flag"])
def test_disabled_plugins_are_not_even_imported(
    how: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, entry_point("broken", "another", KeyError("never loaded")))
    write("raise KeyError('never loaded')", "plugins/file.py")
    names = ["broken", "file", "health", "mine"]
    sections = "plugins:\n" + "".join(f"  {name}: false\n" for name in names)
    gateway = build_gateway(
        write(MODELS + (sections if how == "section" else "")),
        plugins=[("mine", plugin())],
        disabled=names if how == "flag" else (),
    )
    assert gateway.plugins.names == ()


def test_a_plugin_disabled_by_flag_may_keep_its_section(write: Write) -> None:
    write("", "plugins/file.py")
    path = write(MODELS + "plugins: {file: {colour: red}}")
    assert "file" not in build_gateway(path, disabled=["file"]).plugins.names


def test_disabling_an_unknown_plugin_by_flag_names_the_nearest(write: Write) -> None:
    with pytest.raises(
        ConfigurationError, match=r"can't disable 'helth': unknown plugin.*did you mean 'health'\?"
    ):
        build_gateway(write(MODELS), disabled=["helth"])


def test_disabling_an_unknown_plugin_in_the_yaml_names_the_line(write: Write) -> None:
    path = write(MODELS + "plugins:\n  helth: false\n")
    with pytest.raises(ConfigurationError, match=r"line 3: unknown plugin 'helth'.*'health'\?"):
        build_gateway(path)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import no_such_module", "ModuleNotFoundError"),
        ("def", "SyntaxError"),
        ("raise SystemExit(0)", r"SystemExit\(0\)"),
    ],
)
def test_a_file_that_cannot_be_imported_is_named(source: str, said: str, write: Write) -> None:
    file = write(source, "plugins/bad.py")
    with pytest.raises(ConfigurationError, match=rf"plugin file {file} can't be imported: {said}"):
        build_gateway(write(MODELS))
    assert "dragoman_plugin_bad" not in sys.modules


def test_an_entry_point_that_cannot_be_imported_is_named(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, entry_point("bad", "another", ImportError("no")))
    with pytest.raises(ConfigurationError, match=r"'bad' \(another 1.2, bad.plugin\) can't be"):
        build_gateway(write(MODELS))


async def _async() -> None: ...


async def _asyncgen() -> Any:
    yield


def _generator() -> Any:
    yield


def _with_default(request: object = None) -> None: ...


def _keyword_only(*, request: object) -> None: ...


def _catching(*args: object) -> None: ...


def _unknown_parameter(colour: str) -> None: ...


@pytest.mark.parametrize(
    ("function", "hook", "said"),
    [
        (_async, "gateway_open_stream", "must be a plain `def`"),
        (_asyncgen, "gateway_open_stream", "must be a plain `def`"),
        (_async, "gateway_register_models", "must be a plain `def`"),
        (_asyncgen, "gateway_lifespan", "must be a plain `def`"),
        (_async, "gateway_observe", "must be a plain `def`"),
        (_generator, "gateway_register_models", "must not `yield`"),
        (_with_default, "gateway_transform_request", "the hook never sets 'request'"),
        (_keyword_only, "gateway_transform_request", "the hook never sets 'request'"),
        (_catching, "gateway_transform_request", "the hook never sets 'args'"),
        (_unknown_parameter, "gateway_transform_request", "'colour'"),
        (_unknown_parameter, "gateway_transfrom_request", "gateway_transfrom_request"),
        (_with_default, "gateway_transfrom_request", "Available hooks: gateway_register_config, "),
    ],
)
def test_refused_implementations(
    function: Callable[..., Any], hook: str, said: str, tmp_path: Path
) -> None:
    bad = type("Bad", (), {hook: staticmethod(hookimpl(specname=None)(function))})()
    with pytest.raises(ConfigurationError, match=said) as refused:
        build(tmp_path, bad)
    assert "plugin 'test_plugin_0' (code" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("hook", ["gateway_wrap_stream", "gateway_observe", "gateway_lifespan"])
def test_hook_wrappers_are_refused_where_the_core_calls(hook: str, tmp_path: Path) -> None:
    def wrapper() -> Any:
        yield

    wrapper.__name__ = hook
    with pytest.raises(ConfigurationError, match="hook wrappers are not supported"):
        build(tmp_path, plugin(wrapper, wrapper=True))


def test_hook_wrappers_work_where_pluggy_calls(tmp_path: Path) -> None:
    def gateway_resolve_model(name: str) -> Any:
        yield
        return "test-model"

    gateway = build(tmp_path, plugin(gateway_resolve_model, wrapper=True))
    assert gateway.resolve("anything").model == "test-model"
