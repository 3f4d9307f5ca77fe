"""Keep the turns of each conversation in long-term memory, so that a restart does not end it."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import NamedTuple

from psycopg.sql import SQL
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from agent.changed_answers import without_changed
from agent.citations import without_marks
from agent.types import Answer, Question
from db.engines import Sessions, timely_transaction, transaction
from db.locks import wait_for_turn
from db.statements import Row, execute, fetch
from memory.answers.changes import AnswerChanges
from memory.message import Message, sanitize
from memory.search.interface import MemoryReader
from util_async import periodic

ANSWER_LIMIT = timedelta(seconds=15)
"""How long to read or write a conversation may take by default: an answer without its history is better than none."""

KEPT_TURNS = 50
"""Turns of a conversation that are kept: with a line of question and one of answer each, they fill the default
LLM_HISTORY_TOKENS. What no later question can build on is not kept."""


class ConversationKey(NamedTuple):
    """What one conversation is kept under: what was answered in private must not come up in public."""

    channel_id: int
    asker_id: int
    private: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A question with its final answer, without citation marks.

    `cites` are the ids of the messages that the answer cites, and `audience` those of the places that it may tell of:
    whoever reads it should be allowed to read all of them. Both are empty where nothing was cited or shown, and for
    turns of versions that did not keep them.
    """

    asked_at: datetime
    question: str
    answer: str
    cites: tuple[int, ...] = ()
    audience: frozenset[int] = frozenset()


class Conversations:
    """Read and append to conversations, each of which keeps its newest KEPT_TURNS turns."""

    def __init__(self, sessions: Sessions, *, timeout: timedelta = ANSWER_LIMIT) -> None:
        self._sessions = sessions
        self._timeout = timeout

    async def recall(self, key: ConversationKey) -> list[Turn]:
        """Return the turns of a conversation, oldest first; raise DatabaseUnavailableError when they cannot be read."""
        async with self._transaction() as session:
            rows = await fetch(session, _NEWEST_FIRST, {**key._asdict(), "kept": KEPT_TURNS})
        return [_turn(row) for row in reversed(rows)]

    async def append(self, key: ConversationKey, turn: Turn) -> None:
        """Add a turn to the end of a conversation, and delete those that are too old to be kept.

        Raises DatabaseUnavailableError when that cannot be done now.
        """
        async with self._transaction() as session:
            await execute(session, _LOCK, {"lock": f"backscroll.conversation {':'.join(map(str, key))}"})
            await execute(session, _APPEND, {**key._asdict(), **_values(turn), "kept": KEPT_TURNS})

    def _transaction(self) -> AbstractAsyncContextManager[AsyncSession]:
        return timely_transaction(self._sessions, timeout=self._timeout, about="a conversation")


_NEWEST_FIRST = SQL("""
    SELECT asked_at, question, answer, cites, audience FROM conversation_turns
    WHERE asker_id = %(asker_id)s AND channel_id = %(channel_id)s AND private = %(private)s
    ORDER BY number DESC LIMIT %(kept)s
""")

_LOCK = SQL("SELECT pg_advisory_xact_lock(hashtextextended(%(lock)s, 0))")
"""Two that append to one conversation at once take turns."""

_APPEND = SQL("""
    WITH newest AS (
        SELECT coalesce(max(number), 0) AS number FROM conversation_turns
        WHERE asker_id = %(asker_id)s AND channel_id = %(channel_id)s AND private = %(private)s
    ), added AS (
        INSERT INTO conversation_turns
            (asker_id, channel_id, private, number, asked_at, question, answer, cites, audience)
        SELECT %(asker_id)s, %(channel_id)s, %(private)s, number + 1, %(asked_at)s, %(question)s, %(answer)s,
            %(cites)s::bigint[], %(audience)s::bigint[]
        FROM newest
    )
    DELETE FROM conversation_turns
    WHERE asker_id = %(asker_id)s AND channel_id = %(channel_id)s AND private = %(private)s
      AND number <= (SELECT number + 1 FROM newest) - %(kept)s
""")


def _values(turn: Turn) -> dict[str, object]:
    return {
        "asked_at": turn.asked_at,
        "question": sanitize(turn.question),
        "answer": sanitize(turn.answer),
        "cites": list(turn.cites),
        "audience": sorted(turn.audience),
    }


def _turn(row: Row) -> Turn:
    return Turn(
        asked_at=row["asked_at"],
        question=row["question"],
        answer=row["answer"],
        cites=tuple(row["cites"]),
        audience=frozenset(row["audience"]),
    )


_CHARACTERS = 4  # of a token, as languages in Latin letters have them
_OVERHEAD = 12  # tokens that a message's number, time, channel and author take


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier question and the messages that its answer cited, in their present state.

    The answer is not among it: it is no evidence, and may have words of messages that are gone by now.
    """

    question: str
    messages: tuple[Message, ...] = ()
    asked_at: datetime | None = None
    """When it was asked, from which its words of time count; None where that is not known."""


def finished_turn(question: Question, answer: Answer) -> Turn:
    """Return a turn to keep; marks are left out, for the next run numbers its messages anew."""
    return Turn(
        asked_at=question.now,
        question=question.text,
        answer=without_marks(answer.text),
        cites=tuple(source.message.message_id for source in answer.sources),
        audience=answer.shown_places,
    )


async def earlier_questions(
    turns: Sequence[Turn], *, question: Question, memory: MemoryReader, max_tokens: int
) -> list[Earlier]:
    """Return the newest turns that a question may build on and that fit into about `max_tokens`, oldest first.

    Left out is a turn that may tell of a place which this question may not use, and one whose answer cites a message
    that was deleted, erased or edited since. Raises DatabaseUnavailableError when memory does not tell which those are.
    """
    allowed = [turn for turn in turns if turn.question.strip() and turn.audience <= question.places]
    cited = {message_id for turn in allowed for message_id in turn.cites}
    present = await memory.lookup(cited, places=question.places) if cited else {}
    return _fitting(
        [_earlier(turn, present) for turn in allowed if _is_unchanged(turn, present)], max_tokens=max_tokens
    )


def approximate_tokens(text: str) -> int:
    """Return about how many tokens a text is to a model."""
    return ceil(len(text) / _CHARACTERS)


def _is_unchanged(turn: Turn, present: Mapping[int, Message]) -> bool:
    """Return whether all messages that a turn cites are stored, and unchanged since the question was asked."""
    cited = [present.get(message_id) for message_id in turn.cites]
    return all(message and (not message.edited_at or message.edited_at <= turn.asked_at) for message in cited)


def _earlier(turn: Turn, present: Mapping[int, Message]) -> Earlier:
    question = " ".join(turn.question.split())
    return Earlier(question, tuple(present[message_id] for message_id in turn.cites), turn.asked_at)


def _fitting(turns: Iterable[Earlier], *, max_tokens: int) -> list[Earlier]:
    kept: list[Earlier] = []
    left = max_tokens
    for turn in reversed(list(turns)):
        left -= _OVERHEAD + approximate_tokens(turn.question)
        left -= sum(_OVERHEAD + approximate_tokens(message.content) for message in turn.messages)
        if left < 0:
            break
        kept.append(turn)
    return kept[::-1]


logger = logging.getLogger(__name__)

_LOOK_EVERY = timedelta(minutes=10)
_AT_ONCE = 5000  # messages that are looked up together
_TURN = "backscroll.stale_turns"  # of processes that share long-term memory

_CITED = text("SELECT unnest(cites) FROM conversation_turns UNION SELECT unnest(cites) FROM answers")
_DELETED = text("SELECT message_id FROM messages WHERE message_id = ANY (:ids) AND deleted_at IS NOT NULL")
_EDITED = text("SELECT message_id, edited_at FROM messages WHERE message_id = ANY (:ids) AND edited_at IS NOT NULL")
_DROP_DELETED = text("DELETE FROM conversation_turns WHERE cites && CAST(:ids AS bigint[]) RETURNING number")
_DROP_EDITED = text(
    "DELETE FROM conversation_turns USING unnest(CAST(:ids AS bigint[]), CAST(:times AS timestamptz[]))"
    " AS edited(message_id, edited_at) WHERE message_id = ANY (cites) AND edited_at > asked_at RETURNING number"
)


def kept_free_of_stale_turns(
    long_term: Sessions, short_term: Sessions, *, clock: Callable[[], datetime], every: timedelta = _LOOK_EVERY
) -> AbstractAsyncContextManager[None]:
    """Delete such turns now and then for as long as the context lasts, the first time at once."""

    async def look() -> None:
        try:
            await drop_stale_turns(long_term, short_term, now=clock())
        except Exception as error:  # noqa: BLE001  # whatever it is, the bot goes on, and the next look comes soon
            logger.warning("conversations could not be looked through: %s", type(error).__name__)

    return periodic(look, every=every, at_once=True)


async def drop_stale_turns(long_term: Sessions, short_term: Sessions, *, now: datetime) -> int:
    """Delete the turns that cite a message which either memory knows to be deleted, or edited after the question.

    What kept answers say of these messages is taken out, and they are queued to be updated in Discord. Return how many
    turns those were. Raises DatabaseUnavailableError.
    """
    async with transaction(long_term) as session:
        cited = list(await session.scalars(_CITED))
    dropped = 0
    for start in range(0, len(cited), _AT_ONCE):
        for memory in (short_term, long_term):
            dropped += await _drop(long_term, memory, cited[start : start + _AT_ONCE], now)
    if dropped:
        logger.info("%d turns of conversations are gone, with what was deleted or edited since", dropped)
    return dropped


async def _drop(long_term: Sessions, memory: Sessions, ids: Sequence[int], now: datetime) -> int:
    async with transaction(memory) as session:
        deleted = list(await session.scalars(_DELETED, {"ids": ids}))
        edited = (await session.execute(_EDITED, {"ids": ids})).all()
    if not deleted and not edited:
        return 0
    times = {"ids": [row.message_id for row in edited], "times": [row.edited_at for row in edited]}
    async with transaction(long_term) as session:
        await wait_for_turn(session, _TURN)
        gone = (await session.execute(_DROP_DELETED, {"ids": deleted})).all()
        outdated = (await session.execute(_DROP_EDITED, times)).all()
    edits = {row.message_id: row.edited_at for row in edited}
    await AnswerChanges(long_term).note(edited=edits, deleted=deleted, take_out=without_changed, now=now)
    return len(gone) + len(outdated)
