"""The README says what the code says."""

from pathlib import Path

from gateway_openai.fields import markdown_table

README = Path(__file__).parent.parent / "README.md"


def test_the_table_of_fields_is_the_code_s_own() -> None:
    text = README.read_text(encoding="utf-8")
    between = text.split("<!-- fields: begin -->")[1].split("<!-- fields: end -->")[0]
    assert between.strip() == markdown_table().strip()
