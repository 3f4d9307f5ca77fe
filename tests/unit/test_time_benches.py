"""The benches of time count what they say they count, and read what they are given or say what is wrong with it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer import Exit

from bench import time_chats, time_phrases
from bench.time_chats import Outcome, of_times, of_topics
from bench.time_phrases import (
    TEXTS_WITHOUT_TIME,
    THEIRS,
    Case,
    Verdict,
    decided_by,
    false_windows,
    judge,
    overlap,
    score,
)
from bench.timed_chats import read_chats
from errors import InputFileError
from tests.builders import minute
from time_expressions.conventions import OURS
from time_expressions.window import Window

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


def day(number: int) -> datetime:
    """Return the beginning of a day of November 2026."""
    return datetime(2026, 11, number, tzinfo=UTC)


def case(text: str, phrase: str, start: datetime | None, end: datetime | None) -> Case:
    """Return a sentence with the window that its phrase means."""
    return Case(text=text, phrase=phrase, now=NOW, start=start, end=end, kind="date")


# Phrases of time


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        pytest.param(Window(day(1), day(3)), Window(day(1), day(3)), 1.0, id="the same"),
        pytest.param(Window(day(1), day(3)), Window(day(2), day(4)), 1 / 3, id="one day of three"),
        pytest.param(Window(day(1), day(2)), Window(day(2), day(3)), 0.0, id="side by side"),
        pytest.param(Window(day(1), day(2)), Window(day(5), day(6)), 0.0, id="apart"),
        pytest.param(Window(day(1), day(1)), Window(day(1), day(1)), 0.0, id="empty"),
        pytest.param(Window(None, day(21)), Window(None, day(21)), 1.0, id="open at one end"),
        pytest.param(Window(), Window(None, NOW), 0.5, id="open at both ends"),
    ],
)
def test_overlap_is_the_shared_part_of_the_time_spanned(one: Window, other: Window, shared: float) -> None:
    assert overlap(one, other, now=NOW) == pytest.approx(shared)
    assert overlap(other, one, now=NOW) == pytest.approx(shared)


def test_a_verdict_is_exact_when_both_ends_are_right_to_the_second() -> None:
    right = case("x", "x", day(1), None)
    half_a_second = timedelta(seconds=0.5)

    assert Verdict(right, Window(day(1) + half_a_second, None), 1.0).exact
    assert not Verdict(right, Window(day(1) + 2 * half_a_second, None), 1.0).exact
    assert not Verdict(right, Window(day(1), NOW), 1.0).exact
    assert not Verdict(right, None, 0.0).exact


def test_a_score_is_the_share_of_right_verdicts() -> None:
    right = case("x", "x", day(1), day(2))
    verdicts = [
        Verdict(right, right.window, 1.0),
        Verdict(right, Window(day(1), day(3)), 0.5),
        Verdict(right, None, 0.0),
    ]

    scored = score([*verdicts, verdicts[2]])

    assert (scored.phrases, scored.exact, scored.half) == (4, 0.25, 0.5)
    assert score([]).phrases == 0


def test_the_window_of_another_phrase_does_not_count() -> None:
    two = case("yesterday it broke, not on 3 November 2026", "3 november 2026", day(3), day(4))
    other = case("yesterday it broke, not in whenever", "whenever", day(20), day(21))

    assert judge(two, OURS).exact
    assert judge(other, OURS).read is None


def test_a_convention_decides_the_phrases_whose_windows_it_changes() -> None:
    span, date = (
        case("from 3 to 5 November 2026", "from 3 to 5 november 2026", day(3), day(5)),
        case("3 November 2026", "3 november 2026", day(3), day(4)),
    )

    decided = decided_by([date, span], THEIRS)

    assert decided["range_end_included"] == {1}
    assert "month_first" not in decided


def test_a_false_window_is_one_in_a_text_without_time() -> None:
    assert false_windows(["may I?", "see you yesterday"], now=NOW) == ["see you yesterday"]


def test_there_are_a_hundred_different_texts_without_time() -> None:
    assert len(set(TEXTS_WITHOUT_TIME.read_text(encoding="utf-8").splitlines())) == 100


# Chats with times


def outcome(kind: str, wanted: set[int], found: list[int], by_cosine: list[int]) -> Outcome:
    """Return what was found for a question."""
    return Outcome(kind, "?", frozenset(wanted), tuple(found), tuple(by_cosine), "")


def test_recall_and_precision_are_means_over_the_questions_of_a_type() -> None:
    outcomes = [
        outcome("days", {1, 2}, [1, 2, 3, 4], [1, 3, 2]),
        outcome("days", {1, 2}, [1], [2, 1]),
        outcome("months", {1}, [], [1]),
    ]

    assert of_times(outcomes) == {
        "days": {"questions": 2, "recall": 75.0, "precision": 75.0, "cosine": 75.0},
        "months": {"questions": 1, "recall": 0.0, "precision": 0.0, "cosine": 100.0},
    }


def test_a_question_with_a_topic_is_scored_on_the_first_five_and_ten() -> None:
    sixth = outcome("content", {6}, [1, 2, 3, 4, 5, 6], list(range(11, 17)))

    assert of_topics([sixth]) == {
        "content": {"questions": 1, "recall": {5: 0.0, 10: 100.0}, "cosine": {5: 0.0, 10: 0.0}}
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A chat of two turns with one question."""
    turns = [
        {
            "speaker": "Ana",
            "text": "hello",
            "date_time": "09:00:00 AM on Tuesday 03 November, 2026",
            "response_number": "0",
        },
        {
            "speaker": "Ben",
            "text": "hi",
            "date_time": "09:01:00 AM on Tuesday 03 November, 2026",
            "response_number": "1",
        },
    ]
    asked = [{"questions": ["what did we say today?", "what did we say today?"], "relevant_docs": [0, 1]}]
    (tmp_path / "questions").mkdir()
    (tmp_path / "chat_7.json").write_text(json.dumps({"speaker_a": "Ana", "session_1": turns}))
    (tmp_path / "questions" / "days.json").write_text(json.dumps({"7": asked}))
    return tmp_path


def test_a_chat_is_a_channel_whose_questions_are_asked_at_its_end(folder: Path) -> None:
    (chat,) = read_chats(folder, session="bench")

    assert [(one.author_name, one.content, one.sent_at) for one in chat.messages] == [
        ("Ana", "hello", minute(0)),
        ("Ben", "hi", minute(1)),
    ]
    assert (chat.places, chat.now) == (frozenset({7}), minute(1))
    (question,) = chat.questions
    assert question.phrasings == ("what did we say today?",)
    assert question.wanted == {message.message_id for message in chat.messages}
    assert not question.has_topic


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("chat_7.json", "{", id="no JSON"),
        pytest.param("chat_7.json", "{}", id="no turns"),
        pytest.param("chat_7.json", '{"session_1": [{"speaker": "Ana"}]}', id="turns without a time"),
        pytest.param("questions/days.json", '{"7": [{"questions": []}]}', id="no questions"),
    ],
)
def test_a_folder_that_is_none_of_chats_is_refused_by_its_file(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)

    with pytest.raises(InputFileError, match=str(folder / name)):
        read_chats(folder, session="bench")


def test_bad_data_end_with_one_sentence_and_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = tmp_path / "nowhere"

    for run in (time_phrases.main, time_chats.main):
        with pytest.raises(Exit) as ended:
            run(nowhere)
        assert ended.value.exit_code == 2
        told = capsys.readouterr().err
        assert told.count("\n") == 1
        assert "correct --data" in told
