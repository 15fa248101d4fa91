"""`python -m bench.cache_cost`: what prompts cost upstream, by a model of the API's prompt cache.

Clients talk with the gateway, and with a process for each request; the real CLI sends its requests
to the stand-in, and `prompt_cache` prices their bodies. The same conversations are priced for a
client that asks the API itself and marks as well as can be. What the model answers is free here, as
it costs the same for all. No request leaves the machine.
"""

import argparse
import itertools
import json
import os
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from bench import cases
from bench.cache_cost_report import WHO, Recorded, priced, svg, table, targets
from bench.cases import Body
from bench.compare import PAUSE, Comparison
from bench.contenders import launch_in
from bench.machine import Served, add_reuse, cli_config, environment, gateway, machine
from bench.prompt_cache import Rules
from bench.report import target_table
from bench.talks import ANSWER, NAMES, TOOL_TURNS, Shape, shapes, words
from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.process.command import find_cli
from gateway_claude_code.upstream import (
    Answer,
    MessagesRequest,
    TextBlock,
    ToolUseBlock,
    running_upstream,
)

HERE: Final = Path(__file__).parent
DOCS: Final = HERE.parent / "docs"
PREFIX: Final = "mcp__t__"


class _Model:
    """What the stand-in says: rounds of calls where tools are offered, then half a page of text."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []

    def __call__(self, request: MessagesRequest) -> Answer:
        text = words(ANSWER, f"answer {len(self.answers)}")
        results = str(request.messages).count("'tool_result'")
        block: TextBlock | ToolUseBlock = TextBlock(text)
        if request.tools and results < TOOL_TURNS:
            name = PREFIX + NAMES[results % len(NAMES)]
            block = ToolUseBlock(name, {"path": text[:80], "pattern": text[-40:]})
        self.answers.append(Answer(blocks=(block,)))
        return self.answers[-1]

    def message(self) -> Body:
        """The last answer, as it is in the client's history."""
        [block] = self.answers[-1].blocks
        if isinstance(block, ToolUseBlock):
            function = {
                "name": block.name.removeprefix(PREFIX),
                "arguments": json.dumps(block.input),
            }
            calls = [{"id": block.id, "type": "function", "function": function}]
            return {"role": "assistant", "content": None, "tool_calls": calls}
        assert isinstance(block, TextBlock)
        return {"role": "assistant", "content": block.text}


def main() -> None:
    arguments = _arguments()
    cli = find_cli(ClaudeCodeConfig(), os.environ)
    with tempfile.TemporaryDirectory(prefix="dragoman-cache-") as name:
        recorded = _record(Path(name), cli, arguments)
    found = [priced(each, Rules()) for each in recorded]
    with_line = [priced(each, Rules(billing_line=True)) for each in recorded]
    wanted = list(targets(found))
    lines = ["# Cost upstream", "", machine(cli) + ".", "", *table(found, with_line)]
    text = "\n".join([*lines, *target_table(wanted)]) + "\n"
    print(text)
    if len(recorded) == len(WHO) * len(list(shapes())):
        arguments.into.mkdir(parents=True, exist_ok=True)
        (HERE / "cache_cost.md").write_text(text, encoding="utf-8")
        (arguments.into / "cache_cost.svg").write_text(svg(found), encoding="utf-8")
    missed = sum(not target.held for target in wanted)
    print(f"{missed} failed, {len(wanted) - missed} passed")
    sys.exit(bool(missed))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.cache_cost", description=__doc__)
    parser.add_argument("--only", help="shapes that have this in their name; only printed")
    parser.add_argument("--into", type=Path, default=DOCS, help="the folder for cache_cost.svg")
    add_reuse(parser)
    return parser.parse_args()


def _record(folder: Path, cli: Path, arguments: argparse.Namespace) -> list[Recorded]:
    recorded, model = [], _Model()
    with running_upstream(model) as upstream:
        env = environment(folder, upstream.url, cli)
        with gateway(folder / "gateway", env, cli_config(cases.MODEL, arguments.reuse)) as (
            pid,
            url,
        ):
            comparison = Comparison(upstream, launch_in(env), Served(pid, url), None)
            comparison.until_quiet()
            chosen = [each for each in shapes() if (arguments.only or "") in each.name]
            with suppress(KeyboardInterrupt):  # what there is by then is priced
                for who, shape in itertools.product(WHO, chosen):
                    print(f"{shape.name}, {who} …", flush=True)
                    recorded.append(_play(comparison, model, shape, who))
    return recorded


def _play(comparison: Comparison, model: _Model, shape: Shape, who: str) -> Recorded:
    requests = comparison.upstream.requests
    begins = [len(requests)]
    ask = comparison.servers()[who]

    def answer(body: Body) -> Body:
        time.sleep(PAUSE)
        message = ask(body).message or model.message()
        begins.append(len(requests))
        return message

    played = shape.play(answer)
    upstream = [
        [(request.received, request.body) for request in requests[first:end]]
        for first, end in itertools.pairwise(begins)
    ]
    return Recorded(shape.name, who, played.sent, played.own, upstream)


if __name__ == "__main__":
    main()
