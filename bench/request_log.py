"""`python -m bench.request_log`: what the request log and the metrics cost, beside none of them.

Gateways with the backend that only says what it was told, so that nothing hides the cost; they
take turns, so that what else the machine does hits all of them alike.
"""

import argparse
import asyncio
import json
import sqlite3
import statistics
import tempfile
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import load
from bench.machine import cpu_seconds, environment, gateway

CONNECTIONS: Final = 16
BODY: Final = json.dumps(
    {"model": "whole", "messages": [{"role": "user", "content": "Hello! How are you?"}]}
).encode()


@dataclass(frozen=True, slots=True)
class Round:
    """Requests per second, and the processor's milliseconds for each."""

    rate: float
    cpu_ms: float


async def fixed_number(url: str, number: int) -> float:
    """The seconds that so many requests take on connections that never rest."""
    request = load.request_bytes(url, BODY)
    open_ = [await load.connect(url) for _ in range(CONNECTIONS)]
    left = iter(range(number))

    async def keep_asking(connection: load.Whole) -> None:
        for _ in left:
            await connection.ask(request)
        connection.transport.close()

    started = asyncio.get_running_loop().time()
    await asyncio.gather(*map(keep_asking, open_))
    return asyncio.get_running_loop().time() - started


def measure(pid: int, url: str, number: int) -> Round:
    """One turn of a gateway."""
    used = cpu_seconds(pid)
    seconds = asyncio.run(fixed_number(url, number))
    return Round(number / seconds, (cpu_seconds(pid) - used) * 1000 / number)


def configurations(database: Path) -> dict[str, dict[str, object]]:
    """The contenders: their `plugins`, by name."""
    log: dict[str, object] = {"request_log": {"database": str(database)}}
    return {"off": {}, "log": log, "metrics": {"metrics": True}}


def take_turns(folder: Path, database: Path, rounds: int, requests: int) -> dict[str, list[Round]]:
    """Measure all contenders in each round, in one order and then in the other."""
    with ExitStack() as stack:
        running = {}
        for contender, plugins in configurations(database).items():
            config = {
                "models": {"whole": {"backend": "echo"}},
                "plugins": {"claude_code": False, **plugins},
            }
            env = environment(folder, "http://127.0.0.1:9", Path("unused"))
            running[contender] = stack.enter_context(gateway(folder / contender, env, config))
        for pid, url in running.values():
            measure(pid, url, 200)  # everything imported, everything warm
        found: dict[str, list[Round]] = {contender: [] for contender in running}
        for number in range(rounds):
            order = list(running)
            for contender in order if number % 2 else reversed(order):
                found[contender].append(measure(*running[contender], requests // rounds))
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000, help="of each gateway in all")
    parser.add_argument("--rounds", type=int, default=40)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dragoman-bench-") as name:
        database = Path(name) / "requests.db"
        rounds = take_turns(Path(name), database, arguments.rounds, arguments.requests)
        with closing(sqlite3.connect(database)) as connection:
            [rows] = connection.execute("SELECT count(*) FROM requests").fetchone()
    show(rounds, rows)


def show(rounds: dict[str, list[Round]], rows: int) -> None:
    """Print the medians, and those of what each round comes to beside "off" in the same round.

    The processor's time is the steadier number.
    """
    off = rounds["off"]
    for name, found in rounds.items():
        rate = statistics.median(one.rate for one in found)
        cpu = statistics.median(one.cpu_ms for one in found)
        pairs = list(zip(found, off, strict=True))
        print(
            f"{name:<8} {rate:6.0f} requests/s, "
            f"x{statistics.median(one.rate / beside.rate for one, beside in pairs):.3f}; "
            f"processor {cpu:.3f} ms each, "
            f"x{statistics.median(one.cpu_ms / beside.cpu_ms for one, beside in pairs):.3f}"
        )
    print(f"{rows} rows were written")


if __name__ == "__main__":
    main()
