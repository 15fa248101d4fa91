"""Logins in words."""

from pathlib import Path

import pytest

from gateway.machine import command_name
from gateway_claude_code.login.status import CliStatus, Login
from gateway_claude_code.login.words import login_help, login_words, needs_no_login, not_logged_in
from gateway_claude_code.process.environment import in_container, without_browser


@pytest.fixture(autouse=True)
def on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """`dragoman` can be typed as that."""
    monkeypatch.setattr(command_name, "_program", lambda: None)


def login(method: str, **fields: str) -> Login:
    return Login(logged_in=True, method=method, **fields)


SECRET = "sk-ant-secret"


@pytest.mark.parametrize(
    ("found", "environ", "words"),
    [
        (login("claude.ai", plan="max"), {}, "Claude plan (max)"),
        (login("claude.ai"), {}, "Claude plan"),
        (login("api_key", source="ANTHROPIC_API_KEY"), {}, "API key from ANTHROPIC_API_KEY"),
        (login("api_key", source="/login managed key"), {}, "Anthropic Console account"),
        (login("api_key"), {}, "API key"),
        (login("api_key_helper"), {}, "API key from the command apiKeyHelper"),
        (
            login("oauth_token"),
            {"CLAUDE_CODE_OAUTH_TOKEN": SECRET},
            "token from CLAUDE_CODE_OAUTH_TOKEN",
        ),
        (
            login("oauth_token"),
            {"CLAUDE_CODE_OAUTH_TOKEN": SECRET, "ANTHROPIC_AUTH_TOKEN": SECRET},
            "token from ANTHROPIC_AUTH_TOKEN",
        ),
        (login("oauth_token"), {}, "token"),
        (login("custom_headers"), {}, "header from ANTHROPIC_CUSTOM_HEADERS"),
        (
            login("third_party", provider="bedrock"),
            {},
            "set up for Amazon Bedrock, by CLAUDE_CODE_USE_BEDROCK",
        ),
        (login("third_party", provider="new"), {}, "new"),
        (login("new"), {}, "new"),
    ],
)
def test_which_login_it_is(found: Login, environ: dict[str, str], words: str) -> None:
    assert login_words(found, environ) == words


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (login("claude.ai"), None),
        (login("api_key", source="/login managed key"), None),
        (Login(logged_in=False, method="none"), None),
        (login("api_key", source="ANTHROPIC_API_KEY"), "unset ANTHROPIC_API_KEY."),
        (login("oauth_token"), "unset CLAUDE_CODE_OAUTH_TOKEN."),
        (login("custom_headers"), "unset ANTHROPIC_CUSTOM_HEADERS."),
        (
            login("api_key_helper"),
            "No login is needed: the CLI uses the API key from the command apiKeyHelper.",
        ),
        (login("third_party", provider="bedrock"), "`aws sso login`"),
        (login("third_party", provider="anthropicAws"), "ANTHROPIC_AWS_API_KEY"),
        (login("third_party", provider="vertex"), "`gcloud auth application-default login`"),
        (login("third_party", provider="foundry"), "`az login`"),
        (login("third_party", provider="foundry"), "unset CLAUDE_CODE_USE_FOUNDRY"),
        (login("third_party", provider="new"), "the CLI is set up for new."),
    ],
)
def test_where_a_login_would_change_nothing(found: Login, says: str | None) -> None:
    environ = dict.fromkeys(("ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN"), SECRET)
    why = needs_no_login(found, environ)
    assert SECRET not in (why or "")
    assert why is None if says is None else says in (why or "")


@pytest.mark.parametrize(
    ("anywhere", "container", "says"),
    [
        (False, False, "run `dragoman login`"),
        (True, False, "run `dragoman login` on the machine where Dragoman runs"),
        (
            True,
            True,
            "run `dragoman login` in the container, or give it CLAUDE_CODE_OAUTH_TOKEN "
            "(create one with `claude setup-token` on a machine with a browser) or ANTHROPIC_API_KEY",
        ),
    ],
)
def test_how_to_log_in(anywhere: bool, container: bool, says: str) -> None:
    assert login_help(anywhere=anywhere, container=container) == says


def test_a_login_in_settings_names_the_key_of_the_yaml() -> None:
    status = CliStatus(
        path=Path("/bin/claude"), version="1", logged_in=False, method="none", in_settings=True
    )
    assert "plugins.claude_code.use_cli_settings_auth: true" in not_logged_in(status)


@pytest.mark.parametrize(
    ("file", "environ", "found"),
    [
        (None, {}, False),
        (".dockerenv", {}, True),
        ("run/.containerenv", {}, True),
        (None, {"container": "podman"}, True),
        (None, {"container": ""}, False),
        (None, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, True),
    ],
)
def test_whether_it_is_a_container(
    tmp_path: Path, file: str | None, environ: dict[str, str], found: bool
) -> None:
    if file is not None:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    assert in_container(environ, tmp_path) is found


@pytest.mark.parametrize(
    ("environ", "platform", "found"),
    [
        ({"DISPLAY": ":0"}, "linux", False),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", False),
        ({}, "linux", True),
        ({}, "darwin", False),
        ({"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, "darwin", True),
        ({"SSH_TTY": "/dev/pts/0", "DISPLAY": "localhost:10.0"}, "linux", True),
    ],
)
def test_whether_the_browser_is_elsewhere(
    environ: dict[str, str], platform: str, found: bool
) -> None:
    assert without_browser(environ, platform) is found
