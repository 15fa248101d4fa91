"""Keys over the command line, with the official client and the real CLI."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from openai import AuthenticationError, OpenAI, PermissionDeniedError, RateLimitError

from tests.e2e.conftest import StartGateway
from tests.e2e.gateways import RunningGateway

pytestmark = pytest.mark.e2e

DRAGOMAN = str(Path(sys.executable).parent / "dragoman")
MESSAGES = [{"role": "user", "content": "Hello"}]


def keys(gateway: RunningGateway, *arguments: str) -> str:
    """`dragoman keys …`, as the user would; what it prints."""
    config = str(gateway.home.parent / "models.yaml")
    done = subprocess.run(
        [DRAGOMAN, "keys", "--config", config, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": str(gateway.home)},
    )
    return done.stdout.strip()


def ask(client: OpenAI, model: str = "claude-haiku-4") -> object:
    return client.chat.completions.create(model=model, messages=MESSAGES)  # type: ignore[call-overload]


def until_refused(client: OpenAI) -> None:
    """A gateway looks at its keys once a second."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            client.models.list()
        except AuthenticationError:
            return
        time.sleep(0.1)
    pytest.fail("the key that was used should not be good for anything")


def test_a_key_from_its_making_to_its_end(start_gateway: StartGateway) -> None:
    gateway = start_gateway()
    ask(gateway.client)
    key = keys(gateway, "new", "laptop", "--model", "claude-haiku-*", "--rpm", "2")
    until_refused(gateway.client)
    client = gateway.client.with_options(api_key=key)
    ask(client)
    with pytest.raises(PermissionDeniedError, match=r"claude-haiku-\*"):
        ask(client, "claude-opus-4")
    with pytest.raises(RateLimitError, match="2 requests per minute"):
        ask(client)
    keys(gateway, "revoke", "laptop")
    until_refused(client)
