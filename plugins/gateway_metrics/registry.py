"""All metrics of one gateway, in a registry of its own."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, get_args

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.registry import Collector

from gateway.backend_status import Account, BackendStatus, Quota, QuotaWindow, read_status
from gateway.context import Outcome, OutcomeStatus, RequestContext
from gateway.errors import GatewayError
from gateway.types import Usage

SECONDS: Final = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
"""Bounds of the histograms: from a process that waits to an answer with much thinking."""

STAGES: Final = ("queue", "asked", "first_token", "total")

STALL_MS: Final = "_stall_ms"

MOST_MODELS: Final = 100
"""How many models have series of their own: patterns of the model map let clients make up names."""

OTHER: Final = "other"
"""The label for names that clients can make up: each would be another series."""


class Metrics:
    """The counters and histograms."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._series: dict[str, _Series] = {}
        counter = partial(Counter, registry=self.registry)
        self._http = counter(
            "dragoman_http_requests",
            "HTTP requests by route and status, including rejected ones.",
            ("endpoint", "status"),
        )
        self._answers = counter(
            "dragoman_answers",
            "Answers by requested model, and how they ended.",
            ("model", "status"),
        )
        self._errors = counter(
            "dragoman_errors",
            "Answers that failed, by model and the error's code.",
            ("model", "code"),
        )
        self._tokens = counter(
            "dragoman_tokens",
            "Tokens by model and kind; input, cache_read and cache_write do not overlap, "
            "and reasoning is part of output.",
            ("model", "kind"),
        )
        self._cost = counter(
            "dragoman_cost_usd",
            "Cost of answers by model, in US dollars, as the backend reports it.",
            ("model",),
        )
        self._seconds = Histogram(
            "dragoman_answer_seconds",
            "From a request's arrival to: the end of the queue (queue), the hand-over to the model "
            "(asked), the first token (first_token), the end of the answer (total).",
            ("model", "stage"),
            buckets=SECONDS,
            registry=self.registry,
        )

    def count_http(self, endpoint: str | None, status: int) -> None:
        """Count an HTTP request; `endpoint` is a route's path, None where nothing is served."""
        self._http.labels(endpoint or OTHER, str(status)).inc()

    def count_answer(self, model: str, ctx: RequestContext, outcome: Outcome) -> None:
        """Count an answer that has ended."""
        series = self._of_model(model, ctx)
        series.answers[outcome.status].inc()
        if outcome.status == "failed":
            self._errors.labels(series.model, code_of(outcome.error)).inc()
        if outcome.usage is not None:
            for kind, number in tokens(outcome.usage).items():
                series.tokens[kind].inc(number)
        for stage, seconds in (
            ("queue", ctx.timings.get("ready")),
            ("asked", ctx.timings.get("asked")),
            ("first_token", outcome.first_token),
            ("total", outcome.duration),
        ):
            if seconds is not None:
                series.seconds[stage].observe(seconds)

    def count_cost(self, model: str, ctx: RequestContext, usd: float) -> None:
        """Add the cost of an answer, in US dollars."""
        self._of_model(model, ctx).cost.inc(usd)

    def _of_model(self, model: str, ctx: RequestContext) -> "_Series":
        if ctx.target is None or (model not in self._series and len(self._series) >= MOST_MODELS):
            model = OTHER
        if model not in self._series:
            self._series[model] = _Series(
                model,
                {status: self._answers.labels(model, status) for status in get_args(OutcomeStatus)},
                {kind: self._tokens.labels(model, kind) for kind in tokens(Usage())},
                {stage: self._seconds.labels(model, stage) for stage in STAGES},
                self._cost.labels(model),
            )
        return self._series[model]


@dataclass(frozen=True, slots=True)
class _Series:
    """A model's own, so that they need not be looked up by their labels for each answer."""

    model: str
    answers: dict[str, Counter]
    tokens: dict[str, Counter]
    seconds: dict[str, Histogram]
    cost: Counter


def code_of(error: BaseException | None) -> str:
    """The code of a failure, as clients and the request log have it."""
    if not isinstance(error, GatewayError):
        return "internal_error"
    return error.code or f"status_{error.status}"


def tokens(usage: Usage) -> dict[str, int]:
    """By kind."""
    return {
        "input": usage.input_tokens,
        "cache_read": usage.cache_read_tokens,
        "cache_write": usage.cache_write_tokens,
        "output": usage.output_tokens,
        "reasoning": usage.reasoning_tokens,
    }


class HealthCollector(Collector):
    """The backends' parts of `GET /health` as metrics: processes, their origin, quota, account.

    It is given the report before each scrape; missing parts are left out.
    """

    def __init__(self) -> None:
        self.report: dict[str, Any] = {}

    def describe(self) -> Iterable[Metric]:
        """Nothing that is known before there is a report."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Called by the registry."""
        families = BackendFamilies()
        for backend, part in self.report.items():
            if (status := read_status(part)) is not None:
                families.add(backend, status)
        yield from families.all
        yield from self._loop()

    def _loop(self) -> Iterator[Metric]:
        stalls = GaugeMetricFamily(
            "dragoman_loop_stall_seconds",
            "The longest time that the event loop was blocked: since the start (longest), "
            "and in the last five minutes (recent).",
            labels=("since",),
        )
        for name, number in self.report.get("loop", {}).items():
            if name.endswith(STALL_MS):
                stalls.add_metric((name.removesuffix(STALL_MS),), number / 1000)
        yield stalls


class BackendFamilies:
    """The metrics of all backends, each with the plugin's name as the label `backend`."""

    def __init__(self) -> None:
        self._processes = GaugeMetricFamily(
            "dragoman_processes", "Processes of a backend by state.", labels=("backend", "state")
        )
        self._waiting = GaugeMetricFamily(
            "dragoman_queue_length", "Requests waiting for a process.", labels=("backend",)
        )
        self._taken = CounterMetricFamily(
            "dragoman_processes_taken",
            "Answers by where their process came from: live (it had the conversation), spare "
            "(started ahead) or cold.",
            labels=("backend", "kind"),
        )
        self._utilization = GaugeMetricFamily(
            "dragoman_quota_utilization",
            "Used part of a window of the plan's quota, 0 to 1.",
            labels=("backend", "window"),
        )
        self._resets = GaugeMetricFamily(
            "dragoman_quota_reset_timestamp_seconds",
            "Unix time at which a window of the plan's quota resets.",
            labels=("backend", "window"),
        )
        self._refused = GaugeMetricFamily(
            "dragoman_account_refused",
            "1 while the account of a backend is refused: plan_used_up, spend_limit, extra_usage "
            "or billing.",
            labels=("backend", "state"),
        )

    @property
    def all(self) -> tuple[Metric, ...]:
        """In the order in which they are shown."""
        return (
            self._processes,
            self._waiting,
            self._taken,
            self._utilization,
            self._resets,
            self._refused,
        )

    def add(self, backend: str, status: BackendStatus) -> None:
        """Add a sample for each number that the backend reports."""
        if (state := status.get("account", Account()).get("state")) is not None:
            self._refused.add_metric((backend, state), 1)
        for state, number in status.get("processes", {}).items():
            if state == "waiting":
                self._waiting.add_metric((backend,), number)
            else:
                self._processes.add_metric((backend, state), number)
        for kind, number in status.get("taken", {}).items():
            self._taken.add_metric((backend, kind), number)
        for window, values in status.get("quota", Quota()).get("windows", {}).items():
            self._add_window((backend, window), values)

    def _add_window(self, labels: tuple[str, str], window: QuotaWindow) -> None:
        if (used := window.get("utilization")) is not None:
            self._utilization.add_metric(labels, used)
        if (resets_at := window.get("resets_at")) is not None:
            self._resets.add_metric(labels, resets_at)
