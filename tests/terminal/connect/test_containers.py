"""A client in a container gets the address by which it reaches this machine."""

import sys

import pytest

from tests.terminal.terminal_support import Run

BRIDGE = "-p 127.0.0.1:3000:8080 --add-host=host.docker.internal:host-gateway"
HOST = "--network host -e HOST=127.0.0.1 -e PORT=3000"


@pytest.mark.parametrize(
    ("platform", "url", "network", "address"),
    [
        ("linux", None, HOST, "http://127.0.0.1:3456/v1"),
        ("linux", "http://localhost:4000", HOST, "http://localhost:4000/v1"),
        ("linux", "http://[::1]:4000", HOST, "http://[::1]:4000/v1"),
        (
            "linux",
            "http://host.docker.internal:4000",
            BRIDGE,
            "http://host.docker.internal:4000/v1",
        ),
        ("linux", "http://172.17.0.1:3456", BRIDGE, "http://172.17.0.1:3456/v1"),
        ("darwin", None, BRIDGE, "http://host.docker.internal:3456/v1"),
        ("darwin", "http://localhost:4000", BRIDGE, "http://host.docker.internal:4000/v1"),
        ("darwin", "https://gateway.example", BRIDGE, "https://gateway.example/v1"),
    ],
)
def test_open_webui_in_docker(
    platform: str,
    url: str | None,
    network: str,
    address: str,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    options = () if url is None else ("--url", url)
    result = run("connect", "open-webui-docker", *options, "--key", "dgm-x")
    assert result.exit_code == 0, result.output
    words = result.stdout.replace("\\\n", " ").split()
    assert " ".join(words) == (
        f"docker run -d --name open-webui --restart always {network} "
        "-v open-webui:/app/backend/data "
        f"-e OPENAI_API_BASE_URL={address} -e OPENAI_API_KEY=dgm-x openwebui/open-webui"
    )


def test_what_linux_needs_is_said_beside_it(run: Run) -> None:
    said = run("connect", "open-webui-docker").stderr
    assert "172.17.0.1" in said
    assert "`dragoman keys new open-webui`" in said
