"""Endpoints of the OpenAI API that clients ask for and that are not served: what to do instead."""

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from gateway.errors import NotFound

_EMBEDDINGS: Final = (
    "Dragoman does not serve embeddings. Point the client's embedding model to another server."
)
_IMAGES: Final = (
    "Dragoman does not generate images. Chat completions accept them as input; to generate them, "
    "point the client's image model to another server."
)
_AUDIO: Final = "Dragoman does not serve audio. Point the client's speech model to another server."

NOT_SERVED: Final = {
    "/v1/embeddings": _EMBEDDINGS,
    "/v1/moderations": "Dragoman does not serve moderation. Turn it off in the client, or point it "
    "to another server.",
    "/v1/images/generations": _IMAGES,
    "/v1/images/edits": _IMAGES,
    "/v1/audio/speech": _AUDIO,
    "/v1/audio/transcriptions": _AUDIO,
    "/v1/audio/translations": _AUDIO,
    "/v1/files": "Dragoman does not store files. Put images, PDFs and texts into the messages.",
}
"""The advice, by path."""


def add_not_served(router: APIRouter) -> None:
    """A 404 for each, as for any unknown path, but with advice."""
    for path, advice in NOT_SERVED.items():
        router.add_api_route(
            path, _refusal(path, advice), methods=["GET", "POST"], include_in_schema=False
        )


def _refusal(path: str, advice: str) -> Callable[[], Awaitable[Response]]:
    async def refuse() -> Response:
        raise NotFound(f"Unknown path: {path}. {advice}")

    return refuse
