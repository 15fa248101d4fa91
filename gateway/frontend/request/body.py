"""Reading the body of a request: JSON only, and never more of it than the limits."""

import asyncio
import gc
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pydantic_core import from_json
from starlette.requests import ClientDisconnect, Request

from gateway.config.settings import PARSER_DEPTH, LimitsConfig
from gateway.content.surrogates import whole_characters
from gateway.errors import InvalidRequest, PayloadTooLarge, TooSlow, UnsupportedMediaType
from gateway.frontend.request.sizes import check_depth, exceeds

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_ESCAPES = re.compile(
    rb"""\\ (?: \\                                                       # a backslash
           | u[dD][89abAB][0-9a-fA-F]{2} \\u[dD][c-fC-F][0-9a-fA-F]{2}  # a whole character
           | (?P<half> u[dD][89a-fA-F][0-9a-fA-F]{2} ) )""",
    re.VERBOSE,
)
"""RFC 8259, section 7: a character beyond U+FFFF is written as two escapes, its halves."""
_REPLACEMENT = rb"\ufffd"
_WRITTEN_HALVES = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf](?:\xed[\xa0-\xbf][\x80-\xbf])?")


async def read_body(request: Request, limits: LimitsConfig) -> bytes:
    """The body as it came.

    Raises `UnsupportedMediaType`, `PayloadTooLarge`, `TooSlow`, or `InvalidRequest` when the client
    goes away.
    """
    _check_media_type(request)
    try:
        async with asyncio.timeout(limits.body_seconds):  # at a third of the cost of anyio's
            return await _read(request, limits.body_bytes)
    except TimeoutError:
        limit = limits.body_seconds
        raise TooSlow(
            f"The body was not complete within {limit:g} s (limits.body_seconds)."
        ) from None


def json_object(body: bytes, limits: LimitsConfig) -> dict[str, object]:
    """The body as a JSON object. Raises `InvalidRequest`."""
    if exceeds(body, limits.json_values):
        raise InvalidRequest(
            f"The request body has more than {limits.json_values} keys and list items "
            "(limits.json_values)."
        )
    return parse_json_object(body, limits.json_depth)


def parse_json_object(body: bytes, depth: int = PARSER_DEPTH) -> dict[str, object]:
    """Parse strictly: valid UTF-8, no NaN. Lone surrogates become U+FFFD.

    Raises `InvalidRequest`.
    """
    # PowerShell begins a body with the mark.
    text = body.removeprefix(_BYTE_ORDER_MARK)
    if not text:
        raise InvalidRequest("The request body is empty; it must be a JSON object.")
    try:
        with _no_collection():
            value = _parsed(text)
    except ValueError as error:
        raise InvalidRequest(
            f"The request body is not valid JSON: {error}.{_hint(error)}"
        ) from None
    if not isinstance(value, dict):
        raise InvalidRequest("The request body must be a JSON object.")
    if depth < PARSER_DEPTH:
        check_depth(value, depth)
    return value


def _parsed(text: bytes) -> object:
    """Raises `ValueError`, with the place and the reason."""
    try:
        # with values in it, the parser's own cache would keep the clients' texts
        return from_json(text, allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        about_a_character = "escape" in str(error) or "unicode" in str(error)
        if not about_a_character or (mended := _with_whole_characters(text)) is None:
            raise
        return from_json(mended, allow_inf_nan=False, cache_strings="keys")


def _with_whole_characters(text: bytes) -> bytes | None:
    """The JSON with U+FFFD in place of halves of characters; None if it has no such half.

    Clients cut texts between the halves, and `JSON.stringify` writes these as escapes. Others write
    each half in UTF-8, which is invalid. No single step is long, as a thread keeps all others
    waiting for each of them.
    """
    whole = _replaced(text, _ESCAPES, lambda escape: _REPLACEMENT if escape["half"] else None)
    return _replaced(whole or text, _WRITTEN_HALVES, _joined) or whole


def _replaced(
    text: bytes, pattern: re.Pattern[bytes], new: Callable[[re.Match[bytes]], bytes | None]
) -> bytes | None:
    """The text with `new` in place of what matches, where that is not None; None if nowhere."""
    made = bytearray()
    done = 0
    for found in pattern.finditer(text):
        if (replacement := new(found)) is not None:
            made += text[done : found.start()]
            made += replacement
            done = found.end()
    return bytes(made + text[done:]) if done else None


def _joined(halves: re.Match[bytes]) -> bytes:
    return whole_characters(halves[0].decode(errors="surrogatepass")).encode()


@contextmanager
def _no_collection() -> Iterator[None]:
    """Pause the garbage collector, which would run again and again over the new values: 250,000
    empty lists take 40 ms instead of 240.

    Two bodies may be read at once, in different threads. Whichever is done turns it on again,
    however it was before: between reading that state and restoring it, the other may be done.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _hint(error: ValueError) -> str:
    """A hint where the parser's own words are hard to understand."""
    if "unicode" in str(error):
        return " It must be encoded in UTF-8."
    if "recursion" in str(error):
        return f" It is nested more than {PARSER_DEPTH} levels deep (limits.json_depth)."
    return ""


def _check_media_type(request: Request) -> None:
    # Other types can be posted across origins without the browser asking first.
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaType(
            f"The content-type must be 'application/json', not {media_type!r}."
        )
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise UnsupportedMediaType(f"The content-encoding {encoding!r} is not supported.")


async def _read(request: Request, limit: int) -> bytes:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise _too_large(limit)
    except ClientDisconnect:
        raise InvalidRequest("The client disconnected before the body was complete.") from None
    return bytes(body)


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(
        f"The request body is over the limit of {limit} bytes (limits.body_bytes)."
    )
