"""Keep which answers cite messages that were edited or deleted since, until what Discord shows of them is updated."""

import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from psycopg.sql import SQL, Composed
from psycopg.types.json import Jsonb
from sqlalchemy.ext.asyncio import AsyncSession

from db.engines import Sessions, timely_transaction
from db.statements import Row, execute, fetch
from memory.answers.kept import Kept, KeptAnswer, State
from memory.answers.store import COLUMNS, kept_of

logger = logging.getLogger(__name__)

SETTLES_IN = timedelta(seconds=2)
"""How long an update waits for further changes, which are shown together."""

APART = timedelta(seconds=15)
"""From one update of an answer to the next, however often what it cites is edited."""

STORE_LIMIT = timedelta(seconds=15)
MOST_AT_ONCE = 500
"""Answers that are looked at in one transaction."""

MOST_DUE = 100

# What has been taken account of is not found again. What is still owed is checked before it is delivered.
_CITING = SQL("""
    SELECT {columns}, cites FROM answers
    WHERE cites && %(ids)s::bigint[] AND state IN ('delivered', 'given up') AND (
        EXISTS (
            SELECT FROM unnest(%(deleted)s::bigint[]) AS gone(id) WHERE id = ANY (cites) AND id <> ALL (deleted_cites)
        ) OR EXISTS (
            SELECT FROM unnest(%(edited)s::bigint[], %(times)s::timestamptz[]) AS edit(id, edited_at)
            WHERE id = ANY (cites) AND id <> ALL (deleted_cites) AND edited_at > coalesce(edits_known_to, asked_at)
        )
    )
    ORDER BY question_id LIMIT %(limit)s FOR UPDATE
""").format(columns=COLUMNS)
_QUEUE = SQL("""
    UPDATE answers SET answer = %(answer)s, edited_cites = %(edited)s, deleted_cites = %(deleted)s,
        edits_known_to = %(edits_known_to)s, update_since = coalesce(update_since, %(now)s), update_tries = 0,
        update_at = greatest(%(now)s + %(settles_in)s, changed_at + %(apart)s)
    WHERE question_id = %(question_id)s
""")
_DROP = SQL("DELETE FROM answers WHERE question_id = %(question_id)s")
_DUE = SQL("""
    SELECT {columns}, update_since, update_tries FROM answers
    WHERE update_at <= %(now)s AND state = 'delivered'
      AND (guild_id = ANY (%(guilds)s::bigint[]) OR (guild_id IS NULL AND %(direct)s))
    ORDER BY update_at LIMIT %(limit)s
""").format(columns=COLUMNS)
_TRY_AT = SQL("""
    UPDATE answers SET update_at = %(at)s, update_tries = %(tries)s
    WHERE question_id = %(question_id)s AND update_at IS NOT NULL
""")
_DONE = SQL("""
    UPDATE answers SET update_at = NULL, update_since = NULL, update_tries = 0, changed_at = %(now)s
    WHERE question_id = %(question_id)s AND edits_known_to IS NOT DISTINCT FROM %(edits_known_to)s
      AND cardinality(edited_cites) = %(edited)s AND cardinality(deleted_cites) = %(deleted)s
""")
_FORGET_TOKENS = SQL("""
    UPDATE answers SET token = NULL
    WHERE token IS NOT NULL AND asked_at < %(before)s AND state = 'delivered'
""")


class TakeOut(Protocol):
    """Takes out of an answer what it says of messages."""

    def __call__(self, answer: KeptAnswer, *, edited: Collection[int], deleted: Collection[int]) -> KeptAnswer:
        """Return the answer without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedAnswer:
    """An answer whose messages in Discord are to be updated: how long it has waited, and how often it was tried."""

    kept: Kept
    since: datetime
    tries: int
    edits_known_to: datetime | None


class AnswerChanges:
    """Finds answers whose sources have changed, and keeps them in a queue; raises DatabaseUnavailableError."""

    def __init__(self, sessions: Sessions, *, timeout: timedelta = STORE_LIMIT) -> None:
        self._sessions = sessions
        self._timeout = timeout

    async def note(
        self, *, edited: Mapping[int, datetime], deleted: Collection[int], take_out: TakeOut, now: datetime
    ) -> int:
        """Queue the answers that cite messages which were edited, at some time, or deleted; return how many these are.

        In the same transaction what they say of these messages is taken out of what is kept of them.
        """
        amount = 0
        while (found := await self._note_some(edited, deleted, take_out, now)) == MOST_AT_ONCE:
            amount += found
        return amount + found

    async def _note_some(
        self, edited: Mapping[int, datetime], deleted: Collection[int], take_out: TakeOut, now: datetime
    ) -> int:
        values = {
            "ids": sorted({*edited, *deleted}),
            "deleted": sorted(deleted),
            "edited": list(edited),
            "times": list(edited.values()),
            "limit": MOST_AT_ONCE,
        }
        if not values["ids"]:
            return 0
        async with self._transaction() as session:
            rows = await fetch(session, _CITING, values)
            for row in rows:
                if row["state"] == State.DELIVERED:
                    await execute(session, _QUEUE, _changes(row, edited, deleted, take_out, now))
                else:
                    await execute(session, _DROP, {"question_id": row["question_id"]})
        return len(rows)

    async def due(self, guild_ids: Collection[int], *, direct_messages: bool, now: datetime) -> list[ChangedAnswer]:
        """Return those of these guilds that are to be updated by now; perhaps those in direct messages too."""
        values = {"guilds": sorted(guild_ids), "direct": direct_messages, "now": now, "limit": MOST_DUE}
        return [
            ChangedAnswer(
                kept=kept_of(row),
                since=row["update_since"],
                tries=row["update_tries"],
                edits_known_to=row["edits_known_to"],
            )
            for row in await self._fetch(_DUE, values)
        ]

    async def try_at(self, changed: ChangedAnswer, at: datetime) -> None:
        """Note an attempt, and when the next one is to be made unless it succeeds."""
        values = {"question_id": changed.kept.question.question_id, "at": at, "tries": changed.tries + 1}
        await self._execute(_TRY_AT, values)

    async def done(self, changed: ChangedAnswer, *, now: datetime) -> None:
        """Take an answer out of the queue, unless more has changed meanwhile."""
        values = {
            "question_id": changed.kept.question.question_id,
            "edits_known_to": changed.edits_known_to,
            "edited": len(changed.kept.edited),
            "deleted": len(changed.kept.deleted),
            "now": now,
        }
        await self._execute(_DONE, values)

    async def forget_tokens(self, *, before: datetime) -> None:
        """Forget the tokens of delivered answers to what was asked before a moment: they do not live any more."""
        await self._execute(_FORGET_TOKENS, {"before": before})

    async def _execute(self, statement: SQL | Composed, values: dict[str, Any]) -> int:
        async with self._transaction() as session:
            return await execute(session, statement, values)

    async def _fetch(self, statement: SQL | Composed, values: dict[str, Any]) -> Sequence[Row]:
        async with self._transaction() as session:
            return await fetch(session, statement, values)

    def _transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        return timely_transaction(self._sessions, timeout=self._timeout, about="a changed answer")


def _changes(
    row: Row, edited: Mapping[int, datetime], deleted: Collection[int], take_out: TakeOut, now: datetime
) -> dict[str, Any]:
    """Return what is written into the row of an answer: what of its sources has changed, and what is left of it."""
    kept, cites = kept_of(row), row["cites"]
    known_to = row["edits_known_to"] or row["asked_at"]
    now_deleted = kept.deleted.union(set(cites).intersection(deleted))
    edits = {one: edited[one] for one in cites if one in edited and edited[one] > known_to and one not in now_deleted}
    answer = None if kept.answer is None else take_out(kept.answer, edited=edits, deleted=now_deleted)
    return {
        "question_id": row["question_id"],
        "answer": None if answer is None else Jsonb(answer.dump()),
        "edited": sorted((kept.edited | edits.keys()) - now_deleted),
        "deleted": sorted(now_deleted),
        "edits_known_to": max([known_to, *edits.values()]),
        "now": now,
        "settles_in": SETTLES_IN,
        "apart": APART,
    }
