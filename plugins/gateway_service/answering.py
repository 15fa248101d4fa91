"""Does the gateway answer, where its configuration says that it listens?"""

import http.client
import json
from typing import Final

from gateway.config.settings import ServerConfig
from gateway.machine import addresses
from gateway.machine.addresses import reached_at

PATIENCE_SECONDS: Final = 10


def url_of(server: ServerConfig) -> str:
    """Where this machine reaches it."""
    return addresses.url_of(reached_at(server.host), server.port)


def health_of(server: ServerConfig) -> str:
    """Its own word for how it is: "ok", "degraded" or "draining". Raises `OSError` if there is none."""
    connection = http.client.HTTPConnection(
        reached_at(server.host), server.port, timeout=PATIENCE_SECONDS
    )
    try:
        connection.request("GET", "/healthz")
        report = json.loads(connection.getresponse().read())
        return str(report["status"])
    except (http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        raise ConnectionError("the program that answers there is not Dragoman") from error
    finally:
        connection.close()
