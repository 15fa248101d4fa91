"""The files that `dragoman plugins new` writes. Pure: paths and texts."""

from pathlib import Path

PLUGIN = '''\
"""What {name} is for."""

from dataclasses import replace

from gateway import hookimpl
from gateway.context import RequestContext
from gateway.types import ChatRequest


@hookimpl
def gateway_transform_request(request: ChatRequest, ctx: RequestContext) -> ChatRequest | None:
    """Called with each request; return a changed one, or None to leave it."""
    return replace(request, system=f"{{request.system}}\\nBe brief.".strip())
'''

TEST = """\
import asyncio
{imports}
from gateway.testing import serving

{setup}
def test_{name}() -> None:
    async def scenario() -> None:
        async with serving({plugin}) as served:
            assert await served.say("Hi") == "Hello there"
            assert served.backend.requests[0].system == "Be brief."

    asyncio.run(scenario())
"""

PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "dragoman-{dashed}"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["dragoman"]

[project.entry-points.dragoman]
{name} = "dragoman_{name}"

[tool.hatch.build.targets.wheel]
packages = ["dragoman_{name}"]
"""


def single_file(name: str) -> dict[Path, str]:
    """A file to lie beside the YAML, and its test."""
    test = TEST.format(
        name=name,
        imports="from pathlib import Path\n",
        setup=f'PLUGIN = Path(__file__).parent.parent / "plugins" / "{name}.py"\n\n',
        plugin="PLUGIN",
    )
    return {
        Path("plugins", f"{name}.py"): PLUGIN.format(name=name),
        Path("tests", f"test_{name}.py"): test,
    }


def package_files(name: str) -> dict[Path, str]:
    """A distribution with an entry point, and its test, which takes it as it is installed."""
    dashed = name.replace("_", "-")
    folder = Path(f"dragoman-{dashed}")
    test = TEST.format(name=name, imports="", setup="", plugin=f'installed=("{name}",)')
    return {
        folder / "pyproject.toml": PYPROJECT.format(name=name, dashed=dashed),
        folder / f"dragoman_{name}" / "__init__.py": PLUGIN.format(name=name),
        folder / "tests" / f"test_{name}.py": test,
    }
