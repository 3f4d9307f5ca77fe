"""What an answer is worth in `bench.questions`."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.types import Answer, Outcome, Source
from bench.questions import QUESTIONS, SAMPLES, Verdict, Wanted, read_questions
from errors import InputFileError
from tests.fakes import said

TWO_MESSAGES = frozenset({1, 2})


def answer(
    *message_ids: int, text: str = '- **ana** in #general: "words" [1]', outcome: Outcome = Outcome.QUOTED
) -> Answer:
    sent_at = datetime(2026, 11, 3, 13, 5, tzinfo=UTC)
    messages = (said("words", message_id=message_id, sent_at=sent_at) for message_id in message_ids)
    sources = tuple(Source(number, message) for number, message in enumerate(messages, start=1))
    return Answer(text=text, outcome=outcome, sources=sources)


@pytest.mark.parametrize(
    ("rule", "cited", "verdict"),
    [
        ("any", (2, 3), Verdict.RIGHT),
        ("any", (3,), Verdict.WRONG),
        ("any", (), Verdict.WRONGLY_REFUSED),
        ("all", (1, 2, 3), Verdict.RIGHT),
        ("all", (1,), Verdict.WRONG),
        ("only", (2,), Verdict.RIGHT),
        ("only", (2, 3), Verdict.WRONG),
        ("only", (), Verdict.WRONGLY_REFUSED),
    ],
)
def test_an_answer_is_worth_what_it_cites(rule: str, cited: tuple[int, ...], verdict: Verdict) -> None:
    assert Wanted(rule, TWO_MESSAGES).judge(answer(*cited)) is verdict


def test_a_question_about_nothing_ever_said_wants_no_message() -> None:
    nothing = Wanted("nothing", frozenset())
    assert nothing.judge(answer()) is Verdict.RIGHT
    assert nothing.judge(answer(1)) is Verdict.WRONGLY_ANSWERED


def test_a_number_counts_where_the_answer_begins_with_it_and_not_where_a_quotation_holds_it() -> None:
    three = Wanted("number", frozenset({3}))
    assert three.judge(answer(1, text="3 messages mention it [1]", outcome=Outcome.COUNTED)) is Verdict.RIGHT
    assert three.judge(answer(1, text="4 messages, 3 of them by ana [1]", outcome=Outcome.COUNTED)) is Verdict.WRONG
    assert three.judge(answer(1, text="3 messages mention it [1]")) is Verdict.WRONG
    assert three.judge(answer(1, text='- **ana**, 3 Nov: "words" [1]')) is Verdict.WRONG
    assert three.judge(answer(text="I found nothing")) is Verdict.WRONGLY_REFUSED


def test_the_list_has_a_hundred_questions_whose_messages_are_in_the_samples() -> None:
    asked = read_questions(QUESTIONS)
    assert len(asked) == 100
    assert len({(one.sample, one.text) for one in asked}) == 100
    for name, sample in SAMPLES.items():
        text = sample.path.read_text(encoding="utf-8")
        numbers = {n for one in asked if one.sample == name and one.wanted.rule != "number" for n in one.wanted.numbers}
        assert all(f"\n{number}," in text for number in numbers)


@pytest.mark.parametrize("row", ["elsewhere\tany 1\twhy?", "sample\tmost 1\twhy?", "sample\tnothing 1\twhy?", "sample"])
def test_what_is_no_list_of_questions_is_told_in_a_sentence(row: str, tmp_path: Path) -> None:
    path = tmp_path / "questions.tsv"
    path.write_text(f"sample\twanted\tquestion\n{row}\n", encoding="utf-8")
    with pytest.raises(InputFileError, match="no list of questions"):
        read_questions(path)
