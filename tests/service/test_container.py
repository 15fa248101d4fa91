"""The files for containers: what can be known without running one."""

import http.server
import json
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.cli.main import serve
from gateway.config.settings import ServerConfig
from gateway_access.keys.environment import MIN_LENGTH, environment_keys
from gateway_service.definition import MARGIN_SECONDS

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICE: dict[str, Any] = COMPOSE["services"]["dragoman"]


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions, in order, with what follows each."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", "")
    return [
        (word, rest) for word, rest in (line.split(None, 1) for line in text.splitlines() if line)
    ]


def given(name: str) -> list[str]:
    return [rest for word, rest in instructions() if word == name]


def copied() -> list[str]:
    """What is taken from the checkout."""
    return [
        source
        for rest in given("COPY")
        if not rest.startswith("--from")
        for source in rest.split()[:-1]
    ]


# -- Dockerfile ---------------------------------------------------------------------------


def test_all_that_is_copied_is_there_and_let_through() -> None:
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_through = {line[1:] for line in ignore if line.startswith("!")}
    assert set(copied()) == let_through
    assert [name for name in copied() if not (ROOT / name).exists()] == []


def test_what_the_wheel_is_built_from_is_copied() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {project["project"]["readme"]}
    folders = (*wheel["packages"], *wheel["force-include"], *project["project"]["license-files"])
    needed |= {path.split("/")[0] for path in folders}
    assert needed <= set(copied())


def test_every_file_of_requirements_exists_and_pins_something() -> None:
    for path in re.findall(r"-r (\S+)", " ".join(given("RUN"))):
        assert "--hash=sha256:" in (ROOT / path).read_text(encoding="utf-8"), path


def test_images_are_named_plainly() -> None:
    assert {re.sub(r" AS \w+$", "", image) for image in given("FROM")} == {"python:3.13-slim"}


def test_it_does_not_run_as_root() -> None:
    assert given("USER") == ["1000:1000"]
    assert SERVICE["user"] == "${DRAGOMAN_USER:-1000:1000}"


def test_the_command_is_one_that_the_gateway_takes() -> None:
    [entry], [command] = given("ENTRYPOINT"), given("CMD")
    assert json.loads(entry) == ["dragoman"]
    assert json.loads(command)[0] == serve.name
    context = serve.make_context("serve", json.loads(command)[1:])
    assert (context.params["host"], context.params["port"]) == ("0.0.0.0", ServerConfig().port)
    assert given("EXPOSE") == [str(ServerConfig().port)]


@contextmanager
def server(status: int) -> Iterator[int]:
    """Answers `/healthz` with this, and anything else with 404; the port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as serving:
        threading.Thread(target=serving.serve_forever, args=(0.01,)).start()
        yield serving.server_port
        serving.shutdown()


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (500, False)])
def test_the_health_check_tells_well_from_unwell(status: int, *, healthy: bool) -> None:
    with server(status) as port:
        assert health_check(port) is healthy


def test_the_health_check_fails_where_nothing_answers() -> None:
    with server(200) as port:
        pass
    assert not health_check(port)


def health_check(port: int) -> bool:
    """What Docker would run in the container, on another port."""
    [check] = given("HEALTHCHECK")
    program, *arguments = json.loads(check.split("CMD ", 1)[1])
    assert program == "python"
    arguments = [each.replace(str(ServerConfig().port), str(port)) for each in arguments]
    done = subprocess.run([sys.executable, *arguments], check=False, capture_output=True)
    return done.returncode == 0


# -- compose.yaml -------------------------------------------------------------------------


def test_only_this_machine_reaches_it() -> None:
    port = ServerConfig().port
    assert SERVICE["ports"] == [f"127.0.0.1:{port}:{port}"]


def test_it_can_write_to_its_home_and_the_temporary_folder_alone() -> None:
    assert SERVICE["read_only"] is True
    assert [path.split(":")[0] for path in SERVICE["tmpfs"]] == ["/tmp"]
    [home] = given("VOLUME")
    assert SERVICE["volumes"] == [f"home:{home}"]
    assert f"HOME={home}" in " ".join(given("ENV"))
    assert "home" in COMPOSE["volumes"]


def test_it_can_do_nothing_that_needs_privileges() -> None:
    assert SERVICE["cap_drop"] == ["ALL"]
    assert SERVICE["security_opt"] == ["no-new-privileges:true"]
    assert SERVICE["init"] is True, "what outlives its parent has to be reaped"


def test_no_secret_stands_in_it_and_a_key_is_asked_for() -> None:
    environment = SERVICE["environment"]
    key = environment.pop("DRAGOMAN_API_KEY")
    assert key.startswith("${DRAGOMAN_API_KEY:?")
    assert f"{MIN_LENGTH} characters" in key
    assert environment_keys({"DRAGOMAN_API_KEY": "k" * MIN_LENGTH})
    # without a value, the variable is handed on from outside if it is set there
    assert environment == {"CLAUDE_CODE_OAUTH_TOKEN": None, "ANTHROPIC_API_KEY": None}


def test_it_is_given_the_time_that_its_end_may_take() -> None:
    seconds = ServerConfig().drain_seconds + MARGIN_SECONDS
    assert SERVICE["stop_grace_period"] == f"{seconds:g}s"


def test_what_is_commented_out_leads_to_where_the_gateway_looks() -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    [home] = given("VOLUME")
    targets = re.findall(r"# - \S+?:(/\S+?)(?::ro)?$", text, flags=re.MULTILINE)
    assert targets == [f"{home}/.claude", f"{home}/.config/dragoman/models.yaml"]
