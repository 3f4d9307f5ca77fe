"""The figures of the retrieval bench are what they say."""

from collections import Counter

import numpy as np
import pytest

from bench.baselines import Bm25, cosine
from bench.locomo import Chat, Question
from bench.retrieval import DEPTHS, best_first, by_category, recalls
from bench.tables import table
from memory.search.results import Excerpt, RankedMessage, SearchResult
from tests.builders import message

HALF_FOUND = Question("Who?", 1, frozenset({1, 9}))
FOUND_LATE = Question("When?", 2, frozenset({7}))
CHAT = Chat("tea", tuple(message(number) for number in range(1, 11)), (HALF_FOUND, FOUND_LATE), (1,) * 10)
RANKED = [[1, 2, 3], [1, 2, 3, 4, 5, 6, 7]]


def test_recall_is_the_mean_share_of_the_right_messages() -> None:
    found = recalls([CHAT], RANKED)

    assert found.questions == 2
    assert [found.at[depth] for depth in DEPTHS] == [25.0, 75.0, 75.0, 75.0]


def chat_of_sessions(*evidence: int) -> Chat:
    """Return a chat of twelve sessions of two messages, and a question that some of the messages answer."""
    question = Question("Who?", 1, frozenset(evidence))
    messages = tuple(message(number) for number in range(1, 25))
    return Chat("tea", messages, (question,), tuple((number + 1) // 2 for number in range(1, 25)))


@pytest.mark.parametrize(
    ("evidence", "found", "expected"),
    [
        pytest.param([1, 2], [2, 9], (100.0, 100.0, 100.0), id="another message of the right session"),
        pytest.param([1, 3, 5, 7], [1, 2, 8], (100.0, 0.0, 50.0), id="two of four sessions"),
        pytest.param([1], [23, 21, 19, 17, 15, 1], (0.0, 0.0, 0.0), id="the right session comes sixth"),
        pytest.param([1], [23, 24, 21, 22, 19, 17, 1], (100.0, 100.0, 100.0), id="a session counts once"),
        pytest.param([1], [], (0.0, 0.0, 0.0), id="nothing found"),
    ],
)
def test_sessions_are_found_where_any_all_or_a_share_of_the_right_ones_is_among_the_first_five(
    evidence: list[int], found: list[int], expected: tuple[float, float, float]
) -> None:
    shares = recalls([chat_of_sessions(*evidence)], [found]).sessions[5]

    assert (shares.any, shares.all, shares.share) == expected


def test_each_category_has_its_own_recall() -> None:
    found = by_category([CHAT], RANKED)

    assert list(found) == ["multi-hop", "temporal", "all"]
    assert (found["multi-hop"].at[5], found["temporal"].at[5], found["all"].at[5]) == (50.0, 0.0, 25.0)


def test_hits_are_ranked_by_their_own_scores_and_neighbours_left_out() -> None:
    near = Excerpt(
        (
            RankedMessage(message(1), True, score=1.0),
            RankedMessage(message(2)),
            RankedMessage(message(3), True, score=9.0),
        )
    )
    far = Excerpt((RankedMessage(message(8), True, score=5.0),))

    assert best_first(SearchResult((near, far))) == [3, 8, 1]


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    index = Bm25([Counter(["tea", "green"]), Counter(["tea", "black"]), Counter(["tea", "milk"])])

    scores = index.scores(Counter(["tea", "black", "sugar"]))

    assert np.argmax(scores) == 1
    assert scores[0] == scores[2] > 0


def test_bm25_has_the_values_of_its_formula() -> None:
    index = Bm25([Counter({"tea": 2}), Counter({"milk": 1, "cup": 1})])

    assert index.scores(Counter(["tea"])) == pytest.approx([np.log(2) * 2 * 2.2 / (2 + 1.2), 0.0])


def test_documents_without_words_have_no_score() -> None:
    assert list(Bm25([Counter()]).scores(Counter(["tea"]))) == [0.0]


def test_cosine_of_unit_vectors() -> None:
    vectors = np.array([[1, 0], [0, 1]], dtype=np.float32)

    assert list(cosine(vectors, np.array([0, 1], dtype=np.float32))) == [0.0, 1.0]


def test_a_table_has_words_to_the_left_and_numbers_to_the_right() -> None:
    lines = table(["method", "R@5"], [["plain cosine", 23.96], ["search", 1234]]).splitlines()

    assert lines == ["method          R@5", "plain cosine   24.0", "search        1,234"]
