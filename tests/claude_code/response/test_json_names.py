"""The client's JSON out of the model's, whatever pieces it comes in."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_claude_code.request.answer_schemas.output_format import OutputFormat
from gateway_claude_code.response.json_names import Renamer, Restorer, Unwrapper
from tests.work import is_linear

NAMES = {"first_name": "first name", "grosse": "größe", "q": 'a "quoted" \\ name'}
KEYS = st.sampled_from([*NAMES, "a", "value", "first name"]) | st.text(max_size=5)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.sampled_from([*NAMES, '{"q":', "\\", '"', "], }"])
)  # fmt: skip
VALUES = st.recursive(
    SCALARS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)


def renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {NAMES.get(key, key): renamed(item) for key, item in value.items()}
    return [renamed(item) for item in value] if isinstance(value, list) else value


def distinct_names(value: Any) -> bool:
    """Whether no two properties get one name, which a schema's own never do."""
    if isinstance(value, list):
        return all(map(distinct_names, value))
    if not isinstance(value, dict):
        return True
    return len(renamed(value)) == len(value) and all(map(distinct_names, value.values()))


def pieces_of(data: st.DataObject, text: str) -> list[str]:
    ends = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=20)))
    return [text[a:b] for a, b in zip([0, *ends], [*ends, len(text)], strict=True)]


def fed(stage: Renamer | Unwrapper | Restorer, *pieces: str) -> str:
    return "".join(map(stage.feed, pieces)) + stage.end()


# -- names --------------------------------------------------------------------------------


@given(
    data=st.data(),
    value=OBJECTS.filter(distinct_names),
    indent=st.sampled_from([None, 0, 2]),
    ascii_only=st.booleans(),
)
def test_names_are_replaced_for_any_value_and_any_pieces(
    data: st.DataObject, value: Any, indent: int | None, *, ascii_only: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    answer = fed(Renamer(NAMES), *pieces_of(data, text))
    assert json.loads(answer) == renamed(value)
    assert list(json.loads(answer)) == list(renamed(value))


@given(data=st.data(), text=st.text(alphabet='{}[]",:\\ \nq') | st.text())
def test_any_text_without_those_names_stays_as_it_is(data: st.DataObject, text: str) -> None:
    assert fed(Renamer({"first_name": "x"}), *pieces_of(data, text)) == text


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        (['{"', "q", '":', " 1}"], ["{", "", '"a \\"quoted\\" \\\\ name":', " 1}"]),
        (['{"\\u0071"', ":1}"], ['{"a \\"quoted\\" \\\\ name"', ":1}"]),
        (['{"a\\', '"b": "q"', "}"], ["{", '"a\\"b": "q"', "}"]),
        (['{"x": "q", "y": ["q", {"q": "q"}]}'], ['{"x": "q", "y": ["q", {"a \\"quoted\\" \\\\ name": "q"}]}']),
        ([" ", '[{"q":1}]'], [" ", '[{"a \\"quoted\\" \\\\ name":1}]']),
        (['Use {"q": 1}.'], ['Use {"q": 1}.']),
        (['"q"'], ['"q"']),
    ],
)  # fmt: skip
def test_a_piece_is_passed_on_up_to_the_name_that_it_begins(
    pieces: list[str], shown: list[str]
) -> None:
    renamer = Renamer(NAMES)
    assert [renamer.feed(piece) for piece in pieces] == shown
    assert renamer.end() == ""


@pytest.mark.parametrize("text", ['{"first_na', '{"a": 1, "', '{"a": "b', '{"\\', "{"])
def test_what_was_cut_is_whole(text: str) -> None:
    assert fed(Renamer(NAMES), text) == text
    assert fed(Renamer(NAMES), *text) == text


def test_a_name_that_never_ends_is_not_held() -> None:
    renamer = Renamer(NAMES)
    shown = "".join(renamer.feed("x" * 100 if number else '{"') for number in range(100))
    assert len(shown) > 9000


@pytest.mark.parametrize(
    ("text", "changed"), [('{"q": 1}', True), ('{"a": "q"}', False), ("q", False)]
)
def test_whether_a_name_was_replaced(text: str, *, changed: bool) -> None:
    renamer = Renamer(NAMES)
    fed(renamer, text)
    assert renamer.renamed is changed


def test_long_texts_take_linear_time() -> None:
    def texts(size: int) -> Callable[[], object]:
        text = json.dumps([{"first_name": "x\\" * 50, "b": [1, {}]}] * size)

        def work() -> None:
            fed(Renamer(NAMES), *text)
            fed(Unwrapper(), *f'{{"value": {text}}}')
            fed(Unwrapper(), *(" " * 100 * size))

        return work

    assert is_linear(texts, 20)


# -- the wrapper --------------------------------------------------------------------------


@given(data=st.data(), value=VALUES, indent=st.sampled_from([None, 2]))
def test_any_value_is_unwrapped_from_any_pieces(
    data: st.DataObject, value: Any, indent: int | None
) -> None:
    text = json.dumps({"value": value}, indent=indent)
    unwrapper = Unwrapper()
    assert json.loads(fed(unwrapper, *pieces_of(data, text))) == value
    assert unwrapper.found


@pytest.mark.parametrize(
    "text",
    ["Let me look.", '{"other": 1}', '{"value" 1}', "[1, 2]", " \n", "", '"value"', "{}", '{"va"'],
)
def test_other_text_stays_as_it_is(text: str) -> None:
    for pieces in ([text], list(text)):
        unwrapper = Unwrapper()
        assert fed(unwrapper, *pieces) == text
        assert not unwrapper.found


@pytest.mark.parametrize("text", ["{", '{"val', '{"value"', ' { "value" : '])
def test_a_wrapper_that_was_cut_is_nothing(text: str) -> None:
    assert fed(Unwrapper(), text) == ""
    assert fed(Unwrapper(), *text) == ""


# -- both ---------------------------------------------------------------------------------


def test_a_wrapped_list_of_objects_comes_out_as_the_clients() -> None:
    form = OutputFormat(schema={}, wrapped=True, names=NAMES)
    restorer = Restorer(form)
    assert not restorer.changed
    assert fed(restorer, *'{"value": [{"q": "q"}]}') == '[{"a \\"quoted\\" \\\\ name": "q"}]'
    assert restorer.changed
