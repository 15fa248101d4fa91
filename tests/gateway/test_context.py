"""What goes along with a request."""

from gateway.context import RequestContext


def test_marks_are_seconds_since_arrival_and_the_last_one_counts() -> None:
    ctx = RequestContext(request_id="r", started=0.0)
    ctx.mark("ready")
    first = ctx.timings["ready"]
    ctx.mark("asked")
    ctx.mark("ready")
    assert 0 < first <= ctx.timings["asked"] <= ctx.timings["ready"]


def test_fields_are_named_as_the_client_does() -> None:
    ctx = RequestContext(request_id="r", names={"max_tokens": "max_output_tokens"})
    ctx.ignore(["max_tokens", "seed", "max_output_tokens"])
    ctx.adjust({"max_tokens": 5, "effort": "low"})
    assert ctx.ignored == ["max_output_tokens", "seed"]
    assert ctx.headers["x-dragoman-adjusted"] == "max_output_tokens=5,effort=low"
