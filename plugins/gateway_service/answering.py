"""Does the gateway answer, where its configuration says that it listens?"""

import http.client
import json
from typing import Final

from gateway.config import ServerConfig

PATIENCE_SECONDS: Final = 10
_ANY: Final = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104 - to ask there


def url_of(server: ServerConfig) -> str:
    """Where this machine reaches it."""
    host = _host_of(server)
    return f"http://[{host}]:{server.port}" if ":" in host else f"http://{host}:{server.port}"


def health_of(server: ServerConfig) -> str:
    """Its own word for how it is: "ok", "degraded" or "draining". Raises `OSError` if there is none."""
    connection = http.client.HTTPConnection(_host_of(server), server.port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/healthz")
        report = json.loads(connection.getresponse().read())
        return str(report["status"])
    except (http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        raise ConnectionError("what answers there is no Dragoman") from error
    finally:
        connection.close()


def _host_of(server: ServerConfig) -> str:
    return _ANY.get(server.host, server.host)
