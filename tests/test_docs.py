"""The pages of docs/ agree with the code, and the examples on them work."""

import logging
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.config.settings import LimitsConfig
from gateway.frontend import FieldTable
from gateway.startup.build import build_gateway
from gateway.testing import ScriptedBackend, serving, text_answer
from gateway.yaml_file.trust import keys_in_need
from gateway_openai.fields.rows import CHAT, COMPLETIONS
from gateway_openai_responses.fields.rows import RESPONSES
from tests.pages import PAGES, ROOT, blocks, clients, snippet

DOCS = ROOT / "docs"
CONFIGURATION_KEYS = {"server", "limits", "models", "aliases", "plugins"}


@pytest.mark.parametrize(
    ("name", "mark", "table"),
    [
        ("api.md", "fields", CHAT),
        ("api.md", "completions", COMPLETIONS),
        ("responses.md", "responses", RESPONSES),
    ],
)
def test_the_tables_of_fields_are_the_code_s_own(name: str, mark: str, table: FieldTable) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    between = text.split(f"<!-- {mark}: begin -->")[1].split(f"<!-- {mark}: end -->")[0]
    assert between.strip() == table.markdown().strip()


def test_every_limit_is_in_the_table_with_its_default() -> None:
    text = (DOCS / "configuration.md").read_text(encoding="utf-8")
    table = text.split("## Limits\n")[1].split("\n## ")[0]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| `")]
    said = {
        key.strip(" `"): float(default)
        for _, keys, defaults, *_ in rows
        for key, default in zip(keys.split(","), defaults.split(","), strict=True)
    }
    assert said == LimitsConfig().model_dump()


def configurations() -> list[Any]:
    """The YAML blocks that are configurations of the gateway, by page."""
    return [
        pytest.param(code, id=f"{page.name}-{number}")
        for page in PAGES
        for number, code in enumerate(blocks(page, "yaml"))
        if isinstance(said := yaml.safe_load(code), dict) and said.keys() <= CONFIGURATION_KEYS
    ]


@pytest.mark.parametrize("code", configurations())
def test_a_configuration_is_one_that_the_gateway_takes(code: str, tmp_path: Path) -> None:
    said = yaml.safe_load(code)
    agents = [entry.get("options", {}).get("agent") for entry in said.get("models", {}).values()]
    for agent in filter(None, agents):
        agent["directory"] = str(tmp_path)
    said.setdefault("plugins", {}).setdefault("access", {}).setdefault(
        "keys_file", str(tmp_path / "keys.yaml")
    )
    path = tmp_path / "models.yaml"
    path.write_text(yaml.safe_dump(said), encoding="utf-8")
    assert build_gateway(path).models.entries


def test_there_are_configurations() -> None:
    assert len(configurations()) >= 10


@pytest.mark.parametrize("client", sorted(clients()))
def test_a_client_s_snippet_is_the_same_on_all_pages(client: str) -> None:
    assert snippet(client)


def example(page: str, definition: str, folder: Path) -> Path:
    """A file with the block of a page that has this definition."""
    [code] = [code for code in blocks(DOCS / page, "python") if definition in code]
    path = folder / f"{definition.rsplit(maxsplit=1)[-1].lower()}.py"
    path.write_text(code, encoding="utf-8")
    return path


async def test_the_first_plugin_logs_a_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plugin = example("plugins.md", "class AnswerLine", tmp_path)
    caplog.set_level(logging.INFO, "request_logger")
    async with serving(str(plugin), backend=ScriptedBackend(text_answer("Hello!"))) as served:
        await served.say("Hi")
    assert "completed in" in caplog.text


def test_a_key_that_needs_trust_is_marked(tmp_path: Path) -> None:
    names = runpy.run_path(str(example("plugins.md", "class MyConfig", tmp_path)))
    marked = names["MyConfig"](command="x", greeting="Ahoy")
    assert [location for location, _ in keys_in_need(marked)] == [("command",)]


async def test_the_first_tool_tells_the_time(tmp_path: Path) -> None:
    plugin = example("tools.md", "def clock", tmp_path)
    async with serving(str(plugin)) as served:
        [tool] = [tool for tool in served.gateway.tools if tool.name == "clock"]
    assert "Europe/Rome" in tool.description
