"""The tables, the same in the short-term and the long-term database."""

from datetime import datetime
from typing import Any, LiteralString

from pgvector.sqlalchemy import Vector
from sqlalchemy import BigInteger, Boolean, DateTime, Index, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

AwareTime = DateTime(timezone=True)

EMBEDDING_WIDTH: LiteralString = (
    "SELECT atttypmod FROM pg_attribute WHERE attrelid = 'messages'::regclass AND attname = 'embedding'"
)
"""Gives the number of dimensions that the embedding column takes."""


class Base(DeclarativeBase):
    """Base of the row classes."""


class MessageRow(Base):
    """The last known state of one message.

    The width of `embedding` belongs to the deployment's embedding model, so the migration sets it and the model
    here leaves it open. `search_text` is the content with a little context: what BM25 indexes and the embedder
    reads.
    """

    __tablename__ = "messages"

    message_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    sent_at: Mapped[datetime] = mapped_column(AwareTime, primary_key=True)
    session: Mapped[str] = mapped_column(Text)
    guild_id: Mapped[int | None] = mapped_column(BigInteger)
    channel_id: Mapped[int] = mapped_column(BigInteger)
    thread_id: Mapped[int | None] = mapped_column(BigInteger)
    author_id: Mapped[int | None] = mapped_column(BigInteger)
    reply_to: Mapped[int | None] = mapped_column(BigInteger)
    author_name: Mapped[str] = mapped_column(Text)
    channel_name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    content: Mapped[str] = mapped_column(Text)
    attachments: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    edited_at: Mapped[datetime | None] = mapped_column(AwareTime)
    deleted_at: Mapped[datetime | None] = mapped_column(AwareTime)
    in_public_thread: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    forwarded_from: Mapped[int | None] = mapped_column(BigInteger)
    completed_at: Mapped[datetime | None] = mapped_column(AwareTime)
    parts: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    reactions: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    reactions_at: Mapped[datetime | None] = mapped_column(AwareTime)
    search_text: Mapped[str] = mapped_column(Text)
    embedding: Mapped[Any | None] = mapped_column(Vector())
    embedding_model: Mapped[str | None] = mapped_column(Text)
    promotion_id: Mapped[int | None] = mapped_column(BigInteger)


place_id = func.coalesce(MessageRow.thread_id, MessageRow.channel_id)
"""The thread, or else the channel, that a message was sent in."""

ACCESS_ID: LiteralString = "CASE WHEN in_public_thread THEN channel_id ELSE coalesce(thread_id, channel_id) END"
"""The channel or private thread whose readers may read a message, as `memory.message.Message.access_id`.

Its index, `messages_access_sent_at`, stands in the migration alone: a CASE comes back from PostgreSQL in other words.
"""

Index("messages_place_sent_at", place_id, MessageRow.sent_at, MessageRow.message_id)
Index("messages_sent_at", MessageRow.sent_at, MessageRow.message_id)
Index(
    "messages_forwarded_from", MessageRow.forwarded_from, postgresql_where=MessageRow.forwarded_from.is_not(None)
)  # an erasure looks for the copies of what somebody said


class RevisionRow(Base):
    """What a message said until it was edited at `revised_at`."""

    __tablename__ = "message_revisions"

    message_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    revised_at: Mapped[datetime] = mapped_column(AwareTime, primary_key=True)
    content: Mapped[str] = mapped_column(Text)
    promotion_id: Mapped[int | None] = mapped_column(BigInteger)


class JournalPositionRow(Base):
    """How far, in bytes, the journal of a session has been stored here; moved in the same transaction as the rows."""

    __tablename__ = "journal_positions"

    session: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)


class FactRow(Base):
    """A fact about this database: which session it holds, which model made its embeddings."""

    __tablename__ = "facts"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class TimeZoneRow(Base):
    """The time zone that a person or a guild has chosen; long-term memory keeps it, as it outlives a session."""

    __tablename__ = "time_zones"

    owner_kind: Mapped[str] = mapped_column(Text, primary_key=True)
    owner_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    zone: Mapped[str] = mapped_column(Text)
    set_at: Mapped[datetime] = mapped_column(AwareTime)


class GuildSettingRow(Base):
    """What administrators have set for their guild; long-term memory keeps it, as it outlives a session."""

    __tablename__ = "guild_settings"

    guild_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB)
    set_at: Mapped[datetime] = mapped_column(AwareTime)


class OptOutRow(Base):
    """What somebody has asked not to be kept; long-term memory keeps it, as it outlives a session.

    `kind` is a value of `memory.consent.opt_outs.Wish`. Who took it back has a row that says so, lest an older backup
    brings it back.
    """

    __tablename__ = "opt_outs"

    person_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(Text)
    opted_out_at: Mapped[datetime] = mapped_column(AwareTime)


class CoverageRow(Base):
    """A closed interval of message ids of a place that a session's CSV holds; long-term memory keeps them.

    Intervals of one place and session do not overlap. `read_at` is when its messages were last known to be as they are
    stored, `widened_at` when it last came to hold more, and `journal_end` how many bytes the CSV had then.
    """

    __tablename__ = "coverage"

    place_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    session: Mapped[str] = mapped_column(Text, primary_key=True)
    oldest_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    newest_id: Mapped[int] = mapped_column(BigInteger)
    guild_id: Mapped[int | None] = mapped_column(BigInteger)
    reaches_start: Mapped[bool] = mapped_column(Boolean)
    read_at: Mapped[datetime] = mapped_column(AwareTime)
    widened_at: Mapped[datetime] = mapped_column(AwareTime)
    journal_end: Mapped[int] = mapped_column(BigInteger)


Index("coverage_guild", CoverageRow.guild_id)


class PromotionRow(Base):
    """A batch that was brought into long-term memory; the rows that it added bear its number.

    `sessions` are the stems of the sessions whose CSVs it has read from beginning to end.
    """

    __tablename__ = "promotions"

    promotion_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    source: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(AwareTime)
    finished_at: Mapped[datetime | None] = mapped_column(AwareTime)
    undone_at: Mapped[datetime | None] = mapped_column(AwareTime)
    sessions: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))


class ReplacedMessageRow(Base):
    """What a message was like before a promotion changed it: the columns that a later state may change.

    The vector may be of any width, as it may be older than the embedding model of today.
    """

    __tablename__ = "replaced_messages"

    replaced_by: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    message_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    sent_at: Mapped[datetime] = mapped_column(AwareTime, primary_key=True)
    content: Mapped[str] = mapped_column(Text)
    attachments: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    edited_at: Mapped[datetime | None] = mapped_column(AwareTime)
    deleted_at: Mapped[datetime | None] = mapped_column(AwareTime)
    search_text: Mapped[str] = mapped_column(Text)
    embedding: Mapped[Any | None] = mapped_column(Vector())
    embedding_model: Mapped[str | None] = mapped_column(Text)
    completed_at: Mapped[datetime | None] = mapped_column(AwareTime)
    parts: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    reactions: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'::jsonb"))
    reactions_at: Mapped[datetime | None] = mapped_column(AwareTime)


class NameRow(Base):
    """A name under which somebody spoke in a channel or thread, with what that was called then.

    `author_id` is 0 where messages say none, and `author_name` is empty where nobody spoke whose words can be searched.
    Names are cut at `memory.authors.LONGEST_NAME` characters. `promotion_id` is the last batch that has brought it, if
    any did. `in_public_thread` says that the place is a thread which is known to be public.
    """

    __tablename__ = "names"

    place_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    channel_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    channel_name: Mapped[str] = mapped_column(Text, primary_key=True)
    author_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    author_name: Mapped[str] = mapped_column(Text, primary_key=True)
    first_seen: Mapped[datetime] = mapped_column(AwareTime)
    last_seen: Mapped[datetime] = mapped_column(AwareTime)
    promotion_id: Mapped[int | None] = mapped_column(BigInteger)
    in_public_thread: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))


class PlaceRow(Base):
    """What is known of a channel, thread, post or conversation; long-term memory keeps it, as it outlives a session.

    `parent_id` is the channel of a thread, or the category of a channel. `hidden_since` is set while the bot cannot see
    the place, `gone_at` once it was deleted or the bot has left. A thread is `resolved` once the messages that were
    stored before it was known have its parent and kind. `promotion_id` is the batch that alone tells of the place; what
    Discord itself says has none.
    """

    __tablename__ = "places"

    place_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    guild_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    parent_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    kind: Mapped[str] = mapped_column(Text)
    is_private: Mapped[bool] = mapped_column(Boolean)
    name: Mapped[str] = mapped_column(Text)
    archived: Mapped[bool] = mapped_column(Boolean)
    locked: Mapped[bool] = mapped_column(Boolean)
    age_restricted: Mapped[bool] = mapped_column(Boolean)
    spoiler: Mapped[bool] = mapped_column(Boolean)
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    gone_at: Mapped[datetime | None] = mapped_column(AwareTime)
    hidden_since: Mapped[datetime | None] = mapped_column(AwareTime)
    seen_at: Mapped[datetime] = mapped_column(AwareTime)
    resolved: Mapped[bool] = mapped_column(Boolean)
    promotion_id: Mapped[int | None] = mapped_column(BigInteger)


Index("places_unresolved", PlaceRow.place_id, postgresql_where=PlaceRow.resolved.is_(False))


class ErasureRow(Base):
    """A person whose words from before a moment shall nowhere be kept; long-term memory and a file both say so."""

    __tablename__ = "erasures"

    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    erased_at: Mapped[datetime] = mapped_column(AwareTime)


class TurnRow(Base):
    """One turn of a conversation, numbered in order; long-term memory keeps them, as they outlive a session.

    `cites` are the messages that the answer cites; whoever reads it should be allowed to read all of the places in
    `audience`.
    """

    __tablename__ = "conversation_turns"

    asker_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    channel_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    private: Mapped[bool] = mapped_column(Boolean, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    asked_at: Mapped[datetime] = mapped_column(AwareTime)
    question: Mapped[str] = mapped_column(Text)
    answer: Mapped[str] = mapped_column(Text)
    cites: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    audience: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))


class AnswerRow(Base):
    """A question that was asked on Discord, and its answer; long-term memory keeps them until they are too old.

    `channel_id` is the channel or thread of the question, `access_id` what opens it, as of a message. The `token` with
    which an interaction is answered is kept no longer than it is needed for that. `about` are messages that the
    question points at, `message_ids` are the messages that show the answer, `message_id` is the first of them, and
    `cites` are the messages that it cites. `changed_at` is when something of it was last written.

    Of what it cites, `edited_cites` and `deleted_cites` have changed since; `edits_known_to` is the newest edit that
    it takes account of. While `update_at` is set, what Discord shows is to be updated then: since `update_since` it
    was tried `update_tries` times.
    """

    __tablename__ = "answers"

    question_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    guild_id: Mapped[int | None] = mapped_column(BigInteger)
    channel_id: Mapped[int] = mapped_column(BigInteger)
    access_id: Mapped[int] = mapped_column(BigInteger)
    asker_id: Mapped[int] = mapped_column(BigInteger)
    text: Mapped[str] = mapped_column(Text)
    private: Mapped[bool] = mapped_column(Boolean)
    all_time: Mapped[bool] = mapped_column(Boolean)
    about: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    asked_at: Mapped[datetime] = mapped_column(AwareTime)
    locale: Mapped[str] = mapped_column(Text)
    application_id: Mapped[int | None] = mapped_column(BigInteger)
    token: Mapped[str | None] = mapped_column(Text)
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(BigInteger)
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    cites: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    changed_at: Mapped[datetime] = mapped_column(AwareTime)
    delivered_at: Mapped[datetime | None] = mapped_column(AwareTime)
    message_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")
    edits_known_to: Mapped[datetime | None] = mapped_column(AwareTime)
    edited_cites: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")
    deleted_cites: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")
    update_since: Mapped[datetime | None] = mapped_column(AwareTime)
    update_at: Mapped[datetime | None] = mapped_column(AwareTime)
    update_tries: Mapped[int] = mapped_column(BigInteger, server_default="0")


Index("answers_asker", AnswerRow.asker_id, AnswerRow.asked_at)
Index("answers_owed", AnswerRow.guild_id, postgresql_where=AnswerRow.delivered_at.is_(None))
Index("answers_cites", AnswerRow.cites, postgresql_using="gin")
Index("answers_to_update", AnswerRow.update_at, postgresql_where=AnswerRow.update_at.is_not(None))
Index("answers_tokens", AnswerRow.asked_at, postgresql_where=AnswerRow.token.is_not(None))


class RatingRow(Base):
    """What somebody thinks of an answer: 1 for a thumb up, -1 for a thumb down."""

    __tablename__ = "ratings"

    question_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    rater_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    rating: Mapped[int] = mapped_column(BigInteger)
    rated_at: Mapped[datetime] = mapped_column(AwareTime)


class TraceRow(Base):
    """How an answer came about; long-term memory keeps it for some days.

    `tree` is its outermost step, with those within it. It `has_texts` of people where the operator wants these.
    """

    __tablename__ = "traces"

    trace_id: Mapped[str] = mapped_column(Text, primary_key=True)
    made_at: Mapped[datetime] = mapped_column(AwareTime, index=True)
    asker_id: Mapped[int] = mapped_column(BigInteger)
    guild_id: Mapped[int | None] = mapped_column(BigInteger)
    channel_id: Mapped[int] = mapped_column(BigInteger)
    has_texts: Mapped[bool] = mapped_column(Boolean)
    tree: Mapped[dict[str, Any]] = mapped_column(JSONB)


class DecisionRow(Base):
    """A message that somebody has marked as a decision; long-term memory keeps it, as it outlives a session.

    What was decided is what the message says, which stays where it is. The other columns about the message are those
    by which an erasure finds this row. `title` is of whoever has marked it, `supersedes` the id of the message whose
    decision this one takes the place of. One that was withdrawn counts until `withdrawn_at`.
    """

    __tablename__ = "decisions"

    guild_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    message_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    channel_id: Mapped[int] = mapped_column(BigInteger)
    thread_id: Mapped[int | None] = mapped_column(BigInteger)
    author_id: Mapped[int | None] = mapped_column(BigInteger)
    sent_at: Mapped[datetime] = mapped_column(AwareTime)
    marked_by: Mapped[int | None] = mapped_column(BigInteger)
    marked_at: Mapped[datetime] = mapped_column(AwareTime)
    title: Mapped[str] = mapped_column(Text)
    supersedes: Mapped[int | None] = mapped_column(BigInteger)
    withdrawn_at: Mapped[datetime | None] = mapped_column(AwareTime)


class CatchUpRow(Base):
    """When a person was last shown what they missed in a guild; long-term memory keeps it, as it outlives a session."""

    __tablename__ = "catch_ups"

    person_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    guild_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    shown_at: Mapped[datetime] = mapped_column(AwareTime)


class DigestRow(Base):
    """A digest of the time from `starts_at` to `due_at` in a channel; long-term memory keeps those of the last weeks.

    The row is there before the message is: `message_id` and `posted_at` are set once Discord has taken it. Of what it
    shows the row has the ids of its sources, and a checksum of their words.
    """

    __tablename__ = "digests"

    channel_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    due_at: Mapped[datetime] = mapped_column(AwareTime, primary_key=True)
    guild_id: Mapped[int] = mapped_column(BigInteger)
    starts_at: Mapped[datetime] = mapped_column(AwareTime)
    claimed_at: Mapped[datetime] = mapped_column(AwareTime)
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    posted_at: Mapped[datetime | None] = mapped_column(AwareTime)
    source_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default=text("'{}'::bigint[]"))
    checksum: Mapped[str] = mapped_column(Text, server_default=text("''"))


Index("digests_guild", DigestRow.guild_id)


class ReminderRow(Base):
    """What a person asked to be reminded of; long-term memory keeps it, as it outlives a session.

    It was asked for in the channel or thread `channel_id`, and may be about a message there. It is due at `due_at`, and
    delivery is tried at `try_at`, which is later once some `tries` have failed. One that comes again and again says how
    often in `repeat`; its hour is that of the clocks of `time_zone`. It may be told `in_channel` where no direct
    message can be sent.
    """

    __tablename__ = "reminders"

    reminder_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    person_id: Mapped[int] = mapped_column(BigInteger)
    guild_id: Mapped[int | None] = mapped_column(BigInteger)
    channel_id: Mapped[int] = mapped_column(BigInteger)
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    text: Mapped[str] = mapped_column(Text)
    due_at: Mapped[datetime] = mapped_column(AwareTime)
    try_at: Mapped[datetime] = mapped_column(AwareTime)
    tries: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(AwareTime)
    time_zone: Mapped[str] = mapped_column(Text)
    repeat: Mapped[str | None] = mapped_column(Text)
    in_channel: Mapped[bool] = mapped_column(Boolean)
    delivered_at: Mapped[datetime | None] = mapped_column(AwareTime)


Index("reminders_person", ReminderRow.person_id)
Index("reminders_waiting", ReminderRow.try_at, postgresql_where=ReminderRow.delivered_at.is_(None))
