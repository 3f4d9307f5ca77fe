"""Keep questions and their answers in long-term memory until they are delivered, and what people think of them."""

import logging
from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from psycopg.sql import SQL, Composed
from psycopg.types.json import Jsonb
from sqlalchemy.ext.asyncio import AsyncSession

from db.engines import Sessions, timely_transaction
from db.statements import Row, execute, fetch
from memory.answers.kept import Kept, KeptAnswer, KeptQuestion, Posted, Rated, Rating, State
from memory.message import sanitize

logger = logging.getLogger(__name__)

STORE_LIMIT = timedelta(seconds=2)
"""How long one statement may take by default: somebody waits for an answer, which is better not kept than late."""

KEPT_FOR = timedelta(days=30)
"""How long an answer is kept that nobody has rated."""

MOST_OWED = 1_000
"""Questions that are taken up at once."""

_ASK = SQL("""
    INSERT INTO answers (
        question_id, guild_id, channel_id, access_id, asker_id, text, private, all_time, about, asked_at,
        locale, application_id, token, state, attempts, cites, changed_at
    ) VALUES (
        %(question_id)s, %(guild_id)s, %(channel_id)s, %(access_id)s, %(asker_id)s, %(text)s, %(private)s,
        %(all_time)s, %(about)s, %(asked_at)s, %(locale)s, %(application_id)s, %(token)s, 'asked', 0, '{}', %(asked_at)s
    ) ON CONFLICT (question_id) DO NOTHING
""")
_READY = SQL("""
    UPDATE answers SET state = 'ready', answer = %(answer)s, cites = %(cites)s, edits_known_to = %(edits_known_to)s,
        changed_at = %(now)s
    WHERE question_id = %(question_id)s AND delivered_at IS NULL
""")
_SENDING = SQL("""
    UPDATE answers SET state = 'sending', changed_at = %(now)s
    WHERE question_id = %(question_id)s AND delivered_at IS NULL
""")
_TAKE_UP = SQL("""
    UPDATE answers SET attempts = attempts + 1, changed_at = %(now)s
    WHERE question_id = %(question_id)s AND delivered_at IS NULL
""")
_DELIVERED = SQL("""
    UPDATE answers SET state = 'delivered', message_ids = %(message_ids)s, message_id = (%(message_ids)s::bigint[])[1],
        changed_at = %(now)s, delivered_at = %(now)s
    WHERE question_id = %(question_id)s
""")
_GIVE_UP = SQL("""
    UPDATE answers SET state = 'given up', token = NULL, changed_at = %(now)s
    WHERE question_id = %(question_id)s AND delivered_at IS NULL
""")
_WITHDRAW = SQL("""
    WITH given_up AS (
        UPDATE answers SET state = 'given up', token = NULL, changed_at = %(now)s
        WHERE question_id = ANY (%(ids)s::bigint[]) AND delivered_at IS NULL
    )
    SELECT question_id, channel_id, message_id FROM answers
    WHERE question_id = ANY (%(ids)s::bigint[]) AND message_id IS NOT NULL
""")
COLUMNS = SQL("""
    question_id, guild_id, channel_id, access_id, asker_id, text, private, all_time, about, asked_at, locale,
    application_id, token, message_ids, state, attempts, answer, changed_at, edits_known_to, edited_cites, deleted_cites
""")
"""What is read of a question, for `kept_of`."""

_GET = SQL("SELECT {columns} FROM answers WHERE question_id = %(question_id)s").format(columns=COLUMNS)
_OWED = SQL("""
    SELECT {columns} FROM answers
    WHERE delivered_at IS NULL AND state <> 'given up'
      AND (guild_id = ANY (%(guilds)s::bigint[]) OR (guild_id IS NULL AND %(direct)s))
    ORDER BY question_id LIMIT %(limit)s
""").format(columns=COLUMNS)
_COUNT = SQL("""
    SELECT count(*) AS amount FROM answers
    WHERE asker_id = %(asker_id)s AND guild_id = %(guild_id)s AND asked_at >= %(since)s
      AND question_id < %(question_id)s AND state <> 'given up'
""")
_RATE = SQL("""
    INSERT INTO ratings (question_id, rater_id, rating, rated_at)
    SELECT question_id, %(rater_id)s, %(rating)s, %(now)s FROM answers WHERE question_id = %(question_id)s
    ON CONFLICT (question_id, rater_id) DO UPDATE SET rating = excluded.rating, rated_at = excluded.rated_at
""")
_RATED = SQL("""
    SELECT {columns}, rating FROM answers JOIN (
        SELECT question_id AS rated_id, sum(rating) AS rating FROM ratings GROUP BY question_id
    ) AS thumbs ON rated_id = question_id
    WHERE answer IS NOT NULL AND rating <> 0 AND cardinality(edited_cites || deleted_cites) = 0
    ORDER BY question_id DESC LIMIT %(limit)s
""").format(columns=COLUMNS)
_DROP_OLD = SQL("""
    DELETE FROM answers WHERE asked_at < %(before)s AND question_id NOT IN (SELECT question_id FROM ratings)
""")
_DROP_UNCITED_RATINGS = SQL("DELETE FROM ratings WHERE question_id NOT IN (SELECT question_id FROM answers)")


class Thumbs(NamedTuple):
    """How many rows were dropped because nobody needs them any more."""

    answers: int
    ratings: int


class AnswerStore:
    """Reads and writes questions and answers; all of it raises DatabaseUnavailableError."""

    def __init__(self, sessions: Sessions, *, timeout: timedelta = STORE_LIMIT) -> None:
        self._sessions = sessions
        self._timeout = timeout

    async def asked(self, question: KeptQuestion) -> None:
        """Keep a question; one that is known stays as it is."""
        values = {
            "question_id": question.question_id,
            "guild_id": question.guild_id,
            "channel_id": question.channel_id,
            "access_id": question.access_id,
            "asker_id": question.asker_id,
            "text": sanitize(question.text),
            "private": question.private,
            "all_time": question.all_time,
            "about": list(question.about),
            "asked_at": question.asked_at,
            "locale": sanitize(question.locale),
            "application_id": question.application_id,
            "token": question.token,
        }
        await self._execute(_ASK, values)

    async def ready(self, question_id: int, answer: KeptAnswer, *, now: datetime) -> None:
        """Keep the answer to a question."""
        dumped = answer.dump() | {
            "text": sanitize(answer.text),
            "notes": [sanitize(note) for note in answer.notes],
            "pages": [[sanitize(words) for words in page] for page in answer.pages],
        }
        values = {"answer": Jsonb(dumped), "cites": answer.cites, "edits_known_to": answer.edits_known_to}
        await self._execute(_READY, {"question_id": question_id, "now": now, **values})

    async def sending(self, question_id: int, *, now: datetime) -> None:
        """Note that an answer is about to be sent."""
        await self._execute(_SENDING, {"question_id": question_id, "now": now})

    async def taken_up(self, question_id: int, *, now: datetime) -> None:
        """Note one more attempt to answer a question, or to deliver its answer."""
        await self._execute(_TAKE_UP, {"question_id": question_id, "now": now})

    async def delivered(self, question_id: int, *, message_ids: Sequence[int], now: datetime) -> None:
        """Note that Discord has taken an answer, and in which messages; its token is kept while it lives."""
        await self._execute(_DELIVERED, {"question_id": question_id, "message_ids": list(message_ids), "now": now})

    async def give_up(self, question_id: int, *, now: datetime) -> None:
        """Note that a question will not be answered any more; its token is forgotten."""
        await self._execute(_GIVE_UP, {"question_id": question_id, "now": now})

    async def withdraw(self, question_ids: Collection[int], *, now: datetime) -> list[Posted]:
        """Note that questions were deleted, and are not to be answered any more; return where answers stand already."""
        rows = await self._fetch(_WITHDRAW, {"ids": sorted(question_ids), "now": now})
        return [Posted(row["question_id"], row["channel_id"], row["message_id"]) for row in rows]

    async def get(self, question_id: int) -> Kept | None:
        """Return a question; None when it is not kept."""
        rows = await self._fetch(_GET, {"question_id": question_id})
        return kept_of(rows[0]) if rows else None

    async def owed(self, guild_ids: Collection[int], *, direct_messages: bool) -> list[Kept]:
        """Return the oldest questions of these guilds whose answers were not delivered; perhaps direct messages too."""
        values = {"guilds": sorted(guild_ids), "direct": direct_messages, "limit": MOST_OWED}
        return [kept_of(row) for row in await self._fetch(_OWED, values)]

    async def count_since(self, since: datetime, *, asker_id: int, guild_id: int, before: int) -> int:
        """Return how many questions somebody has asked in a guild since a moment and `before` the one with that id.

        What was given up does not count.
        """
        values = {"asker_id": asker_id, "guild_id": guild_id, "since": since, "question_id": before}
        return int((await self._fetch(_COUNT, values))[0]["amount"])

    async def rate(self, question_id: int, rating: Rating, *, rater_id: int, now: datetime) -> bool:
        """Keep what somebody thinks of an answer, in place of what they thought before; False when it is not kept."""
        values = {"question_id": question_id, "rater_id": rater_id, "rating": int(rating), "now": now}
        return await self._execute(_RATE, values) > 0

    async def rated(self, *, limit: int) -> list[Rated]:
        """Return the newest questions whose thumbs do not balance, with their answers as they were rated."""
        found = [(kept_of(row), int(row["rating"])) for row in await self._fetch(_RATED, {"limit": limit})]
        return [
            Rated(question=kept.question, answer=kept.answer, rating=rating)
            for kept, rating in found
            if kept.answer is not None
        ]

    async def drop_old(self, now: datetime) -> Thumbs:
        """Delete what is older than KEPT_FOR and was never rated, and ratings of what is gone."""
        async with self._transaction() as session:
            answers = await execute(session, _DROP_OLD, {"before": now - KEPT_FOR})
            return Thumbs(answers, await execute(session, _DROP_UNCITED_RATINGS))

    async def _execute(self, statement: SQL | Composed, values: dict[str, Any]) -> int:
        async with self._transaction() as session:
            return await execute(session, statement, values)

    async def _fetch(self, statement: SQL | Composed, values: dict[str, Any]) -> Sequence[Row]:
        async with self._transaction() as session:
            return await fetch(session, statement, values)

    def _transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        return timely_transaction(self._sessions, timeout=self._timeout, about="an answer")


def kept_of(row: Row) -> Kept:
    """Return a question from a row that has COLUMNS."""
    question = KeptQuestion(
        question_id=row["question_id"],
        guild_id=row["guild_id"],
        channel_id=row["channel_id"],
        access_id=row["access_id"],
        asker_id=row["asker_id"],
        text=row["text"],
        private=row["private"],
        all_time=row["all_time"],
        about=tuple(row["about"]),
        asked_at=row["asked_at"],
        locale=row["locale"],
        application_id=row["application_id"],
        token=row["token"],
    )
    return Kept(
        question=question,
        state=State(row["state"]),
        changed_at=row["changed_at"],
        attempts=row["attempts"],
        answer=_answer(row),
        message_ids=tuple(row["message_ids"]),
        edited=frozenset(row["edited_cites"]),
        deleted=frozenset(row["deleted_cites"]),
    )


def _answer(row: Row) -> KeptAnswer | None:
    """Return the answer of a row; None for one that another version has kept in another form, which is asked anew."""
    if row["answer"] is None:
        return None
    try:
        return replace(KeptAnswer.load(row["answer"]), edits_known_to=row["edits_known_to"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        logger.warning("the kept answer to question %d cannot be read: %r", row["question_id"], error)
        return None
