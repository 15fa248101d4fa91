"""LiteLLM's proxy with an answer of its own instead of a model's, for comparison."""

import json
import os
import socket
import subprocess
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.machine import program

PACKAGE: Final = "litellm[proxy]==1.108.7"
INSTALL_SECONDS: Final = 900
START_SECONDS: Final = 300
"""It imports for half a minute, and far longer on a busy machine."""
HOME: Final = Path(__file__).parents[1] / ".venv-litellm"


@contextmanager
def running_litellm(
    folder: Path, env: Mapping[str, str], model: str, answer: str
) -> Iterator[tuple[int, str] | None]:
    """Its process id and URL; or None, with a word, if the package is not available.

    It is installed into `.venv-litellm`, once. It asks for no key, as the gateway by default.
    """
    try:
        command = _installed()
    except (OSError, subprocess.SubprocessError) as error:
        print(f"  {PACKAGE} can't be installed: measured without it ({type(error).__name__})")
        yield None
        return
    folder.mkdir()
    parameters = {"model": f"openai/{model}", "api_key": "made-up", "mock_response": answer}
    config = {"model_list": [{"model_name": model, "litellm_params": parameters}]}
    path = folder / "config.yaml"
    path.write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    variables = {
        **env,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it asks the network for the prices
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
    }
    arguments = ["--config", str(path), "--host", "127.0.0.1", "--port", str(port)]
    serving = program(
        [str(command), *arguments, "--telemetry", "False"], variables, folder,
        "Application startup complete", START_SECONDS,
    )  # fmt: skip
    with serving as (pid, _):
        yield pid, f"http://127.0.0.1:{port}"


def _installed() -> Path:
    """The command, in an environment of its own. Raises what installing raises."""
    command = HOME / "bin" / "litellm"
    if not command.is_file():
        print(f"  installing {PACKAGE} …", flush=True)
        venv.create(HOME, with_pip=True, clear=True)
        install = [str(HOME / "bin" / "python"), "-m", "pip", "install", "--quiet", PACKAGE]
        subprocess.run(
            install, check=True, timeout=INSTALL_SECONDS, capture_output=True, env=os.environ
        )
    return command
