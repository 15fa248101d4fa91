"""What the core's tests are made of: plugins out of plain functions, requests, an observer."""

import importlib.metadata
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx

from gateway import hookimpl
from gateway.context import Outcome, RequestContext
from gateway.http.app import create_app
from gateway.pipeline.gateway import CoreGateway
from gateway.types import ChatRequest, Message, StreamEvent, Text


def plugin(*functions: Callable[..., Any], **marks: bool) -> object:
    """A plugin with these functions as its hook implementations."""
    mark: Any = hookimpl
    return SimpleNamespace(**{f.__name__: mark(**marks)(f) for f in functions})


def request_for(model: str = "test-model", text: str = "Hi") -> ChatRequest:
    return ChatRequest(model=model, messages=(Message(role="user", parts=(Text(text=text),)),))


def context() -> RequestContext:
    return RequestContext(request_id="req_1")


class Recorder:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[StreamEvent] = []
        self.outcomes: list[Outcome] = []

    def on_event(self, event: StreamEvent) -> None:
        self.events.append(event)

    def on_end(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    @property
    def outcome(self) -> Outcome:
        [outcome] = self.outcomes
        return outcome

    def plugin(self) -> object:
        def gateway_observe() -> "Recorder":
            return self

        return plugin(gateway_observe)


def entry_point(name: str, distribution: str, loads: object) -> SimpleNamespace:
    """An entry point as `importlib.metadata` lists them; an exception is raised by loading."""

    def load() -> object:
        if isinstance(loads, BaseException):
            raise loads
        return loads

    dist = SimpleNamespace(name=distribution, version="1.2") if distribution else None
    return SimpleNamespace(name=name, dist=dist, value=f"{name}.plugin", load=load)


def install(monkeypatch: Any, *points: SimpleNamespace) -> None:
    """Make these the installed entry points."""
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: list(points))


def module(name: str) -> ModuleType:
    return ModuleType(name)


def http(gateway: CoreGateway) -> httpx.AsyncClient:
    """A client of the gateway's application, without a network."""
    transport = httpx.ASGITransport(create_app(gateway), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://gateway")
