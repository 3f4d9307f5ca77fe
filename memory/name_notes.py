"""Write down the names in messages, in the statement or the transaction that stores them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Text, bindparam, column, func, literal, or_, select
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.types import TypeEngine

from db.tables import AwareTime, NameRow
from memory.known_names import named_in
from memory.messages import Message

NO_AUTHOR_ID = 0
"""Stands in the table of names for an author whose messages say no id, and where nobody spoke."""

_KEY = ("place_id", "channel_id", "channel_name", "author_id", "author_name")
_TYPES: tuple[type[TypeEngine[Any]] | TypeEngine[Any], ...] = (
    BigInteger,
    BigInteger,
    Text,
    BigInteger,
    Text,
    AwareTime,
    AwareTime,
)
_COLUMNS = (*_KEY, "first_seen", "last_seen")


def note_names(messages: Iterable[Message], *, promotion_id: int | None = None) -> Insert:
    """Return the statement that takes in the names of messages, of which there is at least one.

    Its parameters are one array for each column, so that it is the same for any number of messages.
    """
    seen = _seen(messages)
    columns = zip(*((*key, first, last) for key, (first, last) in seen.items()), strict=True)
    arrays: list[Any] = [literal(list(values), ARRAY(kind)) for values, kind in zip(columns, _TYPES, strict=True)]
    names: list[Any] = [column(name, kind) for name, kind in zip(_COLUMNS, _TYPES, strict=True)]
    given = func.unnest(*arrays).table_valued(*names, name="seen").render_derived()
    batch = bindparam("names_of_promotion", promotion_id, type_=BigInteger)
    statement = insert(NameRow).from_select([*_COLUMNS, "promotion_id"], select(*given.c, batch))
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=list(_KEY),
        set_={
            "first_seen": func.least(NameRow.first_seen, new.first_seen),
            "last_seen": func.greatest(NameRow.last_seen, new.last_seen),
            "promotion_id": func.greatest(NameRow.promotion_id, new.promotion_id),
        },
        where=or_(
            new.first_seen < NameRow.first_seen,
            new.last_seen > NameRow.last_seen,
            new.promotion_id > func.coalesce(NameRow.promotion_id, 0),
        ),
    )


def _seen(messages: Iterable[Message]) -> dict[tuple[Any, ...], tuple[datetime, datetime]]:
    """Return each name with the first and the last time that it was seen, in one order for all who write."""
    seen: dict[tuple[Any, ...], tuple[datetime, datetime]] = {}
    for message in messages:
        named = named_in(message)
        author_id = NO_AUTHOR_ID if named.author_id is None else named.author_id
        key = named.place_id, named.channel_id, named.channel, author_id, named.author
        first, last = seen.get(key, (named.sent_at, named.sent_at))
        seen[key] = min(first, named.sent_at), max(last, named.sent_at)
    return dict(sorted(seen.items()))
