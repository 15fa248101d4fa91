"""Thinking in `encrypted_content`, there and back."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.types import Thinking
from gateway_openai_responses.thinking import PREFIX, opened, sealed

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


@given(text=texts, signature=texts)
def test_there_and_back(text: str, signature: str) -> None:
    thinking = Thinking(text=text, signature=signature)
    assert opened(sealed(thinking) or "") == thinking


def test_it_begins_with_whose_it_is_and_its_version() -> None:
    assert (sealed(Thinking(text="a", signature="b")) or "").startswith("dragoman1.")


def test_half_a_character_is_no_failure() -> None:
    assert opened(sealed(Thinking(text="\ud83d", signature="s")) or "") is not None


def test_without_a_signature_there_is_nothing_to_prove() -> None:
    assert sealed(Thinking(text="a")) is None


def in_base64(text: bytes) -> str:
    return PREFIX + base64.b64encode(text).decode()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "gAAAAABo",
        PREFIX,
        PREFIX + "?",
        PREFIX + "é",
        in_base64(b"no JSON"),
        in_base64(b'["a"]'),
        in_base64(b'["a", 1]'),
        in_base64(b"\xff"),
        in_base64(b"[" * 100_000),
        "dragoman2." + base64.b64encode(b'["a", "b"]').decode(),
    ],
)
def test_what_is_not_ours_or_was_cut_is_nothing(content: str) -> None:
    assert opened(content) is None
