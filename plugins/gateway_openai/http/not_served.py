"""Endpoints of the OpenAI API that clients ask for and that are not served: what to do instead."""

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from gateway.errors import NotFound

ABSENT: Final = {
    "/v1/responses": "The Responses API is not served. Have the client use chat completions: "
    "openai.chat(…) in the AI SDK, OpenAIChatCompletionsModel in the Agents SDK.",
    "/v1/embeddings": "Claude has no embeddings. Point the client's embedding model elsewhere.",
    "/v1/moderations": "There is no model for moderation behind this gateway.",
    "/v1/images/generations": "Claude makes no images. It sees them, in chat completions.",
    "/v1/images/edits": "Claude makes no images. It sees them, in chat completions.",
    "/v1/audio/speech": "Claude has no audio. Point the client's speech model elsewhere.",
    "/v1/audio/transcriptions": "Claude has no audio. Point the client's speech model elsewhere.",
    "/v1/audio/translations": "Claude has no audio. Point the client's speech model elsewhere.",
    "/v1/files": "Files are not stored here. Images, PDFs and texts go into the messages.",
}
"""What is said, by path."""


def add_absent(router: APIRouter) -> None:
    """A 404 for each, like any unknown path has, but with advice."""
    for path, advice in ABSENT.items():
        router.add_api_route(
            path, _refusal(path, advice), methods=["GET", "POST"], include_in_schema=False
        )


def _refusal(path: str, advice: str) -> Callable[[], Awaitable[Response]]:
    async def refuse() -> Response:
        raise NotFound(f"There is nothing at {path}. {advice}")

    return refuse
