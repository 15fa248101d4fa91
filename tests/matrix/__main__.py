"""`make matrix`: run the matrix, and write docs/matrix.md."""

import argparse
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from gateway_claude_code.config import ClaudeCodeConfig
from gateway_claude_code.process.command import find_cli
from gateway_claude_code.upstream import offline_script, running_upstream
from tests.matrix.report import page
from tests.matrix.run import Outcome, every_model, matrix_gateway, run

PAGE = Path(__file__).parent.parent.parent / "docs" / "matrix.md"


def main() -> None:
    arguments = _arguments()
    command = str(find_cli(ClaudeCodeConfig(), {"PATH": "/usr/local/bin:/usr/bin:/bin"}))
    version = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    with (
        tempfile.TemporaryDirectory(prefix="dragoman-matrix-") as name,
        running_upstream(offline_script) as upstream,
        matrix_gateway(Path(name), upstream, command) as gateway,
    ):
        outcomes = run(gateway, arguments.models or every_model(), note=_say)
    wrong = [outcome for outcome in outcomes if outcome.problem is not None]
    if not arguments.models:
        today = datetime.now(UTC).date().isoformat()
        PAGE.write_text(page(outcomes, version.stdout.split()[0], today), encoding="utf-8")
    print(f"{len(outcomes) - len(wrong)} passed, {len(wrong)} failed")
    sys.exit(bool(wrong))


def _say(outcome: Outcome) -> None:
    if outcome.problem is not None:
        print(f"{outcome.model}, {outcome.cell}: {outcome.problem}", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make matrix", description=__doc__)
    parser.add_argument("models", nargs="*", help="only these; then no page is written")
    return parser.parse_args()


if __name__ == "__main__":
    main()
