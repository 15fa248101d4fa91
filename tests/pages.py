"""What the README and the pages of docs/ show to be typed or pasted, for the tests that run it.

A client's snippet follows the comment `<!-- client: NAME -->`. It may stand on several pages, and
then has to be the same on each.
"""

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
README: Final = ROOT / "README.md"
PAGES: Final = (README, ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md")))
USUAL_URL: Final = "http://127.0.0.1:3456"
"""The gateway's address in all of them."""

BLOCK: Final = re.compile(
    r"^(?:<!-- client: (?P<client>[\w-]+) -->\n)?```(?P<language>\w+)\n(?P<code>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


def blocks(page: Path, *languages: str) -> list[str]:
    """The code of a page's blocks in these languages, in order."""
    text = page.read_text(encoding="utf-8")
    return [found["code"] for found in BLOCK.finditer(text) if found["language"] in languages]


def clients() -> dict[str, dict[str, str]]:
    """Each client's snippet: its code by page, by client."""
    found: dict[str, dict[str, str]] = {}
    for page in PAGES:
        for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
            if name := block["client"]:
                found.setdefault(name, {})[page.name] = block["code"]
    return found


def snippet(client: str) -> str:
    """A client's snippet. `KeyError` if no page has it."""
    [code, *others] = clients()[client].values()
    assert all(other == code for other in others), f"the pages differ for {client!r}"
    return code
