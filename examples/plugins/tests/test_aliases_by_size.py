import asyncio
from pathlib import Path

from gateway.testing import SCRIPTED, request, serving

PLUGIN = Path(__file__).parent.parent / "aliases_by_size.py"
MODELS = {"my-haiku-9": {"backend": SCRIPTED}}


def test_a_size_leads_to_a_model() -> None:
    async def scenario() -> None:
        async with serving(PLUGIN, config={"models": MODELS}) as served:
            await served.ask(request(model="small"))
            assert served.backend.targets[0].name == "my-haiku-9"

    asyncio.run(scenario())
