"""Vectors, words, what follows and the messages themselves vote together."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from memory.discussions import DISCUSSION_GAP
from memory.message import Message
from memory.search.candidates import Candidate
from memory.search.ranking import FOLLOWERS, RANKING, Ranking, rank
from tests.builders import START, message

NOTHING = Ranking(meaning=0, words=0, following=0, length=0, question=0, author=0)
WORDS_THAT_FOLLOW = replace(NOTHING, words=1.0, following=0.5)


def candidate(number: int, *, similarity: float | None = 0.5, lexical: float = 0.0, **changes: Any) -> Candidate:
    return Candidate(message(number, **{"content": "hello", **changes}), similarity, lexical)


def of_scores(similarities: list[float | None], lexical: list[float]) -> list[Candidate]:
    """Return candidates of places of their own, which say the same."""
    return [
        candidate(number, similarity=similarity, lexical=words, channel_id=number)
        for number, (similarity, words) in enumerate(zip(similarities, lexical, strict=True), start=1)
    ]


def said(*messages: Message) -> list[Candidate]:
    return [Candidate(one, 0.5, 0.0) for one in messages]


def test_what_both_rankings_like_best_comes_first() -> None:
    scores = rank("tea", of_scores([0.9, 0.5, 0.1], [3.0, 1.0, 0.0]))

    assert list(np.argsort(-scores)) == [0, 1, 2]


def test_a_word_match_counts_more_than_the_same_lead_in_meaning() -> None:
    by_meaning, by_words = rank("tea", of_scores([1.0, 0.0], [0.0, 1.0]))

    assert by_words > by_meaning
    assert by_words == pytest.approx(RANKING.words - RANKING.meaning)


def test_the_scale_of_either_score_does_not_matter() -> None:
    small = rank("tea", of_scores([0.11, 0.12, 0.13], [2.0, 0.0, 1.0]))
    large = rank("tea", of_scores([0.1, 0.2, 0.3], [200.0, 0.0, 100.0]))

    assert small == pytest.approx(large)


def test_a_candidate_without_a_vector_counts_as_the_least_alike() -> None:
    without, least, best = rank("tea", of_scores([None, 0.2, 0.8], [0.0, 0.0, 0.0]))

    assert without == least < best


@pytest.mark.parametrize(
    ("similarities", "lexical"),
    [
        pytest.param([0.4, 0.4], [1.0, 1.0], id="all alike"),
        pytest.param([None, None], [0.0, 0.0], id="no vector at all"),
        pytest.param([0.7], [2.0], id="only one"),
    ],
)
def test_nothing_to_tell_candidates_apart_gives_zeros(similarities: list[float | None], lexical: list[float]) -> None:
    assert list(rank("tea", of_scores(similarities, lexical))) == [0.0] * len(lexical)


def test_no_candidates_give_no_scores() -> None:
    assert rank("tea", []).size == 0


def test_the_scores_of_a_search_have_their_mean_at_zero() -> None:
    candidates = said(message(1, "Who knows?"), message(2, "I know ana"), message(3, "Me too", author_name="bruno"))

    assert rank("what does Bruno know", candidates).mean() == pytest.approx(0)


# What follows


def test_what_is_said_next_lends_its_words_to_what_was_said_before() -> None:
    told, answered, elsewhere = candidate(1), candidate(2, lexical=4.0), candidate(3, channel_id=2)

    scores = rank("tea", [told, answered, elsewhere], ranking=WORDS_THAT_FOLLOW)

    assert scores[1] > scores[0] > scores[2]


@pytest.mark.parametrize(
    "unrelated",
    [
        pytest.param({"channel_id": 2}, id="in another channel"),
        pytest.param({"thread_id": 7}, id="in a thread"),
        pytest.param({"sent_at": START + DISCUSSION_GAP + timedelta(minutes=2)}, id="in a later discussion"),
        pytest.param({"sent_at": START - timedelta(minutes=1)}, id="before it"),
    ],
)
def test_nothing_is_lent_by_what_is_said(unrelated: dict[str, Any]) -> None:
    alone, silent = candidate(1), candidate(3, channel_id=3)

    scores = rank("tea", [alone, candidate(2, lexical=4.0, **unrelated), silent], ranking=WORDS_THAT_FOLLOW)

    assert scores[0] == scores[2]


def test_only_the_next_few_lend() -> None:
    run = [candidate(number) for number in range(1, FOLLOWERS + 2)]
    last = candidate(FOLLOWERS + 2, lexical=4.0)

    scores = rank("tea", [*run, last], ranking=WORDS_THAT_FOLLOW)

    assert scores[0] < scores[1] == scores[FOLLOWERS]


def test_the_order_in_which_candidates_are_given_does_not_matter() -> None:
    candidates = [candidate(number, lexical=float(number % 3), similarity=number / 10) for number in range(1, 8)]

    forwards = rank("tea", candidates)
    backwards = rank("tea", candidates[::-1])

    assert forwards == pytest.approx(backwards[::-1])


# The messages themselves


def test_a_message_that_says_more_comes_before_one_that_says_little() -> None:
    short, long = rank("tea", said(message(1, "tea"), message(2, "the green tea from the market")))

    assert long > short


@pytest.mark.parametrize("mark", ["?", "?\n", "\uff1f", "\u061f"])
def test_who_asks_comes_after_who_tells(mark: str) -> None:
    asks, tells = rank("tea", said(message(1, f"green tea{mark}"), message(2, "green tea!")))

    assert tells > asks


@pytest.mark.parametrize(
    ("text", "author"),
    [
        pytest.param("What did Ana drink?", "ana", id="in another case"),
        pytest.param("ana's tea", "Ana", id="as an owner"),
        pytest.param("What did Ana drink?", "Ana Pires", id="by the first name"),
        pytest.param("what did ana pires drink", "Ana Pires", id="in full"),
        pytest.param("did bo drink tea", "Bo", id="by a whole name however short"),
    ],
)
def test_a_message_by_somebody_who_is_named_comes_first(text: str, author: str) -> None:
    by_other, by_named = rank(text, said(message(1, author_name="zoe"), message(2, author_name=author)))

    assert by_named > by_other


@pytest.mark.parametrize(
    ("text", "author"),
    [
        pytest.param("What banana was it?", "ana", id="inside a word"),
        pytest.param("What did Pires drink?", "Ana Pires", id="by the last name"),
        pytest.param("to be or not", "To Morrow", id="by a first name that is rather a word"),
        pytest.param("What was it?", "\u2728", id="by a name without a letter"),
    ],
)
def test_nobody_is_named(text: str, author: str) -> None:
    by_other, by_author = rank(text, said(message(1, author_name="zoe"), message(2, author_name=author)))

    assert by_author == by_other


@pytest.mark.parametrize("part", ["meaning", "words", "length", "question", "author"])
def test_a_part_that_weighs_nothing_is_left_out(part: str) -> None:
    candidates = [
        Candidate(message(1, "Is there any green tea?"), 0.9, 3.0),
        Candidate(message(2, "no", author_name="bruno"), 0.1, 0.0),
    ]

    with_part = rank("what did bruno drink", candidates, ranking=replace(NOTHING, **{part: 1.0}))

    assert with_part.any()
    assert rank("what did bruno drink", candidates, ranking=NOTHING).tolist() == [0.0, 0.0]
