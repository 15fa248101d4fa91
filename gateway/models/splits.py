"""Which of a split's models a conversation gets: in proportion, and always the same one. Pure.

A conversation that went to another model half-way would lose its prompt cache and its process.
"""

import hashlib
from collections.abc import Mapping
from itertools import accumulate

from gateway.types import ChatRequest


def pick(weights: Mapping[str, int], key: str) -> str:
    """One of the names, in proportion to their weights, and always the same for one `key`.

    When weights change, and their order does not, few keys get another name than before.
    """
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    place = int.from_bytes(digest) * sum(weights.values()) >> 64
    bounds = accumulate(weights.values())
    return next(name for name, bound in zip(weights, bounds, strict=True) if place < bound)


def conversation_key(request: ChatRequest) -> str:
    """What stays the same while a conversation goes on: who asks, and how it began."""
    first = next((message for message in request.messages if message.role == "user"), None)
    return repr((request.client.key, request.system, first and first.parts))
