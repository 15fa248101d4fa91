"""How a client in a container reaches a gateway on the machine that runs the container. Pure.

`host.docker.internal` leads to the host. Docker Desktop (macOS, Windows, and Linux if it was
chosen there) passes it on to the host's own 127.0.0.1 (docs.docker.com/desktop/features/networking,
"I want to connect from a container to a service on the host"). Docker Engine on Linux knows the
name only by `--add-host=host.docker.internal:host-gateway`, and then it is the bridge's address,
172.17.0.1 (docs.docker.com/reference/cli/docker/container/run, "--add-host"; moby/moby#40007). A
gateway on loopback does not listen there: tried with two network namespaces on a bridge, a
connection from the container is refused. There the container shares the host's network instead
(`--network host`), or the gateway listens on the bridge's address and asks for a key.
"""

from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from gateway.machine.addresses import is_localhost, is_loopback
from gateway_terminal.target_gateway import Place

DOCKER_HOST: Final = "host.docker.internal"
LINUX: Final = "linux"

_ON_THE_BRIDGE: Final = (
    " -p 127.0.0.1:3000:8080 \\\n  --add-host=host.docker.internal:host-gateway "
)
_ON_THE_HOST: Final = (
    " --network host \\\n  -e HOST=127.0.0.1 -e PORT=3000 "  # open-webui: backend/start.sh
)


def in_container(text: str, where: Place, platform: str) -> tuple[str, Place]:
    """The `docker run` and the address in it that work here; `platform` is `sys.platform`.

    Another machine's address, or a name of the host that was given with --url, is left as it is.
    """
    parts = urlsplit(where.url)
    host = parts.hostname or ""
    if not (is_localhost(host) or is_loopback(host)):
        return text, where
    if platform == LINUX:
        return text.replace(_ON_THE_BRIDGE, _ON_THE_HOST), where
    address = DOCKER_HOST if parts.port is None else f"{DOCKER_HOST}:{parts.port}"
    return text, replace(where, url=f"{parts.scheme}://{address}")
