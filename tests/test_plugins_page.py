"""`docs/plugins.md` has every hook, as it is, with an example that works."""

import inspect
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from gateway.errors import ConfigurationError
from gateway.hooks import specs
from gateway.models.model_map import ModelEntry, ModelMap
from gateway.testing import (
    BACKEND_RULES,
    FRONTEND_RULES,
    SCRIPTED,
    Served,
    request,
    serving,
)
from gateway.types import Text

PAGE = (Path(__file__).parent.parent / "docs" / "plugins.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (gateway_\w+)\n(.*?)(?=^##)", PAGE, re.DOTALL | re.MULTILINE))
CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)


def example(hook: str, folder: Path) -> Path:
    """The example of a hook as a plugin file."""
    [code] = CODE.findall(SECTIONS[hook])
    path = folder / f"{hook}_example.py"
    path.write_text(code, encoding="utf-8")
    return path


def test_the_page_has_every_hook_and_no_other() -> None:
    assert list(SECTIONS) == list(specs.KINDS)


@pytest.mark.parametrize("hook", specs.KINDS)
def test_a_hook_is_described_with_its_own_arguments_and_kind(hook: str) -> None:
    arguments = ", ".join(inspect.signature(getattr(specs, hook)).parameters)
    assert SECTIONS[hook].startswith(f"\n`{hook}({arguments})` · *{specs.KINDS[hook]}*, ")


@pytest.mark.parametrize("hook", specs.KINDS)
def test_the_architecture_page_has_it_too(hook: str) -> None:
    page = (Path(__file__).parent.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    arguments = ", ".join(inspect.signature(getattr(specs, hook)).parameters)
    assert f"| `{hook}({arguments})` | {specs.KINDS[hook]} | " in page


async def _config(served: Served) -> object:
    [section] = served.gateway.config._sections.values()
    return section.model_dump()


async def _models(served: Served) -> object:
    return served.gateway.resolve("from-code").name


async def _check(served: Served) -> object:
    entry = ModelEntry(backend="shout", options={"loud": True})
    models = ModelMap({**served.gateway.models.entries, "loud": entry}, {})
    with pytest.raises(ConfigurationError) as caught:
        served.gateway.plugins.hooks.check_models(models, served.gateway.config)
    return str(caught.value).rpartition(": ")[2].partition(" (")[0]


async def _tools(served: Served) -> object:
    (tool,) = served.gateway.tools
    return [part.text for part in await tool.call('{"a": 1, "b": 2}') if isinstance(part, Text)]


async def _ready(served: Served) -> object:
    served.gateway.reconfigure(served.gateway.config, ModelMap({}, {}))
    with pytest.raises(ConfigurationError) as caught:
        served.gateway.plugins.hooks.ready(served.gateway)
    return str(caught.value).rpartition(": ")[2].partition(" (")[0]


async def _reconfigured(served: Served) -> object:
    return served.gateway.plugins.hooks.reconfigured(served.gateway)


async def _routes(served: Served) -> object:
    return (await served.http.get("/names")).json()


async def _commands(served: Served) -> object:
    cli = click.Group()
    served.gateway.plugins.hooks.register_commands(cli)
    return CliRunner().invoke(cli, ["greet"]).stdout


async def _wrapper(served: Served) -> object:
    return (await served.http.get("/healthz")).headers["x-served-by"]


async def _health(served: Served) -> object:
    return (await served.http.get("/health")).json()["gateway_health_example"]["models"]


async def _error(served: Served) -> object:
    return (await served.http.get("/plain/x")).text


async def _resolve(served: Served) -> object:
    await served.ask(request(model="any"))
    return served.backend.targets[0].model


async def _describe(served: Served) -> object:
    description = served.gateway.describe("very-loud")
    return description and (description.context_length, description.max_output_tokens)


async def _transform(served: Served) -> object:
    await served.ask()
    return served.backend.requests[0].system


async def _shout(served: Served) -> object:
    answer = await served.ask(request("hey", model="very-loud"))
    return [getattr(part, "text", None) for part in answer.parts]


async def _forget(served: Served) -> object:
    served.gateway.forget("key laptop")
    return None


async def _say(served: Served) -> object:
    return await served.say()


MODELS = {"test-model": {"backend": SCRIPTED, "target": "s1"}, "very-loud": {"backend": "shout"}}
Look = Callable[[Served], Awaitable[object]]

WORKS: dict[str, tuple[Look, object]] = {
    "gateway_register_config": (_config, {"text": "Be brave."}),
    "gateway_register_models": (_models, "e1"),
    "gateway_check_models": (_check, "shouting takes no options in 'models.loud.options'"),
    "gateway_register_routes": (_routes, list(MODELS)),
    "gateway_register_frontends": (_error, "Unknown path: GET /plain/x."),
    "gateway_register_commands": (_commands, "Hello!\n"),
    "gateway_register_tools": (_tools, ["3"]),
    "gateway_ready": (_ready, "summaries need a model in 'models'"),
    "gateway_asgi_wrapper": (_wrapper, "me"),
    "gateway_lifespan": (_say, "Hello there"),
    "gateway_health": (_health, len(MODELS)),
    "gateway_reconfigured": (_reconfigured, {"my_section"}),
    "gateway_caller_left": (_forget, None),
    "gateway_render_error": (_error, "Unknown path: GET /plain/x."),
    "gateway_resolve_model": (_resolve, "test-model"),
    "gateway_describe_model": (_describe, (8000, 500)),
    "gateway_transform_request": (_transform, "You are s1."),
    "gateway_open_stream": (_shout, ["HEY"]),
    "gateway_wrap_stream": (_say, "Ahoy there"),
    "gateway_observe": (_say, "Hello there"),
}
PRINTS = {
    "gateway_lifespan": "open\nclosed\n",
    "gateway_observe": "completed\n",
    "gateway_caller_left": "key laptop is forgotten\n",
    "gateway_reconfigured": f"{len(MODELS)} models\n",
}


@pytest.mark.parametrize("hook", specs.KINDS)
async def test_the_example_works(
    hook: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    look, expected = WORKS[hook]
    sections = {"greeting": {"text": "Be brave."}} if hook == "gateway_register_config" else {}
    config: dict[str, Any] = {"models": MODELS, "plugins": sections}
    if hook == "gateway_register_models":
        config["models"] = None
    if hook == "gateway_ready":
        config["aliases"] = {"summaries": "test-model"}
    async with serving(example(hook, tmp_path), config=config) as served:
        assert await look(served) == expected
    assert capsys.readouterr().out == PRINTS.get(hook, "")


@pytest.mark.parametrize(
    ("section", "rules"),
    [("Writing a frontend", FRONTEND_RULES), ("Writing a backend", BACKEND_RULES)],
)
def test_the_rules_are_listed_by_name(section: str, rules: tuple[str, ...]) -> None:
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    assert tuple(re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)) == rules


def test_the_example_of_a_test_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [code] = CODE.findall(PAGE.split("\n## Testing\n")[1].split("\n## ")[0])
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "my_plugin.py").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "docs/plugins.md", "exec"), {})
