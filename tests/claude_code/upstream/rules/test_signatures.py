"""Thinking blocks come back as they were, and on some models behind what they were made behind."""

import pytest

from gateway_claude_code.facts.documented import documented
from gateway_claude_code.upstream import (
    Answer,
    Cut,
    MessagesRequest,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
)
from gateway_claude_code.upstream.rules import first_broken
from gateway_claude_code.upstream.signing import signed
from tests.claude_code.upstream.rules.rule_cases import (
    HAIKU,
    HELLO,
    LOOK,
    OPUS,
    OPUS_5,
    SONNET,
    Body,
    called,
    request,
    result,
    said,
    text,
)

SYSTEM = [text("x-anthropic-billing-header: cch=1"), text("Be brief.")]


def asked(*messages: Body, **fields: object) -> MessagesRequest:
    return request(*messages, **{"system": SYSTEM, "tools": [LOOK], **fields})


def thought(first: MessagesRequest, words: str = "Hm") -> Body:
    """The block as the answer to this request has it."""
    answer = signed(Answer(blocks=(ThinkingBlock(words),)), first)
    assert isinstance(answer, Answer)
    (block,) = answer.blocks
    assert isinstance(block, ThinkingBlock)
    return {"type": "thinking", "thinking": words, "signature": block.signature}


def rule_broken_by(later: MessagesRequest) -> str | None:
    broken = first_broken(later, documented(later.model).facts)
    return broken.rule.name if broken is not None else None


BLOCK = thought(asked(HELLO))
AFTER = said(BLOCK, text("So."), role="assistant")
NEXT = said(text("And?"))

SAME = {
    "to the letter": asked(HELLO, AFTER, NEXT),
    "a string as a text block": asked(said(text("Hello")), AFTER, NEXT),
    "blanks around a text": asked(said(text("Hello\n")), AFTER, NEXT),
    "a mark for the cache": asked(
        said(text("Hello", cache_control={"type": "ephemeral"})), AFTER, NEXT
    ),
    "a note of the CLI": asked(
        said(text("<system-reminder>Today</system-reminder>"), text("Hello")), AFTER, NEXT
    ),
    "the CLI's system message": asked(
        HELLO, {"role": "system", "content": "# Environment"}, AFTER, NEXT
    ),
    "another line of the CLI about itself": asked(
        HELLO, AFTER, NEXT, system=[text("x-anthropic-billing-header: cch=2"), SYSTEM[1]]
    ),
}

OTHER = {
    "another question": asked(said(text("Hello!")), AFTER, NEXT),
    "another turn before it": asked(NEXT, said(text("No."), role="assistant"), HELLO, AFTER, NEXT),
    "another system prompt": asked(HELLO, AFTER, NEXT, system="Be kind."),
    "another tool": asked(HELLO, AFTER, NEXT, tools=[LOOK, {**LOOK, "name": "see"}]),
    "a text before it in its own message": asked(
        HELLO, said(text("Well."), BLOCK, text("So."), role="assistant"), NEXT
    ),
}


@pytest.mark.parametrize("later", SAME.values(), ids=SAME)
def test_the_same_conversation_is_accepted(later: MessagesRequest) -> None:
    assert rule_broken_by(later) is None


@pytest.mark.parametrize("later", OTHER.values(), ids=OTHER)
def test_another_conversation_is_refused(later: MessagesRequest) -> None:
    assert rule_broken_by(later) == "thinking.bound"


def test_a_model_that_does_not_bind_its_thinking_accepts_another_conversation() -> None:
    block = thought(asked(HELLO, model=OPUS_5))
    after = said(block, text("So."), role="assistant")
    assert rule_broken_by(asked(NEXT, after, NEXT, model=OPUS_5)) is None


def test_what_another_model_thought_is_passed_over() -> None:
    assert rule_broken_by(asked(NEXT, AFTER, NEXT, model=SONNET)) is None


@pytest.mark.parametrize("model", [OPUS, OPUS_5, HAIKU])
def test_changed_words_are_refused_on_every_model(model: str) -> None:
    changed = said({**BLOCK, "thinking": "Hm!"}, text("So."), role="assistant")
    assert rule_broken_by(asked(HELLO, changed, NEXT, model=model)) == "thinking.unmodified"


def test_a_signature_of_somebody_else_is_refused() -> None:
    forged = said({**BLOCK, "signature": "c2lnbmF0dXJl"}, text("So."), role="assistant")
    assert rule_broken_by(asked(HELLO, forged, NEXT)) == "thinking.unmodified"


def second_thought() -> Body:
    return thought(asked(HELLO, AFTER, NEXT), "Aha")


def test_a_second_block_is_accepted_behind_the_first() -> None:
    later = said(second_thought(), text("Yes."), role="assistant")
    assert rule_broken_by(asked(HELLO, AFTER, NEXT, later, NEXT)) is None


def test_a_second_block_is_accepted_without_any_before_it() -> None:
    bare, later = said(text("So."), role="assistant"), said(second_thought(), role="assistant")
    assert rule_broken_by(asked(HELLO, bare, NEXT, later, NEXT)) is None


def test_a_block_left_out_between_others_is_refused() -> None:
    second = said(second_thought(), text("Yes."), role="assistant")
    third = thought(asked(HELLO, AFTER, NEXT, second, NEXT), "Right")
    bare = said(text("Yes."), role="assistant")
    later = said(third, text("End."), role="assistant")
    assert rule_broken_by(asked(HELLO, AFTER, NEXT, bare, NEXT, later, NEXT)) == "thinking.bound"


def test_thinking_between_calls_is_bound_to_the_results_before_it() -> None:
    call = called("a")
    loop = [HELLO, {**call, "content": [BLOCK, *call["content"]]}]
    block = thought(asked(*loop, said(result("a"))), "Blue")
    after = said(block, text("Blue."), role="assistant")
    assert rule_broken_by(asked(*loop, said(result("a")), after, NEXT)) is None
    assert rule_broken_by(asked(*loop, said(result("a", "red")), after, NEXT)) == "thinking.bound"


def test_a_signature_that_the_script_gave_is_sent_as_it_is() -> None:
    answer = Answer(blocks=(ThinkingBlock("Hm", signature="sig"), TextBlock("So.")))
    assert signed(answer, asked(HELLO)) == answer


def test_thinking_behind_broken_arguments_is_signed() -> None:
    answer = signed(
        Cut(Answer(blocks=(ToolUseBlock("look", "{", id="a"), ThinkingBlock("Hm"))), after=1),
        asked(HELLO),
    )
    assert isinstance(answer, Cut)
    assert answer.answer is not None
    block = answer.answer.blocks[1]
    assert isinstance(block, ThinkingBlock)
    assert block.signature
