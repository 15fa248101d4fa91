"""`/docs`: the description of the API as a page, from files of this package and no others."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

FOLDER: Final = Path(__file__).resolve().parent / "swagger_ui"
FILES: Final[Mapping[str, str]] = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "start.js": "text/javascript",
}
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # the icons within swagger-ui.css
        "connect-src 'self'",  # openapi.json, and requests that are tried out
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""A page of the gateway's own origin may use the gateway, so nothing but its own files runs there."""
_HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Dragoman's API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>This page needs JavaScript; openapi.json has the same content.</noscript>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""


def add_api_pages(app: FastAPI) -> None:
    """Serve `/docs` and its files. The application has to be made without FastAPI's own pages,
    which load theirs from the internet."""
    app.add_route("/docs", _page, include_in_schema=False)
    app.add_route("/docs/{name}", _file, include_in_schema=False)


async def _page(_: Request) -> Response:
    return HTMLResponse(_PAGE, headers=_HEADERS)


async def _file(request: Request) -> Response:
    name = request.path_params["name"]
    if (media_type := FILES.get(name)) is None:
        raise HTTPException(404)
    return FileResponse(FOLDER / name, media_type=media_type, headers=_HEADERS)
