"""What rests on a message that was edited or deleted since goes from an answer, and nothing else does."""

import json
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from agent.changed_answers import (
    DELETED_SINCE,
    EDITED_SINCE,
    NOTHING_LEFT,
    READS_ANEW,
    as_it_stands,
    pages_of,
    without_changed,
)
from agent.quotation import SELECTED, quotation
from agent.types import Answer, Outcome, Searched, Source, WebPage
from bot.answering import Answered
from bot.outbox import answer_of
from memory.answers.kept import Kept, KeptAnswer, KeptQuestion, State
from memory.message import Message
from memory.preferences import Zone
from memory.search.results import RankedMessage
from tests.agents import question
from tests.builders import edit, message, minute

UTC = ZoneInfo("UTC")
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
FERRY, TIDE, KILN = 71, 72, 73
PROSE = (
    "Two things were said. The ferry leaves at noon [1]. So much for that. The tide is high by then [2].\n\n"
    "Nobody spoke of the kiln but Ben [3]."
)


def said(*contents: tuple[int, str]) -> dict[int, Message]:
    return {number: message(number, text, channel_name="quay") for number, text in contents}


STORED = said(
    (FERRY, "the ferry leaves at noon"), (TIDE, "high tide is at noon"), (KILN, "```\n- the kiln\n```\nis hot")
)
ANEW = dict(STORED) | {FERRY: edit(FERRY, "the ferry leaves at six", at=50)}


def prose(text: str = PROSE, outcome: Outcome = Outcome.ANSWERED) -> KeptAnswer:
    return KeptAnswer(text=text, outcome=outcome, sources={1: FERRY, 2: TIDE, 3: KILN})


def quotes(*, beside: int | None = None) -> KeptAnswer:
    lines = [
        quotation(
            number,
            RankedMessage(STORED[message_id], hit=True),
            question="?",
            time_zone=UTC,
            answers=STORED.get(beside or 0) if number == 1 else None,
        )
        for number, message_id in ((1, FERRY), (2, TIDE), (3, KILN))
    ]
    text = "\n".join(lines) + "\n\n" + SELECTED.format(shown=3, amount=9)
    return KeptAnswer(
        text=text,
        outcome=Outcome.QUOTED,
        sources={1: FERRY, 2: TIDE, 3: KILN},
        beside={} if beside is None else {1: beside},
    )


def kept(answer: KeptAnswer | None, *, edited: set[int] | None = None, deleted: set[int] | None = None) -> Kept:
    """Return an answer as it is kept once it is known that messages have changed."""
    question = KeptQuestion(
        question_id=1, guild_id=5, channel_id=1, access_id=1, asker_id=2, text="the ferry?", asked_at=minute(9)
    )
    edited, deleted = edited or set(), deleted or set()
    return Kept(
        question=question,
        state=State.DELIVERED,
        changed_at=minute(9),
        answer=None if answer is None else without_changed(answer, edited=edited, deleted=deleted),
        edited=frozenset(edited),
        deleted=frozenset(deleted),
    )


@pytest.mark.parametrize(
    ("changed", "left"),
    [
        pytest.param({FERRY}, PROSE.removeprefix("Two things were said. The ferry leaves at noon [1]. "), id="first"),
        pytest.param(
            {TIDE}, PROSE.replace("So much for that. The tide is high by then [2].\n\n", ""), id="with a lead"
        ),
        pytest.param({KILN}, PROSE.split("\n\n")[0], id="the last"),
        pytest.param({99}, PROSE, id="of another answer"),
        pytest.param({FERRY, TIDE, KILN}, "", id="all"),
    ],
)
def test_sentences_go_with_a_message_that_they_cite_and_with_those_that_lean_on_them(
    changed: set[int], left: str
) -> None:
    assert without_changed(prose(), edited=(), deleted=changed).text == left
    assert without_changed(prose(), edited=changed, deleted=()).text == left


def test_what_is_behind_the_last_mark_goes_with_it() -> None:
    answer = prose("The tide is high [2]. The ferry leaves at noon [1]. It waits for nobody.")

    assert without_changed(answer, edited=(), deleted={FERRY}).text == "The tide is high [2]."


def test_a_quotation_goes_whole_with_its_message_and_the_others_stay_as_they_are() -> None:
    whole = quotes().text

    left = without_changed(quotes(), edited=(), deleted={KILN}).text

    assert "kiln" not in left
    assert "hot" not in left
    assert "of 9 messages" in left
    assert left.startswith(whole.split("\n- ")[0])


def test_the_words_of_an_edited_message_are_gone_from_what_is_kept_and_are_quoted_anew() -> None:
    changed = kept(quotes(), edited={FERRY})

    answer = as_it_stands(changed, ANEW, may_quote={FERRY}, time_zone=UTC)

    assert changed.answer is not None
    assert "leaves at noon" not in changed.answer.text
    assert answer.text == quotes().text.replace("leaves at noon", "leaves at six").replace("#quay", "#general", 1)
    assert [source.number for source in answer.sources] == [1, 2, 3]
    assert answer.notes == (READS_ANEW,)


def test_an_answer_of_messages_as_they_were_quotes_none_as_it_is_now() -> None:
    answer = replace(quotes(beside=TIDE), former=True)

    shown = as_it_stands(kept(answer, edited={TIDE, KILN}), ANEW, may_quote={TIDE, KILN}, time_zone=UTC)

    assert shown.text == NOTHING_LEFT
    assert shown.sources == ()
    assert shown.notes == (EDITED_SINCE,)


def test_an_edited_message_that_may_not_be_shown_any_more_is_not_quoted_anew() -> None:
    answer = as_it_stands(kept(quotes(), edited={FERRY}), ANEW, may_quote=(), time_zone=UTC)

    assert "ferry" not in answer.text
    assert [source.number for source in answer.sources] == [2, 3]
    assert answer.notes == (EDITED_SINCE,)


def test_a_deleted_message_is_neither_quoted_nor_a_source() -> None:
    answer = as_it_stands(kept(quotes(), deleted={TIDE}), STORED, may_quote={TIDE}, time_zone=UTC)

    assert "tide" not in answer.text
    assert [source.number for source in answer.sources] == [1, 3]
    assert answer.notes == (DELETED_SINCE,)


def test_a_message_that_is_not_to_be_found_any_more_takes_its_quotation_along() -> None:
    found = {FERRY: STORED[FERRY], TIDE: STORED[TIDE]}

    answer = as_it_stands(kept(quotes(), edited={FERRY}), found, may_quote={FERRY}, time_zone=UTC)

    assert "kiln" not in answer.text
    assert DELETED_SINCE in answer.notes


def test_a_message_named_beside_a_quotation_goes_and_the_quotation_stays() -> None:
    whole = quotes(beside=TIDE)
    whole = KeptAnswer(text=whole.text, outcome=whole.outcome, sources={1: FERRY, 3: KILN}, beside={1: TIDE})
    assert "high tide" in whole.text

    changed = kept(whole, deleted={TIDE})
    answer = as_it_stands(changed, STORED, may_quote=(), time_zone=UTC)

    assert changed.answer is not None
    assert "after ana" not in changed.answer.text
    assert "after ana" not in answer.text
    assert "the ferry leaves at noon" in answer.text
    assert answer.notes == (DELETED_SINCE,)


def test_of_a_count_the_number_stays_and_the_item_goes() -> None:
    text = '**2 messages** mention "noon" (all time):\n- **ana**: the ferry leaves [1]\n- **ana**: high tide [2]'
    answer = as_it_stands(
        kept(
            KeptAnswer(text=text, outcome=Outcome.COUNTED, sources={1: FERRY, 2: TIDE}), edited={FERRY}, deleted={TIDE}
        ),
        ANEW,
        may_quote={FERRY},
        time_zone=UTC,
    )

    assert answer.text == '**2 messages** mention "noon" (all time):'
    assert answer.notes == (DELETED_SINCE, EDITED_SINCE)


@pytest.mark.parametrize("answer", [pytest.param(prose(), id="prose"), pytest.param(None, id="of another version")])
def test_an_answer_of_which_nothing_is_left_says_so(answer: KeptAnswer | None) -> None:
    changed = kept(answer, edited={FERRY}, deleted={TIDE, KILN})

    assert as_it_stands(changed, ANEW, may_quote={FERRY}, time_zone=UTC).text == NOTHING_LEFT


@pytest.mark.parametrize(
    ("former", "edited_at", "known_to"),
    [
        pytest.param(False, None, LONG_AGO, id="never edited"),
        pytest.param(False, 20, minute(20), id="edited before"),
        pytest.param(False, 60, LONG_AGO, id="edited meanwhile"),
        pytest.param(True, 20, minute(50), id="told as it was"),
    ],
)
def test_an_answer_takes_account_of_the_edits_that_it_was_made_from(
    *, former: bool, edited_at: int | None, known_to: datetime
) -> None:
    source = STORED[FERRY] if edited_at is None else edit(FERRY, "the ferry is late", at=edited_at)
    searched = Searched(windows=(), went_beyond=False, channels=(), now=minute(50), time_zone=UTC, former=former)
    answer = Answer(text="It is late [1].", sources=(Source(1, source, STORED[TIDE]),), searched=searched)
    asked = question("the ferry?", now=minute(50))

    found = answer_of(Answered(question=asked, answer=answer, zone=Zone(UTC, certain=True)))

    assert found.edits_known_to == known_to
    assert found.former == former
    assert (found.cites, found.beside) == ([FERRY, TIDE], {1: TIDE})


def test_pages_of_the_web_are_kept_with_an_answer_and_stay_under_it_when_it_is_updated() -> None:
    page = WebPage(title="Ferry", address="https://example.org/ferry", extract="A ferry is a boat.", site="Wikipedia")
    answer = Answer(text="It is late [1].", sources=(Source(1, STORED[FERRY]),), pages=(page,))
    asked = question("the ferry?", now=minute(50))

    made = answer_of(Answered(question=asked, answer=answer, zone=Zone(UTC, certain=True)))
    loaded = KeptAnswer.load(json.loads(json.dumps(made.dump())))
    updated = as_it_stands(kept(loaded, deleted={FERRY}), STORED, may_quote=(), time_zone=UTC)

    assert pages_of(loaded) == updated.pages == (page,)
