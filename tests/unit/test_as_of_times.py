"""Phrases that ask for what was known at a moment: "as of 3 May", "what did we know on 3 May?", "Stand 3. Mai"."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from time_expressions.find import TimePhrase, times_in

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 21, 10, tzinfo=PARIS)  # a Saturday


def found(text: str) -> tuple[TimePhrase, ...]:
    return times_in(text, now=NOW, time_zone=PARIS).windows


@pytest.mark.parametrize(
    ("text", "phrase", "until"),
    [
        ("what was the plan as of 3 May?", "as of 3 May", "2026-05-04"),
        ("As of May 3rd, who pays for the venue?", "As of May 3rd", "2026-05-04"),
        ("as of 2026-05-03 what was the price?", "as of 2026-05-03", "2026-05-04"),
        ("the venue as at 3 May", "as at 3 May", "2026-05-04"),
        ("the budget as on 3 May", "as on 3 May", "2026-05-04"),
        ("the plan as of last Friday", "as of last Friday", "2026-11-21"),
        ("the plan as of yesterday evening", "as of yesterday evening", "2026-11-20 22:00"),
        ("the plan as of 10am on Friday", "as of 10am on Friday", "2026-11-20 10:00"),
        ("the plan as of May", "as of May", "2026-06-01"),
        ("the plan as of the end of June", "as of the end of June", "2026-07-01"),
        ("the plan as it stood on 3 May", "as it stood on 3 May", "2026-05-04"),
        ("how things stood on 3 May", "stood on 3 May", "2026-05-04"),
        ("what did we know on 3 May about the venue?", "3 May", "2026-05-04"),
        ("what did we know about the venue on 3 May?", "3 May", "2026-05-04"),
        ("what did the others know last week?", "last week", "2026-11-16"),
        ("what was known before 3 May?", "before 3 May", "2026-05-03"),
        ("who knew by Tuesday?", "by Tuesday", "2026-11-18"),
        ("Stand 3. Mai: was kostet die Miete?", "Stand 3. Mai", "2026-05-04"),
        ("Wie war der Plan, Stand 3. November?", "Stand 3. November", "2026-11-04"),
        ("Was wussten wir am 3. November?", "3. November", "2026-11-04"),
        ("quel était le prix, état au 3 mai ?", "état au 3 mai", "2026-05-04"),
        ("el precio a fecha de 3 de mayo", "a fecha de 3 de mayo", "2026-05-04"),
    ],
)
def test_a_phrase_asks_for_what_was_known_by_then(text: str, phrase: str, until: str) -> None:
    (time,) = found(text)

    assert time.phrase == phrase
    assert time.as_of
    assert (time.window.start, time.window.end) == (None, datetime.fromisoformat(until).replace(tzinfo=PARIS))


@pytest.mark.parametrize(
    "text",
    [
        "as of now, who pays for the venue?",
        "who pays as of today?",
        "nobody has answered as of yet",
        "how busy is Ana as of late?",
        "who has been on call as of recently?",
        "as of this week, who pays?",
        "what is the state of the venue?",
        "who bought the music stand?",
    ],
)
def test_what_is_still_true_asks_for_no_moment(text: str) -> None:
    assert found(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "what did we say on 3 May about the venue?",
        "did you know what Ben said on Friday?",
        "does Ana know what happened on Friday?",
        "who has known Ben since Friday?",
        "what was said before 3 May?",
        "Wo stand am 3. November das Auto?",
    ],
)
def test_a_time_at_which_something_was_said_is_no_moment_of_knowledge(text: str) -> None:
    times = found(text)

    assert times
    assert not any(time.as_of for time in times)
