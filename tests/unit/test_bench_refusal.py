"""The bench of refusals parts its chats, makes unanswerable questions and fits what decides."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from agent.refusal.features import Features
from bench.locomo import Chat, Question
from bench.refusal import (
    Hit,
    Judged,
    Kind,
    Part,
    auroc,
    conformal_threshold,
    fit,
    questions_of,
    regress,
    report,
    swap_names,
)
from memory.message import Message

NAMES = (
    "Ana Ben",
    "Cleo Dora",
    "Eve Finn",
    "Gil Hana",
    "Ivo Jana",
    "Kai Lea",
    "Mio Noor",
    "Ole Pia",
    "Rui Sol",
    "Tom Uma",
)


def chat(place: int, names: list[str]) -> Chat:
    messages = tuple(
        Message(
            message_id=1000 * place + day,
            sent_at=datetime(2026, 11, 1 + day, 12, tzinfo=UTC),
            session="bench",
            channel_id=place,
            channel_name=f"chat-{place}",
            author_name=names[day % 2],
            content=f"remark {day}",
        )
        for day in range(4)
    )
    asked = Question(f"When did {names[0]} fire the kiln?", 2, frozenset({messages[1].message_id}))
    adversarial = Question(f"When did {names[1]} fire the kiln?", 5, frozenset({messages[1].message_id}))
    return Chat(f"chat-{place}", messages, (asked, adversarial), sessions=(1, 1, 1, 1))


CHATS = [chat(place, names.split()) for place, names in enumerate(NAMES)]


def test_questions_are_asked_of_chats_of_their_own_part_alone() -> None:
    parts = {asked.chat.name: set[Part]() for asked in questions_of(CHATS)}
    for asked in questions_of(CHATS):
        parts[asked.chat.name].add(asked.part)

    assert all(len(found) == 1 for found in parts.values())
    assert {Part.FIT, Part.CALIBRATION, Part.HELD_OUT} == set.union(*parts.values())


def test_a_question_is_asked_of_its_chat_of_another_and_of_two_days() -> None:
    asked = [(one.kind, one.text, one.chat.name) for one in questions_of(CHATS)]

    assert asked[:5] == [
        (Kind.OWN, "When did Ana fire the kiln?", "chat-0"),
        (Kind.OTHER, "When did Ana fire the kiln?", "chat-5"),
        (Kind.RENAMED, "When did Kai fire the kiln?", "chat-5"),
        (Kind.ITS_DAY, "When did Ana fire the kiln on 2 November 2026?", "chat-0"),
        (Kind.ANOTHER_DAY, "When did Ana fire the kiln on 3 November 2026?", "chat-0"),
    ]


def test_questions_whose_evidence_exists_by_design_are_left_out() -> None:
    assert not any("Ben" in asked.text for asked in questions_of(CHATS))


def test_questions_that_name_a_time_are_not_asked_of_a_day() -> None:
    dated = [replace(question, text="When did Ana fire the kiln in June?") for question in CHATS[0].questions]

    kinds = [asked.kind for asked in questions_of([replace(CHATS[0], questions=tuple(dated)), *CHATS[1:]])]

    assert kinds[:4] == [Kind.OWN, Kind.OTHER, Kind.RENAMED, Kind.OWN]


def test_names_are_swapped_as_whole_words() -> None:
    swapped = swap_names("Did Ana's banana please ana and Ben?", ["Ana", "Ben"], ["Eve", "Finn"])

    assert swapped == "Did Eve's banana please Eve and Finn?"


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, -np.inf), (0.1, 1.0), (0.25, 2.0), (0.5, 5.0)],
)
def test_a_threshold_refuses_at_most_a_share_of_what_it_was_calibrated_on(share: float, expected: float) -> None:
    scores = [float(score) for score in range(10, 0, -1)]

    threshold = conformal_threshold(scores, share)

    assert threshold == expected
    assert sum(score < threshold for score in scores) <= share * len(scores)


def test_the_area_under_the_curve_counts_pairs_in_the_right_order() -> None:
    assert auroc([3.0, 2.0], [1.0, 2.0]) == (1 + 1 + 1 + 0.5) / 4


def test_a_regression_finds_the_feature_that_tells() -> None:
    numbers = np.random.default_rng(7)
    rows = numbers.normal(size=(400, 2))
    labels = (rows[:, 0] + 0.3 * numbers.normal(size=400) > 0.5).astype(np.float64)

    weights, constant = regress(rows, labels)

    assert weights[0] > 10 * abs(weights[1])
    assert -constant / weights[0] == pytest.approx(0.5, abs=0.1)


def judged(kind: Kind, part: Part, likeness: float) -> Judged:
    best = Hit(Features(likeness, likeness, 2), 5.0, is_by_named=True, is_evidence=kind is Kind.OWN)
    other = Hit(Features(0.1, 0.0, 0), 1.0, is_by_named=False, is_evidence=False)
    return Judged(part, kind, is_refused=False, has_unknown=False, hits=(best, other), found=1.0, quoted=True)


def test_weights_tell_questions_of_other_chats_from_those_of_the_chat_itself() -> None:
    numbers = np.random.default_rng(7)
    cases = [
        judged(kind, part, float(numbers.normal(mean, 0.05)))
        for part in Part
        for kind, mean in ((Kind.OWN, 0.7), (Kind.OTHER, 0.3), (Kind.RENAMED, 0.3))
        for _ in range(80)
    ]

    fitted = fit(cases)

    own, other = (Features(likeness, likeness, 2) for likeness in (0.7, 0.3))
    assert own.score_by(fitted.by_all) > fitted.by_all.threshold > other.score_by(fitted.by_all)
    assert "another chat" in report(cases, fitted.by_all)


def test_questions_about_a_day_train_nothing() -> None:
    numbers = np.random.default_rng(7)
    kinds = ((Kind.OWN, 0.7), (Kind.OTHER, 0.3), (Kind.RENAMED, 0.3))
    cases = [
        judged(kind, part, float(numbers.normal(mean, 0.1))) for part in Part for kind, mean in kinds for _ in range(80)
    ]
    about_days = [judged(kind, part, 0.5) for part in Part for kind in (Kind.ITS_DAY, Kind.ANOTHER_DAY)]
    answered = [
        replace(one, hits=tuple(hit._replace(is_evidence=one.kind.has_answer) for hit in one.hits))
        for one in about_days
    ]

    assert fit([*cases, *answered]) == fit(cases)


def test_a_refusal_is_false_where_the_search_has_found_the_proof() -> None:
    proven = [judged(Kind.OWN, part, 0.7) for part in Part for _ in range(80)]
    lost = [
        replace(one, hits=tuple(hit._replace(is_evidence=False) for hit in one.hits))
        for one in [judged(Kind.OWN, part, 0.2) for part in Part for _ in range(80)]
    ]
    strange = [judged(kind, part, 0.3) for kind in (Kind.OTHER, Kind.RENAMED) for part in Part for _ in range(80)]

    fitted = fit([*proven, *lost, *strange])

    assert Features(0.3, 0.3, 2).score_by(fitted.by_all) < fitted.by_all.threshold
