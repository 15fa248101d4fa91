"""The names of the client's tools: as the API takes them, and back."""

import pytest

from gateway_claude_code.request.tools.tool_names import ToolNames


@pytest.mark.parametrize(
    ("name", "inner"),
    [
        ("look", "look"),
        ("look-up_2", "look-up_2"),
        ("get.time", "get_time"),
        ("files/read", "files_read"),
        ("täglich", "t_glich"),
        ("a b", "a_b"),
    ],
)
def test_a_name_becomes_one_that_the_api_takes(name: str, inner: str) -> None:
    assert ToolNames([name]).to_model(name) == f"mcp__t__{inner}"


@pytest.mark.parametrize("name", ["look", "get.time", "a b", "mcp__t__x"])
def test_a_name_comes_back_as_it_was(name: str) -> None:
    names = ToolNames([name])
    assert names.from_model(names.to_model(name)) == name


def test_names_that_become_alike_stay_apart() -> None:
    names = ToolNames(["a.b", "a b", "a/b"])
    assert [names.inner(name) for name in ("a.b", "a b", "a/b")] == ["a_b", "a_b_2", "a_b_3"]


def test_names_that_become_alike_come_back_as_they_were() -> None:
    names = ToolNames(["a.b", "a b"])
    assert [names.from_model(names.to_model(name)) for name in ("a.b", "a b")] == ["a.b", "a b"]


def test_a_name_that_is_fine_stays_whatever_comes_before_it() -> None:
    assert ToolNames(["a.b", "a_b"]).inner("a_b") == "a_b"


def test_a_name_of_the_history_is_added_when_it_is_met_and_can_be_called_no_more() -> None:
    names = ToolNames(["a.b"])
    assert names.to_model("a b") == "mcp__t__a_b_2"
    assert names.from_model("mcp__t__a_b_2") is None


@pytest.mark.parametrize(
    "name",
    ["look", "mcp__t__other", "mcp__t__", "mcp__other__look", "Bash", "StructuredOutput", ""],
)
def test_a_name_that_the_model_made_up_is_no_tools(name: str) -> None:
    assert ToolNames(["look"]).from_model(name) is None
