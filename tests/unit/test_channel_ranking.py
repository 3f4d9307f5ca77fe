"""Which channels a catch-up tells a person to read, to skim and to skip, and why: the same for the same messages."""

from typing import Any

from overviews.channel_ranking import FAMILIAR_COUNTED, RankedChannel, Verdict, ranked_channels
from overviews.traces import Trace
from tests.builders import minute

OPS, NEWS, RANDOM = 21, 22, 23
BEN, CLEO = "2", "3"
MINE = 900


def trace(number: int, channel: int = OPS, **changes: Any) -> Trace:
    """Return message `number`, which Ben sent in that minute."""
    fields: dict[str, Any] = {"place_id": channel, "author": BEN, **changes}
    return Trace(number, minute(number), channel, **fields)


def rank(*traces: Trace, familiar: set[str] | None = None, questions: tuple[Trace, ...] = ()) -> list[RankedChannel]:
    return ranked_channels(traces, own_ids={MINE}, familiar=familiar or set(), questions=questions)


def test_one_reply_to_the_person_comes_before_a_thousand_messages() -> None:
    busy = [trace(number, NEWS) for number in range(1000)]

    first, second = rank(*busy, trace(2000, reply_to=MINE))

    assert (first.channel_id, first.verdict) == (OPS, Verdict.READ)
    assert (second.channel_id, second.verdict) == (NEWS, Verdict.SKIP)


def test_the_reason_says_what_matters_most_first() -> None:
    asked = trace(3, reactions=1)

    (channel,) = rank(
        trace(1, reply_to=MINE, mentions=True),
        trace(2, mentions=True, author=CLEO),
        asked,
        familiar={CLEO},
        questions=(asked,),
    )

    assert channel.reason == (
        "1 reply to you, 1 mention of you, 1 message from people you talk with, 1 open question, 1 reaction, 3 messages"
    )


def test_a_channel_with_nothing_but_messages_is_to_be_skipped_and_says_so() -> None:
    (channel,) = rank(trace(1), trace(2))

    assert (channel.verdict, channel.reason) == (Verdict.SKIP, "only 2 messages")


def test_what_people_say_whom_the_person_talks_with_makes_a_channel_worth_skimming_and_no_more() -> None:
    said = [trace(number, author=CLEO) for number in range(5 * FAMILIAR_COUNTED)]

    (few,) = rank(*said[:5], familiar={CLEO})
    (many,) = rank(*said[:8], familiar={CLEO})
    (all_of_it,) = rank(*said, familiar={CLEO})

    assert (few.verdict, many.verdict) == (Verdict.SKIM, Verdict.SKIM)
    assert all_of_it.score < 2 * FAMILIAR_COUNTED + 6


def test_questions_and_reactions_count_up_to_a_limit() -> None:
    asked = tuple(trace(number, RANDOM) for number in range(3))

    (channel,) = rank(*asked, questions=asked)
    (liked,) = rank(trace(1, NEWS, reactions=5000))

    assert channel.score == 2 * 3 + 2
    assert liked.score == 20 / 2 + 1


def test_a_channel_leads_to_what_concerns_the_person_and_else_to_where_it_begins() -> None:
    ops, news = rank(trace(1), trace(2, reply_to=MINE), trace(3), trace(4, NEWS), trace(5, NEWS))

    assert (ops.first.message_id, news.first.message_id) == (2, 4)


def test_a_thread_counts_for_its_channel() -> None:
    (channel,) = rank(trace(1), trace(2, place_id=77))

    assert channel.messages == 2


def test_the_same_messages_are_ranked_in_the_same_order_whatever_theirs_is() -> None:
    same = [trace(number, channel) for number, channel in enumerate((NEWS, OPS, RANDOM))]

    assert [channel.channel_id for channel in rank(*same)] == [OPS, NEWS, RANDOM]
    assert [channel.channel_id for channel in rank(*reversed(same))] == [OPS, NEWS, RANDOM]


def test_without_messages_there_are_no_channels() -> None:
    assert rank() == []
