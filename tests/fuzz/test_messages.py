"""Messages come back from a session's CSV as they went in, and damage costs no more than it touches."""

import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from memory.capture.journal import Journal
from memory.capture.message_csv import from_row, to_row
from memory.index.index_text import search_text
from memory.message import COLUMNS, Attachment, Kind, Message, fold, sanitize
from ops.promotion.clean import clean
from ops.promotion.sources.detect import open_source
from tests.builders import whole
from tests.fuzz.limits import in_time
from tests.fuzz.strategies import damaged, damages, edges_of_time, messages, texts

UTC_ZONE = ZoneInfo("UTC")


def escaped(text: str) -> str:
    """Return a text as UTF-8 can hold it."""
    return text.encode("utf-8", "backslashreplace").decode()


def as_written(message: Message) -> Message:
    """Return a message as a CSV holds it: a half of a surrogate pair is written as its escape."""
    return replace(
        message,
        session=escaped(message.session),
        channel_name=escaped(message.channel_name),
        author_name=escaped(message.author_name),
        content=escaped(message.content),
        attachments=tuple(
            Attachment(
                name=escaped(one.name),
                url=escaped(one.url),
                content_type=None if one.content_type is None else escaped(one.content_type),
                size=one.size,
            )
            for one in message.attachments
        ),
    )


def size_of(some: list[Message]) -> int:
    return sum(len("".join(to_row(one))) for one in some)


@given(messages)
def test_a_row_is_read_as_the_message_that_it_was(message: Message) -> None:
    with in_time(len(message.content)):
        fields = to_row(message)

        assert len(fields) == len(COLUMNS)
        assert from_row([escaped(field) for field in fields]) == as_written(message)


@given(st.lists(messages, max_size=6))
def test_a_session_csv_gives_every_message_back(some: list[Message]) -> None:
    with tempfile.TemporaryDirectory() as folder, in_time(2 * size_of(some)):
        path = Path(folder) / "demo.csv"
        for half in (some[: len(some) // 2], some[len(some) // 2 :]):
            journal = Journal(path)
            journal.open()
            journal.record(half)
            journal.close()

        found = whole(Journal(path))

        assert list(found.messages) == [as_written(one) for one in some]
        assert found.bad == ()


@given(st.lists(messages, min_size=1, max_size=6), st.lists(damages, min_size=1, max_size=2))
def test_damage_to_a_session_csv_costs_no_message_that_it_does_not_touch(
    some: list[Message], damage: list[tuple[str, float, bytes]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "demo.csv"
        numbered = [replace(one, message_id=number) for number, one in enumerate(some)]
        extents = write_records(path, numbered)
        header = extents[0][0]
        content = path.read_bytes()
        rest, touched = content[header:], set[int]()
        for one in damage:
            changed = damaged(rest, one)
            first, last = changed_range(rest, changed)
            touched |= {
                number
                for number, (start, end) in enumerate(extents)
                if start - header <= last and first <= end - header  # a record that it borders on may join it
            }
            if len(damage) > 1 and len(changed) != len(rest):
                rest = changed
                break  # what comes behind has moved
            rest = changed
        path.write_bytes(content[:header] + rest)

        journal = Journal(path)
        journal.open()
        journal.close()
        kept = {one.message_id: one for one in whole(Journal(path)).messages}

        assert {
            one.message_id
            for one in numbered
            if one.message_id not in touched and kept.get(one.message_id) != as_written(one)
        } == set()


def write_records(path: Path, some: list[Message]) -> list[tuple[int, int]]:
    """Write a journal and return where each of its records stands in the file."""
    journal = Journal(path)
    journal.open()
    extents = []
    for one in some:
        start = path.stat().st_size
        journal.record([one])
        extents.append((start, path.stat().st_size))
    journal.close()
    return extents


def changed_range(old: bytes, new: bytes) -> tuple[int, int]:
    """Return the first and the last place in the old bytes that a change has touched."""
    shortest = min(len(old), len(new))
    first = next((at for at in range(shortest) if old[at] != new[at]), shortest)
    same_end = next((at for at in range(shortest - first) if old[-1 - at] != new[-1 - at]), shortest - first)
    return first, max(first, len(old) - same_end)


@given(st.lists(messages, max_size=5))
def test_a_session_csv_can_be_promoted(some: list[Message]) -> None:
    with tempfile.TemporaryDirectory() as folder, in_time(2 * size_of(some)):
        path = Path(folder) / "demo.csv"
        write_records(path, some)

        source = open_source(path, mapping={}, time_zone=UTC_ZONE, me=None)
        cleaned = [clean(chunk, session=source.session, time_zone=UTC_ZONE) for chunk in source.chunks()]

        assert sum(one.records for one in cleaned) == len(some)
        assert {one.key for each in cleaned for one in each.messages} <= {one.key for one in some}
        if len({one.message_id for one in some}) == len(some):
            assert [one for each in cleaned for one in each.messages] == [
                replace(as_stored(one), session=as_stored(one).session or "demo") for one in map(as_written, some)
            ]


def as_stored(message: Message) -> Message:
    """Return a message as PostgreSQL holds it."""
    return replace(
        message,
        session=sanitize(message.session),
        channel_name=sanitize(message.channel_name),
        author_name=sanitize(message.author_name),
        content=sanitize(message.content),
        attachments=tuple(
            replace(
                one, name=sanitize(one.name), url=sanitize(one.url), content_type=storable_or_none(one.content_type)
            )
            for one in message.attachments
        ),
    )


def storable_or_none(text: str | None) -> str | None:
    return None if text is None else sanitize(text)


@given(texts)
def test_what_is_stored_is_a_text_for_every_database(text: str) -> None:
    stored = sanitize(text)

    assert sanitize(stored) == stored
    assert "\0" not in stored.encode().decode()
    assert len(stored) == len(text)


@given(st.lists(messages, min_size=1, max_size=4))
def test_any_messages_have_a_text_to_be_found_by(some: list[Message]) -> None:
    first = replace(some[0], kind=Kind.MESSAGE, deleted_at=None)
    with in_time(size_of(some)):
        found_by = search_text(first, some[1:])

    assert not first.content.strip() or found_by


@given(messages, st.lists(st.tuples(edges_of_time, texts, st.booleans()), max_size=5), st.randoms())
def test_states_add_up_to_the_same_in_any_order_without_deletions(
    first: Message, changes: list[tuple[datetime, str, bool]], chance: object
) -> None:
    base = replace(first, edited_at=None, deleted_at=None)
    edits = {at: replace(base, content=text, edited_at=at) for at, text, _ in changes}
    states = [base, *edits.values()]
    shuffled = list(states)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]

    (last,), _ = fold(states)
    (also,), _ = fold(shuffled)

    assert (last.content, last.edited_at) == (also.content, also.edited_at)
