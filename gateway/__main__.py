"""Where the command `dragoman` and `python -m gateway` begin.

Everything else is imported after the platform is known, as the gateway uses modules of the
standard library that only Unix has (`fcntl`, `resource`).
"""

import sys
from typing import Final

EXIT_UNSUPPORTED: Final = 2
WINDOWS: Final = (
    "dragoman: Windows is not supported; use WSL 2: `wsl --install` in PowerShell, then in its "
    "Ubuntu `sudo apt install -y pipx`, `pipx install 'WHEEL[cli]'` and "
    "`~/.local/bin/dragoman serve`, which Windows programs reach at http://localhost:3456/v1"
)


def main() -> None:
    """Run the command line, or exit with one line where it can't run."""
    if sys.platform == "win32":
        sys.stderr.write(f"{WINDOWS}\n")
        sys.exit(EXIT_UNSUPPORTED)
    from gateway.cli.main import main as run  # noqa: PLC0415 - see above

    run()


if __name__ == "__main__":
    main()
