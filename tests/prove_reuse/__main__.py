"""`make prove-reuse`: thousands of random sequences, and each conversation lived through anew."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import anyio

from tests.prove_reuse.run import run


def main() -> None:
    arguments = _arguments()
    print(f"seed {arguments.seed}, {arguments.sequences} sequences", flush=True)
    with tempfile.TemporaryDirectory(prefix="dragoman-prove-") as folder:
        proof = anyio.run(
            run, Path(folder), arguments.sequences, arguments.seed, arguments.compared
        )
    print("\n".join(proof.lines()))
    sys.exit(bool(proof.problems))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make prove-reuse", description=__doc__)
    parser.add_argument("--sequences", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument(
        "--compared", type=int, metavar="N", help="conversations to live through anew; default all"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
