"""`POST /v1/responses`: how a request is decoded, and its answer encoded and kept."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.errors import InvalidRequest, UnsupportedParameter
from gateway.frontend import Call, Encoding, Incoming, check_count
from gateway_openai_responses.config import ResponsesConfig
from gateway_openai_responses.decode.request import Earlier, decode, parse
from gateway_openai_responses.encode.echo import echoed
from gateway_openai_responses.encode.encoding import ResponseEncoding
from gateway_openai_responses.encode.response import ResponseForm, response_id
from gateway_openai_responses.fields.rows import RESPONSES
from gateway_openai_responses.http.sizes import check_sizes
from gateway_openai_responses.store.record import Chain, Json, Record, input_items, response_of_item
from gateway_openai_responses.store.responses import ResponseStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The kept data that a request refers to: its conversation, and single items by id."""

    chain: Chain | None = None
    referenced: Mapping[str, Json]

    @property
    def size(self) -> int:
        """In bytes, about."""
        referenced = sum(len(repr(item)) for item in self.referenced.values())
        return referenced + (self.chain.size if self.chain is not None else 0)


NOTHING = Found(referenced={})


def refers(body: Mapping[str, object]) -> bool:
    """Whether a request refers to anything that may be kept."""
    return body.get("previous_response_id") is not None or bool(_references(body))


def find(store: ResponseStore | None, incoming: Incoming) -> Found:
    """Look up the data that a request refers to. Reads the disk. Raises `InvalidRequest`."""
    previous, caller = incoming.body.get("previous_response_id"), incoming.client.caller
    chain = None
    if isinstance(previous, str):
        chain = store.chain(previous, caller) if store is not None else None
        if chain is None:
            raise InvalidRequest(
                f"Previous response with id {previous[:100]!r} not found: it was not kept, has "
                "expired, or an earlier response of its conversation is gone. Send the whole "
                "conversation as 'input'.",
                param="previous_response_id",
                code="previous_response_not_found",
            )
    wanted = _references(incoming.body)
    check_count(incoming.limits, "messages", len(wanted), "items", "input")
    referenced = _items(store, wanted, caller) if store is not None else {}
    return Found(chain=chain, referenced=referenced)


def _references(body: Mapping[str, object]) -> list[str]:
    given = body.get("input")
    return [
        item["id"]
        for item in (given if isinstance(given, list) else ())
        if isinstance(item, dict)
        and item.get("type") in (None, "item_reference")
        and "role" not in item
        and isinstance(item.get("id"), str)
    ]


def _items(store: ResponseStore, wanted: Sequence[str], caller: str) -> dict[str, Json]:
    """The kept ones of these items, by id; each response is looked up once."""
    found: dict[str, Json] = {}
    owners = (response_of_item(item_id) for item_id in wanted)
    for owner in dict.fromkeys(owner for owner in owners if owner is not None):
        record = store.find(owner, caller)
        every = (*record.output, *record.items) if record is not None else ()
        found.update({str(item.get("id")): item for item in every})
    return {item_id: found[item_id] for item_id in wanted if item_id in found}


def responses(
    config: ResponsesConfig, store: ResponseStore | None, incoming: Incoming, found: Found = NOTHING
) -> tuple[Call, Encoding]:
    """`POST /v1/responses`. Raises `InvalidRequest`."""
    items = found.chain.items if found.chain is not None else ()
    check_sizes(incoming.body, items, incoming.limits, tuple(found.referenced.values()))
    wire = parse(incoming.body)
    call = decode(wire, incoming.client, Earlier(items=items, referenced=found.referenced))
    _reject_ignored(call, config)
    keeping = store if wire.store is not False else None
    form = ResponseForm(
        id=response_id(),
        created_at=int(time.time()),
        echoed=echoed(incoming.body, kept=keeping is not None),
        offers=call.offers,
        summary=call.summary,
        encrypted=call.encrypted,
        sources=call.sources,
    )
    keeper = _Keeper(keeping, incoming, found, form) if keeping is not None else None
    changed = call.encrypted or any(offer.kind != "function" for offer in call.offers.values())
    return (
        replace(call, whole_texts=keeper is not None or changed),
        ResponseEncoding(form, keeper),
    )


@dataclass(frozen=True, slots=True)
class _Keeper:
    """Keeps a response with the items of its request."""

    store: ResponseStore
    incoming: Incoming
    found: Found
    form: ResponseForm

    def __call__(self, response: Mapping[str, Any]) -> None:
        body, form, chain = self.incoming.body, self.form, self.found.chain
        previous = body.get("previous_response_id")
        self.store.keep(
            Record(
                id=form.id,
                caller=self.incoming.client.caller,
                thread=chain.thread if chain is not None else form.id,
                previous=previous if isinstance(previous, str) else None,
                created=form.created_at,
                response={name: value for name, value in response.items() if name != "output"},
                output=response["output"],
                items=list(input_items(body.get("input"), form.id, self.found.referenced)),
            )
        )


def _reject_ignored(call: Call, config: ResponsesConfig) -> None:
    refusable = RESPONSES.refusable(call.ignored)
    if config.unsupported == "reject" and refusable:
        raise UnsupportedParameter(
            f"{refusable[0]!r} is not supported, and the gateway rejects unsupported fields "
            "(plugins.openai_responses.unsupported).",
            param=refusable[0],
        )
