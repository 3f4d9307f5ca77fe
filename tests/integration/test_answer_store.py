"""Questions and answers are kept until they are delivered, and for a while after that."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from db.databases import LONG_TERM, Database
from db.engines import open_engine, parse_dsn, sessions_of
from errors import DatabaseUnavailableError
from memory.answers.kept import Kept, KeptAnswer, KeptQuestion, Posted, Rated, Rating, State
from memory.answers.store import KEPT_FOR, AnswerStore, Thumbs
from tests.conftest import open_new_database
from tests.servers import Server

pytestmark = pytest.mark.server

AT = datetime(2026, 11, 3, 15, 0, tzinfo=UTC)
LATER = AT + timedelta(seconds=3)
GUILD, OTHER_GUILD, ANA, BEN = 11, 12, 21, 22
TOKEN = "aW50ZXJhY3Rpb24"
ANSWER = KeptAnswer(
    text="It leaves at noon [1].",
    outcome="quoted",
    sources={1: 501, 2: 502},
    notes=("A note.",),
    footer="searched yesterday",
    places=frozenset({31, 32}),
    shown_places=frozenset({31}),
    versions={"models": "none"},
)


def question(question_id: int, **changes: Any) -> KeptQuestion:
    asked = KeptQuestion(
        question_id=question_id,
        guild_id=GUILD,
        channel_id=31,
        access_id=31,
        asker_id=ANA,
        text="when does the ferry leave?",
        about=(41, 42),
        asked_at=AT,
        locale="en-US",
        application_id=9,
        token=TOKEN,
    )
    return replace(asked, **changes)


@pytest.fixture
async def migrated(server: Server) -> AsyncIterator[Database]:
    async with open_new_database(server, LONG_TERM, width=12) as database:
        await database.migrate(dimensions=12)
        yield database


@pytest.fixture
def store(migrated: Database) -> AnswerStore:
    return AnswerStore(migrated.sessions)


@pytest.fixture
async def unreachable(unused_tcp_port: int) -> AsyncGenerator[AnswerStore]:
    """A store in a database that does not answer."""
    url = parse_dsn(f"postgresql://127.0.0.1:{unused_tcp_port}/x", name="DSN")
    async with open_engine(url, pool_size=1, timeout=timedelta(seconds=10)) as engine:
        yield AnswerStore(sessions_of(engine))


async def owed(store: AnswerStore, *guilds: int, direct: bool = False) -> list[int]:
    return [kept.question.question_id for kept in await store.owed(guilds, direct_messages=direct)]


async def test_a_question_is_owed_until_its_answer_is_delivered_and_its_token_is_then_forgotten(
    store: AnswerStore,
) -> None:
    await store.asked(question(1))
    assert await store.get(1) == Kept(question=question(1), state=State.ASKED, changed_at=AT)

    await store.taken_up(1, now=AT)
    await store.ready(1, ANSWER, now=LATER)
    await store.sending(1, now=LATER)
    sending = Kept(question=question(1), state=State.SENDING, changed_at=LATER, attempts=1, answer=ANSWER)
    assert await store.owed([GUILD], direct_messages=False) == [sending]

    await store.delivered(1, message_ids=[701], now=LATER)
    assert await owed(store, GUILD) == []
    assert await store.get(1) == replace(sending, state=State.DELIVERED, message_ids=(701,))


async def test_a_question_that_was_given_up_is_owed_no_more_and_has_no_token(store: AnswerStore) -> None:
    await store.asked(question(1))
    await store.give_up(1, now=LATER)

    kept = await store.get(1)
    assert await owed(store, GUILD) == []
    assert kept is not None
    assert (kept.state, kept.question.token) == (State.GIVEN_UP, None)


async def test_what_is_delivered_is_neither_sent_nor_answered_again(store: AnswerStore) -> None:
    await store.asked(question(1))
    await store.delivered(1, message_ids=[701], now=LATER)

    await store.asked(question(1, text="something else"))
    await store.ready(1, ANSWER, now=LATER)
    await store.sending(1, now=LATER)
    await store.taken_up(1, now=LATER)
    await store.give_up(1, now=LATER)

    kept = await store.get(1)
    assert kept is not None
    assert (kept.state, kept.answer, kept.attempts, kept.question.text) == (
        *(State.DELIVERED, None, 0),
        question(1).text,
    )


async def test_each_guild_has_its_own_and_direct_messages_are_taken_up_where_that_is_asked_for(
    store: AnswerStore,
) -> None:
    for one in (question(1), question(2, guild_id=OTHER_GUILD), question(3, guild_id=None)):
        await store.asked(one)

    assert await owed(store) == []
    assert await owed(store, GUILD) == [1]
    assert await owed(store, GUILD, OTHER_GUILD) == [1, 2]
    assert await owed(store, direct=True) == [3]


async def test_questions_of_one_person_in_one_guild_are_counted_since_a_moment(store: AnswerStore) -> None:
    for one in (
        question(1, asked_at=AT - timedelta(hours=1)),
        question(2),
        question(3),
        question(4, asker_id=BEN),
        question(5, guild_id=OTHER_GUILD),
    ):
        await store.asked(one)

    assert await store.count_since(AT, asker_id=ANA, guild_id=GUILD, before=3) == 1
    assert await store.count_since(AT, asker_id=ANA, guild_id=GUILD, before=9) == 2
    await store.give_up(2, now=LATER)
    assert await store.count_since(AT, asker_id=ANA, guild_id=GUILD, before=9) == 1


async def test_the_last_thumb_of_each_person_counts_and_answers_that_divide_people_are_no_regression_set(
    store: AnswerStore,
) -> None:
    for number in (1, 2, 3, 4):
        await store.asked(question(number))
        if number < 4:
            await store.ready(number, ANSWER, now=LATER)
    assert await store.rate(1, Rating.DOWN, rater_id=ANA, now=LATER)
    assert await store.rate(1, Rating.UP, rater_id=ANA, now=LATER)
    assert await store.rate(1, Rating.UP, rater_id=BEN, now=LATER)
    assert await store.rate(2, Rating.UP, rater_id=ANA, now=LATER)
    assert await store.rate(2, Rating.DOWN, rater_id=BEN, now=LATER)
    assert await store.rate(3, Rating.DOWN, rater_id=BEN, now=LATER)
    assert await store.rate(4, Rating.DOWN, rater_id=BEN, now=LATER)
    assert not await store.rate(5, Rating.DOWN, rater_id=BEN, now=LATER)

    assert await store.rated(limit=10) == [
        Rated(question=question(3), answer=ANSWER, rating=-1),
        Rated(question=question(1), answer=ANSWER, rating=2),
    ]


async def test_old_answers_go_but_those_that_somebody_has_rated(store: AnswerStore) -> None:
    for number, age in ((1, KEPT_FOR * 2), (2, KEPT_FOR * 2), (3, timedelta(hours=1))):
        await store.asked(question(number, asked_at=AT - age))
        await store.delivered(number, message_ids=[], now=AT)
    await store.rate(2, Rating.UP, rater_id=ANA, now=AT)

    assert await store.drop_old(AT) == Thumbs(answers=1, ratings=0)

    assert [number for number in (1, 2, 3) if await store.get(number)] == [2, 3]


async def test_an_answer_that_another_version_has_kept_in_another_form_is_none(
    store: AnswerStore, migrated: Database
) -> None:
    await store.asked(question(1))
    async with migrated.engine.begin() as connection:
        await connection.execute(text("""UPDATE answers SET state = 'ready', answer = '{"words": 7}'"""))

    kept = await store.get(1)

    assert kept is not None
    assert kept.answer is None


async def test_a_text_that_postgresql_does_not_take_is_kept_without_what_it_refuses(store: AnswerStore) -> None:
    await store.asked(question(1, text="what\0?"))
    await store.ready(1, replace(ANSWER, text="this\0", notes=("\ud800",)), now=LATER)

    kept = await store.get(1)
    assert kept is not None
    assert kept.answer is not None
    assert (kept.question.text, kept.answer.text, kept.answer.notes) == ("what\ufffd?", "this\ufffd", ("\ufffd",))


async def test_a_database_that_does_not_answer_is_said_to_be_away_in_words_without_a_token(
    unreachable: AnswerStore,
) -> None:
    with pytest.raises(DatabaseUnavailableError) as caught:
        await unreachable.asked(question(1))

    assert TOKEN not in repr(caught.value)
    assert TOKEN not in repr(question(1))


async def test_what_was_deleted_is_owed_no_more_and_its_answer_is_known_where_it_stands(store: AnswerStore) -> None:
    for number in (1, 2, 3):
        await store.asked(question(number))
    await store.delivered(1, message_ids=[91], now=LATER)
    await store.delivered(3, message_ids=[93], now=LATER)

    assert await store.withdraw({1, 2, 77}, now=LATER) == [Posted(1, 31, 91)]

    assert await owed(store, GUILD) == []
    kept = await store.get(2)
    assert kept is not None
    assert (kept.state, kept.question.token) == (State.GIVEN_UP, None)
