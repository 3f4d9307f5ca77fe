"""Several searches for one question become one result, by reciprocal rank."""

from dataclasses import replace

from memory.message import Message
from memory.search.fusing import fused
from memory.search.results import Excerpt, RankedMessage, SearchResult
from tests.fakes import said

FIRST, SECOND, THIRD = said("first"), said("second"), said("third")


def found(*messages: Message, scores: tuple[float, ...] = (3.0, 2.0)) -> SearchResult:
    lines = (RankedMessage(message, hit=True, score=score) for message, score in zip(messages, scores, strict=False))
    return SearchResult(tuple(Excerpt((line,)) for line in lines))


def order(result: SearchResult) -> list[str]:
    return [line.message.content for excerpt in result.excerpts for line in excerpt.lines if line.hit]


def test_what_both_searches_find_comes_before_what_one_finds() -> None:
    result = fused(found(FIRST, SECOND), found(THIRD, SECOND, scores=(2.5, 1.0)), limit=8)

    assert order(result)[0] == "second"
    assert sorted(order(result)) == ["first", "second", "third"]


def test_no_more_are_hits_than_are_wanted() -> None:
    assert order(fused(found(FIRST, SECOND), found(THIRD, SECOND), limit=1)) == ["second"]


def test_scores_stay_those_that_the_searches_gave() -> None:
    result = fused(found(FIRST, SECOND), found(SECOND, scores=(9.0,)), limit=2)

    assert [line.score for excerpt in result.excerpts for line in excerpt.lines] == [3.0, 2.0]


def test_a_message_beside_a_hit_of_another_search_is_shown_once() -> None:
    beside = SearchResult((Excerpt((RankedMessage(FIRST, hit=True, score=1.0), RankedMessage(SECOND))),))

    result = fused(beside, found(SECOND), limit=8)

    assert [[line.message.content for line in excerpt.lines] for excerpt in result.excerpts] == [["first", "second"]]
    assert sorted(order(result)) == ["first", "second"]


def test_a_memory_that_did_not_answer_one_search_is_named() -> None:
    assert fused(found(FIRST), replace(found(SECOND), unreachable=("long-term",)), limit=2).unreachable == (
        "long-term",
    )
