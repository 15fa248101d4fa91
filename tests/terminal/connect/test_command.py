"""`dragoman connect`: what it prints is what the pages show, and what clients take."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.client.health import NotUp
from gateway.types import ModelDescription
from gateway_terminal.connect import command as connect_command
from gateway_terminal.connect.client_files import MERGES
from gateway_terminal.connect.client_models import from_list, with_models
from gateway_terminal.connect.clients import CLIENTS, LIST_BOTH_MODELS, document, snippet
from gateway_terminal.server_call import Rejected
from tests.pages import snippet as documented
from tests.terminal.terminal_support import Run

ROOT = Path(__file__).parents[3]
DOCUMENTED = (
    "aider",
    "codex",
    "curl",
    "env",
    "langchain",
    "llm",
    "openai-agents",
    "openai-node",
    "openai-python",
    "openclaw",
    "opencode",
)


@pytest.mark.parametrize("client", DOCUMENTED)
def test_the_pages_show_the_same(client: str, run: Run) -> None:
    assert run("connect", client).stdout == documented(client)


@pytest.mark.parametrize("client", sorted(CLIENTS))
def test_address_model_and_key_get_into_the_text(client: str, run: Run) -> None:
    options = ("--url", "http://10.0.0.5:4000/v1", "--model", "claude-new-9", "--key", "dgm-abc123")
    result = run("connect", client, *options)
    assert result.exit_code == 0, result.output
    assert "http://10.0.0.5:4000" in result.stdout
    assert "127.0.0.1:3456" not in result.stdout
    assert "unused" not in result.stdout
    if client not in {
        "env",
        "open-webui",
        "open-webui-docker",
        "openai-node",
    }:  # there the model is asked for later
        assert "claude-new-9" in result.stdout
        assert "claude-sonnet-4" not in result.stdout
    if client == "llm":
        assert "llm keys set dragoman" in result.stderr
    else:
        assert "dgm-abc123" in result.stdout


def test_the_address_is_that_of_the_configuration(tmp_path: Path, run: Run) -> None:
    (tmp_path / "models.yaml").write_text(
        "server: {host: 0.0.0.0, port: 4001}\nmodels: {'a*': {backend: b}, mine: {backend: b}}\n",
        encoding="utf-8",
    )
    printed = run("connect", "llm", "--config", "models.yaml").stdout
    [entry] = yaml.safe_load(printed)
    assert entry["api_base"] == "http://127.0.0.1:4001/v1"
    assert entry["model_name"] == "mine"


@pytest.mark.parametrize(
    "options",
    [
        ("--url", "http://h:1/$(id)"),
        ("--url", "ftp://h"),
        ("--url", "http://h'x:1"),
        ("--model", "a'; id; '"),
        ("--key", 'k"ey'),
    ],
)
def test_nothing_gets_in_that_a_shell_would_run(options: tuple[str, str], run: Run) -> None:
    result = run("connect", "curl", *options)
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize("client", sorted(set(CLIENTS) - set(MERGES)))
def test_a_client_without_a_file_says_so(client: str, run: Run) -> None:
    result = run("connect", client, "--write")
    assert result.exit_code == 2
    assert "has no file to write" in result.stderr


def test_openclaw_s_file_is_written_and_then_left_as_it_is(home: Path, run: Run) -> None:
    path = home / ".openclaw/openclaw.json"
    assert run("connect", "openclaw", "--write").exit_code == 0
    assert json.loads(path.read_text(encoding="utf-8")) == document(snippet("openclaw"))
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.stat().st_mtime_ns
    assert run("connect", "openclaw", "--write").exit_code == 0
    assert path.stat().st_mtime_ns == before


def test_openclaw_s_own_settings_stay(home: Path, run: Run) -> None:
    path = home / ".openclaw/openclaw.json"
    path.parent.mkdir(parents=True)
    old = {"gateway": {"port": 1}, "models": {"providers": {"other": {"baseUrl": "http://x"}}}}
    path.write_text(json.dumps(old), encoding="utf-8")
    assert run("connect", "openclaw", "--write").exit_code == 0
    new = json.loads(path.read_text(encoding="utf-8"))
    assert new["gateway"] == {"port": 1}
    assert set(new["models"]["providers"]) == {"other", "dragoman"}
    backup = path.with_name("openclaw.json.before-dragoman")
    assert json.loads(backup.read_text(encoding="utf-8")) == old


@pytest.mark.parametrize(
    ("client", "path", "text"),
    [
        ("openclaw", ".openclaw/openclaw.json", "{ models: {}, // mine\n}\n"),
        ("openclaw", ".openclaw/openclaw.json", "[]"),
        ("opencode", ".config/opencode/opencode.json", "{} // mine"),
        ("continue", ".continue/config.yaml", "models: # mine\n  - name: a\n"),
        ("continue", ".continue/config.yaml", "models: {a: b}\n"),
        ("continue", ".continue/config.yaml", "models: [\n"),
        ("codex", ".codex/config.toml", 'model = "gpt-5"\n'),
        ("codex", ".codex/config.toml", '[model_providers.dragoman]\nname = "Mine"\n'),
        ("codex", ".codex/config.toml", "model = \n"),
        ("llm", "extra-openai-models.yaml", "a: b\n"),
        ("llm", "extra-openai-models.yaml", "- model_id: dragoman # mine\n  model_name: x\n"),
    ],
)
def test_what_can_t_be_merged_is_left_as_it_is(
    client: str, path: str, text: str, home: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_USER_PATH", str(home))
    file = home / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    result = run("connect", client, "--write")
    assert result.exit_code == 2
    assert "was left unchanged" in result.stderr
    assert result.stderr.count("\n") == 1
    assert file.read_text(encoding="utf-8") == text
    assert [each.name for each in file.parent.iterdir() if each.is_file()] == [file.name]


def test_codex_s_own_settings_stay(home: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    path = home / "elsewhere/config.toml"
    path.parent.mkdir()
    own = '# mine\napproval_policy = "never"\n\n[model_providers.other]\nname = "Other"\n'
    path.write_text(own, encoding="utf-8")
    monkeypatch.setenv("CODEX_HOME", str(path.parent))
    assert run("connect", "codex", "--write").exit_code == 0
    text = path.read_text(encoding="utf-8")
    assert own.strip() in text
    merged = tomllib.loads(text)
    assert merged["approval_policy"] == "never"
    assert set(merged["model_providers"]) == {"other", "dragoman"}
    assert merged.items() >= {"model": "claude-sonnet-4", "model_provider": "dragoman"}.items()
    assert run("connect", "codex", "--write").exit_code == 0
    assert path.read_text(encoding="utf-8") == text


def test_llm_s_models_get_one_more(home: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_USER_PATH", str(home))
    path = home / "extra-openai-models.yaml"
    path.write_text("# mine\n- model_id: other\n", encoding="utf-8")
    assert run("connect", "llm", "--write").exit_code == 0
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# mine\n")
    assert [entry["model_id"] for entry in yaml.safe_load(text)] == ["other", "dragoman"]


def test_an_entry_of_the_same_name_is_replaced(home: Path, run: Run) -> None:
    path = home / ".continue/config.yaml"
    run("connect", "continue", "--write")
    assert run("connect", "continue", "--write", "--url", "http://h:1").exit_code == 0
    [model] = yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
    assert model["apiBase"] == "http://h:1/v1"


def test_every_snippet_is_in_the_wheel() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert "plugins/gateway_terminal" in packages
    there = {path.stem for path in (ROOT / "plugins/gateway_terminal/snippets").iterdir()}
    assert there == set(CLIENTS)


def test_without_llm_its_folder_has_to_be_named(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    result = run("connect", "llm", "--write")
    assert result.exit_code == 2
    assert "LLM_USER_PATH" in result.stderr


def test_llm_says_itself_where_its_folder_is(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "llm's"
    folder.mkdir()
    program = tmp_path / "llm"
    program.write_text(f'#!/bin/sh\n[ "$*" = "logs path" ] && echo "{folder}/logs.db"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run("connect", "llm", "--write").exit_code == 0
    assert (folder / "extra-openai-models.yaml").read_text() == snippet("llm")


# -- what a client is told of the models --------------------------------------------------

SMALL = ModelDescription(
    context_length=200_000, max_output_tokens=900, thinking="never", inputs=("text",)
)
WITH_IMAGES = ModelDescription(
    context_length=5000, max_output_tokens=900, thinking="optional", inputs=("text", "image")
)


def openclaw_models(text: str) -> dict[str, dict[str, Any]]:
    models: Any = document(text)["models"]
    return {model["id"]: model for model in models["providers"]["dragoman"]["models"]}


def opencode_models(text: str) -> dict[str, dict[str, Any]]:
    provider: Any = json.loads(text)["provider"]
    models: dict[str, dict[str, Any]] = provider["dragoman"]["models"]
    return models


@pytest.mark.parametrize("client", sorted(LIST_BOTH_MODELS))
def test_the_snippet_says_what_is_documented(client: str, run: Run) -> None:
    assert run("connect", client).stdout == snippet(client)


def test_openclaw_is_told_what_each_model_can() -> None:
    known = {"claude-opus-4": SMALL, "claude-sonnet-4": WITH_IMAGES}
    models = openclaw_models(with_models("openclaw", snippet("openclaw"), known.get))
    free = {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0}
    assert models["claude-opus-4"] == {
        "id": "claude-opus-4",
        "name": "Claude Opus",
        "reasoning": False,
        "input": ["text"],
        "cost": free,
        "contextWindow": 200_000,
        "maxTokens": 900,
    }
    assert models["claude-sonnet-4"]["reasoning"] is True
    assert models["claude-sonnet-4"]["input"] == ["text", "image"]
    assert models["claude-sonnet-4"]["contextWindow"] == 5000


def test_opencode_is_told_what_each_model_can() -> None:
    known = {"claude-opus-4": SMALL, "claude-sonnet-4": WITH_IMAGES}
    models = opencode_models(with_models("opencode", snippet("opencode"), known.get))
    assert models["claude-opus-4"] == {
        "name": "Claude Opus",
        "attachment": False,
        "reasoning": False,
        "modalities": {"input": ["text"], "output": ["text"]},
        "limit": {"context": 200_000, "output": 900},
    }
    assert models["claude-sonnet-4"]["attachment"] is True
    assert models["claude-sonnet-4"]["modalities"]["input"] == ["text", "image"]


def test_what_is_unknown_is_left_out() -> None:
    nothing = openclaw_models(with_models("openclaw", snippet("openclaw"), lambda _: None))
    assert set(nothing["claude-opus-4"]) == {"id", "name", "cost"}
    nothing = opencode_models(with_models("opencode", snippet("opencode"), lambda _: None))
    assert set(nothing["claude-sonnet-4"]) == {"name", "attachment", "modalities"}


def test_a_model_of_the_yaml_is_written_with_its_own_facts(tmp_path: Path, run: Run) -> None:
    (tmp_path / "models.yaml").write_text(
        "models:\n"
        "  mine: {backend: claude-code, target: claude-haiku-4-5, limits: {max_output_tokens: 700}}\n"
        "  other: {backend: echo}\n",
        encoding="utf-8",
    )
    named = ("--config", "models.yaml")
    mine = opencode_models(run("connect", "opencode", *named).stdout)["mine"]
    assert mine["limit"] == {"context": 200_000, "output": 700}
    other = opencode_models(run("connect", "opencode", "--model", "other", *named).stdout)["other"]
    assert "limit" not in other


class Listing:
    """Stands in for a gateway that runs, and lists two models."""

    asked: list[str]

    def __init__(self, url: str, key: str | None) -> None:
        self.place = (url, key)

    def model(self, name: str) -> dict[str, Any]:
        Listing.asked.append(name)
        if name == "claude-opus-4":
            raise Rejected(404, "The model does not exist.")
        return {"id": name, "context_length": 7000, "max_output_tokens": 70}


def test_a_gateway_that_runs_is_asked_first(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Listing.asked = []
    monkeypatch.setattr(connect_command, "ServerCall", Listing)
    models = openclaw_models(run("connect", "openclaw").stdout)
    assert Listing.asked == ["claude-opus-4", "claude-sonnet-4"]
    assert models["claude-sonnet-4"]["contextWindow"] == 7000
    assert models["claude-opus-4"]["contextWindow"] == 1_000_000


def test_a_gateway_that_is_not_up_is_asked_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def not_up(_: object, name: str) -> dict[str, Any]:
        asked.append(name)
        raise NotUp("nothing listens there")

    monkeypatch.setattr(Listing, "model", not_up)
    monkeypatch.setattr(connect_command, "ServerCall", Listing)
    assert run("connect", "opencode").stdout == snippet("opencode")
    assert asked == ["claude-opus-4"]


@pytest.mark.parametrize(
    ("entry", "known"),
    [
        ({"id": "a", "object": "model"}, None),
        ({"context_length": 1}, None),
        ({"context_length": "big", "max_output_tokens": 2}, None),
        (
            {"context_length": 1, "max_output_tokens": 2, "architecture": "odd"},
            ModelDescription(context_length=1, max_output_tokens=2, thinking="never"),
        ),
        (
            {
                "context_length": 1,
                "max_output_tokens": 2,
                "reasoning": {},
                "architecture": {"input_modalities": ["file", "text", "smell"]},
            },
            ModelDescription(
                context_length=1,
                max_output_tokens=2,
                thinking="optional",
                inputs=("text", "document"),
            ),
        ),
    ],
)
def test_an_entry_of_the_list(entry: dict[str, Any], known: ModelDescription | None) -> None:
    assert from_list(entry) == known


@pytest.mark.parametrize(
    ("client", "needs"),
    [
        ("openai-python", "pip install openai"),
        ("openai-node", "npm install openai"),
        ("langchain", "pip install langchain-openai"),
        ("llm", "pip install llm"),
    ],
)
def test_a_client_names_what_it_needs(client: str, needs: str, run: Run) -> None:
    result = run("connect", client)
    assert f"# needs: {needs}\n" in result.stderr
    assert needs not in result.stdout


def test_an_unknown_client_is_one_line_with_those_that_there_are(run: Run) -> None:
    result = run("connect", "nope")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("dragoman: unknown client 'nope'; available: aider, cline, ")
    assert result.stderr.count("\n") == result.stderr.count("cline") == 1


def test_the_help_lists_each_client_in_a_line(run: Run) -> None:
    help_text = run("connect", "--help").stdout
    lines = [line.split() for line in help_text.split("Clients:")[1].splitlines()]
    assert [line[0] for line in lines[1 : len(CLIENTS) + 1]] == list(CLIENTS)
    assert "connect [OPTIONS] CLIENT\n" in help_text


def test_the_note_about_aliases_is_for_those_without_one(run: Run, home: Path) -> None:
    assert "--alias gpt-4o" in run("connect", "env").stderr
    assert "--alias" not in run("connect", "env", "--alias", "gpt-4o").stderr
