"""Logs a line for each answer: its model, how it ended, and how long it took."""

import logging

from gateway import hookimpl
from gateway.context import Outcome, RequestContext, StreamObserver
from gateway.types import ChatRequest


class AnswerLine:
    def __init__(self, model: str) -> None:
        self.model = model

    def on_end(self, outcome: Outcome) -> None:
        line = "%s %s in %.1f s"
        logging.getLogger("answer_log").info(line, self.model, outcome.status, outcome.duration)


@hookimpl
def gateway_observe(request: ChatRequest, ctx: RequestContext) -> StreamObserver:
    return AnswerLine(request.model)
