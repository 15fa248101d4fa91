"""The README says what the code says."""

from pathlib import Path

import pytest

from gateway.config import LimitsConfig
from gateway_openai.field_rows import CHAT, COMPLETIONS
from gateway_openai.fields import FieldTable

README = Path(__file__).parent.parent / "README.md"


@pytest.mark.parametrize(("mark", "table"), [("fields", CHAT), ("completions", COMPLETIONS)])
def test_the_tables_of_fields_are_the_code_s_own(mark: str, table: FieldTable) -> None:
    text = README.read_text(encoding="utf-8")
    between = text.split(f"<!-- {mark}: begin -->")[1].split(f"<!-- {mark}: end -->")[0]
    assert between.strip() == table.markdown().strip()


def test_every_limit_stands_in_the_table_with_its_default() -> None:
    text = README.read_text(encoding="utf-8")
    table = text.split("### Limits\n")[1].split("\n### ")[0]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| `")]
    said = {
        key.strip(" `"): float(default)
        for _, keys, defaults, *_ in rows
        for key, default in zip(keys.split(","), defaults.split(","), strict=True)
    }
    assert said == LimitsConfig().model_dump()
