"""Tell a person what both memories hold of them, and hand it over: their own words and choices, never others' words."""

import asyncio
import csv
import io
import json
import zipfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg.sql import SQL, Composed

from db.engines import Sessions, transaction
from db.schema import ACCESS_ID
from db.statements import fetch

LARGEST_PART = 9 * 10**6
"""Bytes of an archive, of which Discord takes ten million."""

MOST_PARTS = 5

_AT_ONCE = 1000  # messages
_ENTRY = 64 * 1024  # bytes that an archive may grow by beyond what is counted
_FORWARDED = "forward"

_COUNTED = SQL("""
    SELECT guild_id, {access_id} AS access_id, max(channel_name) AS channel_name, count(*) AS messages,
        count(edited_at) AS edited, min(sent_at) AS first, max(sent_at) AS last
    FROM messages
    WHERE author_id = %(person_id)s AND session IS DISTINCT FROM %(left_out)s::text
    GROUP BY 1, 2
""").format(access_id=SQL(ACCESS_ID))
_COUNTED_OF = SQL("""
    SELECT count(*) AS messages, count(DISTINCT author_id) AS people FROM messages
    WHERE (message_id = ANY (%(messages)s::bigint[]) OR channel_id = ANY (%(channels)s::bigint[])
        OR thread_id = ANY (%(channels)s::bigint[]))
    AND session IS DISTINCT FROM %(left_out)s::text
""")
_AUTHOR_OF = SQL("""
    SELECT author_id, channel_id, thread_id, guild_id FROM messages
    WHERE message_id = %(message_id)s AND kind IN ('message', 'command') LIMIT 1
""")
_MESSAGES = SQL("""
    SELECT message_id, sent_at, guild_id, channel_id, thread_id, channel_name, author_name, kind, content, attachments,
        edited_at, deleted_at, reply_to, forwarded_from, parts
    FROM messages
    WHERE author_id = %(person_id)s AND session IS DISTINCT FROM %(left_out)s::text
    AND (sent_at, message_id) < (%(before)s::timestamptz, %(before_id)s::bigint)
    ORDER BY sent_at DESC, message_id DESC LIMIT %(limit)s
""")
_EARLIER_TEXTS = SQL("""
    SELECT message_id, revised_at, content FROM message_revisions WHERE message_id = ANY (%(ids)s::bigint[])
    ORDER BY message_id, revised_at
""")
_CHOICES: Mapping[str, SQL] = {
    "questions": SQL("""
        SELECT question_id, asked_at, guild_id, channel_id, private, text FROM answers
        WHERE asker_id = %(person_id)s ORDER BY asked_at
    """),
    "turns of conversations": SQL("""
        SELECT asked_at, channel_id, private, question FROM conversation_turns
        WHERE asker_id = %(person_id)s ORDER BY asked_at
    """),
    "ratings": SQL("SELECT question_id, rating, rated_at FROM ratings WHERE rater_id = %(person_id)s"),
    "decisions marked": SQL("""
        SELECT guild_id, message_id, marked_at, title, supersedes, withdrawn_at FROM decisions
        WHERE marked_by = %(person_id)s ORDER BY marked_at
    """),
    "reminders": SQL("""
        SELECT created_at, due_at, repeat, text, guild_id, channel_id, message_id FROM reminders
        WHERE person_id = %(person_id)s ORDER BY due_at
    """),
    "traces of answers": SQL("""
        SELECT trace_id, made_at, guild_id, channel_id, tree FROM traces WHERE asker_id = %(person_id)s ORDER BY made_at
    """),
    "catch-ups": SQL("SELECT * FROM catch_ups WHERE person_id = %(person_id)s"),
    "time zone": SQL("""
        SELECT zone, set_at FROM time_zones WHERE owner_kind = 'person' AND owner_id = %(person_id)s
    """),
    "opt-out": SQL("SELECT kind, opted_out_at FROM opt_outs WHERE person_id = %(person_id)s"),
    "names": SQL("""
        SELECT DISTINCT author_name, min(first_seen) AS first_seen, max(last_seen) AS last_seen FROM names
        WHERE author_id = %(person_id)s GROUP BY author_name ORDER BY last_seen
    """),
}
"""What long-term memory holds of a person besides messages, under the name by which it is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOfPlace:
    """How much of what a person said in a channel, or in a private thread, is held."""

    guild_id: int | None
    access_id: int
    channel_name: str
    messages: int
    edited: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """What is held of a person: messages by place, most first, and how much of everything else."""

    places: tuple[HeldOfPlace, ...]
    amounts: Mapping[str, int]
    choices: Mapping[str, str] = field(default_factory=dict)
    """What they have chosen, in words: a time zone, an opt-out."""

    @property
    def messages(self) -> int:
        """How many messages there are in all."""
        return sum(place.messages for place in self.places)


@dataclass(frozen=True, slots=True)
class HeldMessage:
    """Whose message it is, and where it stands."""

    author_id: int | None
    channel_id: int
    thread_id: int | None
    guild_id: int | None


class PersonalData:
    """Reads what both memories hold of a person; `session` is the one of short-term memory, once it was promoted too.

    Every method raises DatabaseUnavailableError unless both memories answer: half an answer would be a wrong one.
    """

    def __init__(self, short_term: Sessions, long_term: Sessions, *, session: str) -> None:
        self._short_term = short_term
        self._long_term = long_term
        self._session = session

    async def held(self, person_id: int) -> Held:
        """Return what is held of a person, wherever they said it."""
        rows = await self._of_both(_COUNTED, {"person_id": person_id})
        choices = await self._choices(person_id)
        amounts = {name: len(found) for name, found in choices.items() if found}
        words = {
            "time zone": ", ".join(row["zone"] for row in choices["time zone"]),
            "opt-out": ", ".join(row["kind"] for row in choices["opt-out"] if row["kind"] != "none"),
        }
        return Held(_by_place(rows), amounts, {name: chosen for name, chosen in words.items() if chosen})

    async def count(self, *, messages: Sequence[int] = (), channels: Sequence[int] = ()) -> tuple[int, int]:
        """Return how many messages are held of some, or of channels and threads, and of how many people at most."""
        rows = await self._of_both(_COUNTED_OF, {"messages": list(messages), "channels": list(channels)})
        return sum(row["messages"] for row in rows), max((row["people"] for row in rows), default=0)

    async def message(self, message_id: int) -> HeldMessage | None:
        """Return whose a message is that is held; None for one that is not."""
        rows = await self._of_both(_AUTHOR_OF, {"message_id": message_id})
        return HeldMessage(**rows[0]) if rows else None

    async def export(self, person_id: int, *, largest: int = LARGEST_PART) -> AsyncGenerator[bytes]:
        """Yield archives with what is held of a person, newest messages first, and no more than MOST_PARTS of them.

        Each holds `messages.csv` and `earlier_texts.csv`, the first `choices.json` as well. Of a forward only what the
        person has written is in it.
        """
        choices = await self._choices(person_id)
        part = _Archive(choices)
        parts = 0
        for database in (self._short_term, self._long_term):
            async for messages, texts in self._pages(database, person_id):
                if part.size > largest - _ENTRY:
                    yield await asyncio.to_thread(part.finished)
                    parts += 1
                    if parts == MOST_PARTS:
                        return
                    part = _Archive(None)
                await asyncio.to_thread(part.add, messages, texts)
        yield await asyncio.to_thread(part.finished)

    async def _choices(self, person_id: int) -> dict[str, list[dict[str, Any]]]:
        async with transaction(self._long_term) as session:
            return {
                name: await fetch(session, statement, {"person_id": person_id}) for name, statement in _CHOICES.items()
            }

    async def _pages(
        self, database: Sessions, person_id: int
    ) -> AsyncGenerator[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
        """Yield a person's messages of a memory with their earlier texts, some at a time, newest first."""
        values: dict[str, Any] = {"person_id": person_id, "before": "infinity", "before_id": 0, "limit": _AT_ONCE}
        while rows := await self._rows(database, _MESSAGES, values):
            ids = [row["message_id"] for row in rows if row["forwarded_from"] is None]
            yield rows, await self._rows(database, _EARLIER_TEXTS, {"ids": ids})
            values |= {"before": rows[-1]["sent_at"], "before_id": rows[-1]["message_id"]}

    async def _of_both(self, statement: SQL | Composed, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            row
            for database in (self._short_term, self._long_term)
            for row in await self._rows(database, statement, values)
        ]

    async def _rows(
        self, asked: Sessions, statement: SQL | Composed, values: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Return the rows of one memory; long-term memory leaves out what short-term memory has too."""
        left_out = None if asked is self._short_term else self._session
        async with transaction(asked) as session:
            return await fetch(session, statement, {**values, "left_out": left_out})


def _by_place(rows: Sequence[Mapping[str, Any]]) -> tuple[HeldOfPlace, ...]:
    places: dict[int, HeldOfPlace] = {}
    for row in rows:
        new = HeldOfPlace(**row)
        old = places.get(new.access_id)
        places[new.access_id] = new if old is None else _both(old, new)
    return tuple(sorted(places.values(), key=lambda place: -place.messages))


def _both(one: HeldOfPlace, other: HeldOfPlace) -> HeldOfPlace:
    newest = max(one, other, key=lambda place: place.last)
    return HeldOfPlace(
        guild_id=newest.guild_id,
        access_id=one.access_id,
        channel_name=newest.channel_name,
        messages=one.messages + other.messages,
        edited=one.edited + other.edited,
        first=min(one.first, other.first),
        last=newest.last,
    )


_OF_MESSAGE = (
    *("message_id", "sent_at", "guild_id", "channel_id", "thread_id", "channel_name", "author_name", "kind", "content"),
    *("attachments", "edited_at", "deleted_at", "reply_to", "forwarded_from"),
)
_OF_TEXT = ("message_id", "revised_at", "content")


class _Archive:
    """A ZIP archive in the making."""

    def __init__(self, choices: Mapping[str, Sequence[Mapping[str, Any]]] | None) -> None:
        self._choices = choices
        self._messages, self._texts = io.StringIO(newline=""), io.StringIO(newline="")
        self._to_messages = csv.DictWriter(self._messages, _OF_MESSAGE, extrasaction="ignore")
        self._to_texts = csv.DictWriter(self._texts, _OF_TEXT, extrasaction="ignore")
        self._to_messages.writeheader()
        self._to_texts.writeheader()

    @property
    def size(self) -> int:
        """How many bytes it has at most, as texts shrink in it."""
        return 2 * (self._messages.tell() + self._texts.tell())

    def add(self, messages: Sequence[Mapping[str, Any]], texts: Sequence[Mapping[str, Any]]) -> None:
        """Add messages and earlier texts."""
        for row in messages:
            files = json.dumps(row["attachments"], ensure_ascii=False)
            self._to_messages.writerow({**row, "content": _own_words(row), "attachments": files})
        self._to_texts.writerows(texts)

    def finished(self) -> bytes:
        """Return the whole archive."""
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("messages.csv", self._messages.getvalue())
            archive.writestr("earlier_texts.csv", self._texts.getvalue())
            if self._choices is not None:
                choices = json.dumps(self._choices, ensure_ascii=False, indent=1, default=str)
                archive.writestr("choices.json", choices)
        return target.getvalue()


def _own_words(row: Mapping[str, Any]) -> str:
    """Return what a person has written of a message: nothing of what it forwards."""
    content: str = row["content"]
    if row["forwarded_from"] is None:
        return content
    own = [part for part in row["parts"] if part["source"] != _FORWARDED]
    return "".join(content[part["start"] : part["end"]] for part in own)
