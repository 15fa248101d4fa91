"""All metrics of one gateway, in a registry of its own."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, get_args

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.registry import Collector

from gateway.context import Outcome, OutcomeStatus, RequestContext
from gateway.errors import GatewayError
from gateway.types import Usage

SECONDS: Final = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
"""Bounds of the histograms: from a process that waits to an answer with much thinking."""

STAGES: Final = ("queue", "asked", "first_token", "total")

MOST_MODELS: Final = 100
"""How many models have series of their own: patterns of the model map let clients make up names."""

OTHER: Final = "other"
"""For what clients can make up, and that would make series without an end."""


class Metrics:
    """What is counted, and how."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._series: dict[str, _Series] = {}
        self._http = Counter(
            "dragoman_http_requests",
            "HTTP requests by route and status, refused ones included.",
            ("endpoint", "status"),
            registry=self.registry,
        )
        self._answers = Counter(
            "dragoman_answers",
            "Answers by model as it was asked for, and how they ended.",
            ("model", "status"),
            registry=self.registry,
        )
        self._errors = Counter(
            "dragoman_errors",
            "Answers that failed, by model and the error's code.",
            ("model", "code"),
            registry=self.registry,
        )
        self._tokens = Counter(
            "dragoman_tokens",
            "Tokens by model and kind; input, cache_read and cache_write do not overlap, "
            "and reasoning is part of output.",
            ("model", "kind"),
            registry=self.registry,
        )
        self._cost = Counter(
            "dragoman_cost_usd",
            "What answers cost by model, in US dollars, as the backend works it out.",
            ("model",),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "dragoman_answer_seconds",
            "From a request's arrival to: the end of waiting in line (queue), being handed over to "
            "the model (asked), the first token (first_token), the end of the answer (total).",
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
        """Add what an answer cost, in US dollars."""
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
    """What backends report for `GET /health`, as metrics: processes, their origin, quota, account.

    It is given the report before each scrape; what a report does not have is left out.
    """

    def __init__(self) -> None:
        self.report: dict[str, Any] = {}

    def describe(self) -> Iterable[Metric]:
        """Nothing that is known before there is a report."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Called by the registry."""
        processes = GaugeMetricFamily(
            "dragoman_processes", "Processes of a backend by state.", labels=("backend", "state")
        )
        waiting = GaugeMetricFamily(
            "dragoman_queue_length", "Requests that wait for a process.", labels=("backend",)
        )
        taken = CounterMetricFamily(
            "dragoman_processes_taken",
            "Answers by where their process came from: live (it had the conversation), spare "
            "(started ahead) or cold.",
            labels=("backend", "kind"),
        )
        utilization = GaugeMetricFamily(
            "dragoman_quota_utilization",
            "How much of a window of the plan's quota is used, 0 to 1.",
            labels=("backend", "window"),
        )
        resets = GaugeMetricFamily(
            "dragoman_quota_reset_timestamp_seconds",
            "When a window of the plan's quota resets, in Unix time.",
            labels=("backend", "window"),
        )
        refused = GaugeMetricFamily(
            "dragoman_account_refused",
            "1 while the account of a backend is refused: plan_used_up, spend_limit, extra_usage "
            "or billing.",
            labels=("backend", "state"),
        )
        for backend, part in self.report.items():
            if (state := _account_state(part)) is not None:
                refused.add_metric((backend, state), 1)
            for state, number in _numbers(part, "processes"):
                if state == "waiting":
                    waiting.add_metric((backend,), number)
                else:
                    processes.add_metric((backend, state), number)
            for kind, number in _numbers(part, "taken"):
                taken.add_metric((backend, kind), number)
            for window, values in _windows(part):
                for name, family in (("utilization", utilization), ("resets_at", resets)):
                    if isinstance(values.get(name), int | float):
                        family.add_metric((backend, window), values[name])
        yield from (processes, waiting, taken, utilization, resets, refused)
        yield from self._loop()

    def _loop(self) -> Iterator[Metric]:
        stalls = GaugeMetricFamily(
            "dragoman_loop_stall_seconds",
            "The longest time in which the event loop served nobody: since the start (longest), "
            "and in the last five minutes (recent).",
            labels=("since",),
        )
        for name, milliseconds in _numbers(self.report, "loop"):
            stalls.add_metric((name.removesuffix("_stall_ms"),), milliseconds / 1000)
        yield stalls


def _numbers(part: object, key: str) -> list[tuple[str, float]]:
    values = part.get(key) if isinstance(part, dict) else None
    if not isinstance(values, dict):
        return []
    return [(name, number) for name, number in values.items() if isinstance(number, int | float)]


def _account_state(part: object) -> str | None:
    account = part.get("account") if isinstance(part, dict) else None
    state = account.get("state") if isinstance(account, dict) else None
    return state if isinstance(state, str) else None


def _windows(part: object) -> list[tuple[str, dict[str, Any]]]:
    quota = part.get("quota") if isinstance(part, dict) else None
    windows = quota.get("windows") if isinstance(quota, dict) else None
    if not isinstance(windows, dict):
        return []
    return [(name, values) for name, values in windows.items() if isinstance(values, dict)]
