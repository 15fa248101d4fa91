"""Does the gateway answer, where its configuration says that it listens?"""

import http.client
import json
from typing import Final

from gateway.config import ServerConfig

PATIENCE_SECONDS: Final = 10
_ANY: Final = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104 - to ask, not to listen


def address_of(server: ServerConfig) -> tuple[str, int]:
    """Where this machine reaches it."""
    return _ANY.get(server.host, server.host), server.port


def health_at(host: str, port: int) -> str:
    """Its own word for how it is: "ok", "degraded" or "draining". Raises `OSError` if there is none."""
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/healthz")
        report = json.loads(connection.getresponse().read())
        return str(report["status"])
    except (http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        raise ConnectionError("what answers there is no Dragoman") from error
    finally:
        connection.close()
