"""Asking for each cell of the matrix, and counting what the upstream was asked for it."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gateway_claude_code.facts.documented import FAMILIES, MODELS
from gateway_claude_code.upstream import MessagesRequest, Upstream
from tests.e2e.bodies import Reply, post
from tests.e2e.gateways import RunningGateway, running_gateway
from tests.matrix.cells import CELLS, Cell, with_results

WORKERS: Final = 2
CONFIG: Final = {
    "plugins": {"claude_code": {"max_spares": 2, "min_spares": 2, "max_live": 2, "keep_alive": 5}}
}
LESSONS: Final = "model-facts.json"
"""The file in which lessons are kept; without lessons it is not written."""

DEFAULT_NAMES: Final = {model: short for short, model in FAMILIES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one cell for one model.

    `answered` and `refused` count the upstream's requests; `by_cli` has the rules that refused
    those which the CLI made of its own accord. `answered_by` is the model that answered.
    """

    model: str
    cell: str
    problem: str | None
    answered_by: str
    answered: int
    refused: int
    by_cli: tuple[str, ...]
    ignored: str
    adjusted: str


def asked_name(model: str) -> str:
    """The name that a client asks for: the short one, where the CLI has one."""
    return DEFAULT_NAMES.get(model, model)


def every_model() -> list[str]:
    """All models of the table, the newest first."""
    return [row.name for row in MODELS]


@contextmanager
def matrix_gateway(folder: Path, upstream: Upstream, command: str) -> Iterator[RunningGateway]:
    """A gateway that has learnt nothing."""
    environment = {"DRAGOMAN_CLAUDE_COMMAND": command}
    with running_gateway(folder, upstream, CONFIG, environment) as gateway:
        yield gateway


def run(
    gateway: RunningGateway,
    models: Sequence[str],
    cells: Iterable[Cell] = CELLS,
    note: Callable[[Outcome], None] = lambda _: None,
) -> list[Outcome]:
    """Ask for all cells, two at a time; outcomes in the order of models and cells."""
    places = [(model, cell) for model in models for cell in cells]
    lock = threading.Lock()

    def one(place: tuple[str, Cell]) -> Outcome:
        found = outcome(gateway, *place)
        with lock:
            note(found)
        return found

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(one, places))


def outcome(gateway: RunningGateway, model: str, cell: Cell) -> Outcome:
    """Ask for one cell."""
    marker = f"cell {model} {cell.name};"
    messages = cell.messages(marker)
    reply = _ask(gateway, model, cell, messages)
    problem = _problem(reply, cell)
    if cell.loop and problem is None:
        reply = _ask(gateway, model, cell, with_results(messages, reply.choice))
        problem = _problem(reply, cell, after_results=True)
    made = [request for request in gateway.upstream.requests if marker in json.dumps(request.body)]
    found = ((request, _refusal(gateway.upstream, request)) for request in made)
    refused = [(request, rule) for request, rule in found if rule is not None]
    by_cli = [rule for request, rule in refused if _is_the_clis_own(request, rule)]
    wanted = 2 if cell.loop else 1
    answered = len(made) - len(refused)
    if problem is None and (answered != wanted or len(refused) != len(by_cli)):
        problem = f"{answered} answered and {len(refused)} refused upstream requests"
    return Outcome(
        model=model,
        cell=cell.name,
        problem=problem,
        answered_by=reply.headers.get("x-dragoman-model", ""),
        answered=answered,
        refused=len(refused),
        by_cli=tuple(by_cli),
        ignored=reply.headers.get("x-dragoman-ignored", ""),
        adjusted=reply.headers.get("x-dragoman-adjusted", ""),
    )


def _ask(gateway: RunningGateway, model: str, cell: Cell, messages: list[dict[str, Any]]) -> Reply:
    return post(gateway, model=asked_name(model), messages=messages, **cell.fields)


def _problem(reply: Reply, cell: Cell, *, after_results: bool = False) -> str | None:
    if reply.status != 200:
        return f"{reply.status} {reply.error.get('message')}"
    if after_results:
        return None if reply.choice.content else "an empty answer"
    if cell.loop:
        return None if reply.choice.tool_calls else "called nothing"
    return cell.check(reply.choice)


def _refusal(upstream: Upstream, request: MessagesRequest) -> str | None:
    """The rule that a request broke."""
    return next((found.rule for found in upstream.refusals if found.request is request), None)


def _is_the_clis_own(request: MessagesRequest, rule: str) -> bool:
    """Whether a refused request is one that the unmodified CLI made of its own accord.

    After an answer that was cut or empty it asks on, which the gateway has made invalid; and it
    has a note of the role "system" for a model that accepts none, which it then takes back.
    """
    return request.body.get("max_tokens") == -1 or rule == "messages.system_role"
