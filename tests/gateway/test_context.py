"""What goes along with a request."""

from gateway.context import RequestContext


def test_marks_are_seconds_since_arrival_and_the_last_one_counts() -> None:
    ctx = RequestContext(request_id="r", started=0.0)
    ctx.mark("ready")
    first = ctx.timings["ready"]
    ctx.mark("asked")
    ctx.mark("ready")
    assert 0 < first <= ctx.timings["asked"] <= ctx.timings["ready"]
