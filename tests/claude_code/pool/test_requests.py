"""What the backend makes of a request before it starts a process."""

import re

import pytest

from gateway.errors import ModelNotFound
from gateway.types import Target
from gateway_claude_code.request.prepare import model_name
from gateway_claude_code.request.tools.call_ids import api_id
from gateway_claude_code.request.tools.call_input import call_input


@pytest.mark.parametrize("name", ["", "a b", "-x", "x\0", "a\nb", "é", "x" * 257])
def test_what_can_be_no_model_name_is_not_found(name: str) -> None:
    with pytest.raises(ModelNotFound):
        model_name(Target(model="m", backend="claude-code", name=name))


@pytest.mark.parametrize(
    "name", ["opus", "claude-sonnet-4-5@20250929", "us.anthropic.claude-v1:0", "sonnet[1m]"]
)
def test_model_names_of_all_providers(name: str) -> None:
    assert model_name(Target(model="m", backend="claude-code", name=name)) == name


@pytest.mark.parametrize("arguments", ['{"x": NaN}', '{"x": -Infinity}', "[1]", "nonsense"])
def test_arguments_that_are_no_json_object_are_kept_as_text(arguments: str) -> None:
    assert call_input(arguments) == {"arguments": arguments}


def test_ids_are_put_into_the_alphabet_of_the_api() -> None:
    assert re.fullmatch(r"functions_f_0_[0-9a-f]{8}", api_id("functions.f:0"))


def test_different_ids_of_calls_stay_different() -> None:
    ids = ("a:1", "a.1", "a_1", "é", "ü")
    assert len({api_id(call_id) for call_id in ids}) == len(ids)
