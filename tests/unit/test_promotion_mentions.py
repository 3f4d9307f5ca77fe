"""Imported messages name those whom they mention as far as the same source knows them."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from memory.message import Message
from ops.promotion.clean import read
from ops.promotion.mentions import AuthorNames
from ops.promotion.sources.detect import open_source
from tests.builders import message

PARIS = ZoneInfo("Europe/Paris")
ANA, BEN = 200_000_000_000_000_001, 200_000_000_000_000_002
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


async def contents(path: Path) -> list[str]:
    source = open_source(path, mapping={}, time_zone=PARIS, me=None)
    names, found = AuthorNames(), []
    async for chunk in read(source, time_zone=PARIS):
        messages, _ = await names.named(chunk.messages, {})
        found += [one.content for one in messages]
    return found


def at(hour: int, number: int, content: str, author: int, name: str) -> Message:
    return message(number, content, author_id=author, author_name=name, sent_at=NOON + timedelta(hours=hour))


async def test_a_table_names_those_who_speak_in_it_before_or_after(tmp_path: Path) -> None:
    table = io.StringIO(newline="")
    csv.writer(table).writerows(
        [
            ("message_id", "sent_at", "channel_name", "author_id", "author_name", "content"),
            (1567101026304000001, "2026-11-03T09:00:00Z", "tea", ANA, "Ana", f"<@{BEN}> and <@!{ANA}> bring the key"),
            (1567101026304000002, "2026-11-03T09:01:00Z", "tea", BEN, "ben | away", "<@5> too? <@&5> <#6>"),
        ]
    )
    path = tmp_path / "chat.csv"
    path.write_text(table.getvalue())

    assert await contents(path) == [f"<@ben | away:{BEN}> and <@!Ana:{ANA}> bring the key", "<@5> too? <@&5> <#6>"]


async def test_an_export_names_those_whom_it_lists_as_mentioned(tmp_path: Path) -> None:
    author = {"id": str(ANA), "name": "ana", "nickname": "Ana", "isBot": False}
    fields = {"id": "1567101026304000001", "type": "Default", "timestamp": "2026-11-03T09:00:00Z", "author": author}
    mentions = [{"id": str(BEN), "name": "ben", "nickname": "Big Ben"}]
    export = {
        "guild": {"id": "1"},
        "channel": {"id": "1086741128788574214", "name": "tea"},
        "messages": [fields | {"content": f"<@{BEN}> bring the wax, @Big Ben", "mentions": mentions}],
        "messageCount": 1,
    }
    path = tmp_path / "tea.json"
    path.write_text(json.dumps(export))

    assert await contents(path) == [f"<@Big Ben:{BEN}> bring the wax, @Big Ben"]


async def test_the_name_is_that_of_the_time_and_chunks_know_of_those_before() -> None:
    names = AuthorNames()
    await names.named([at(1, 1, "a", BEN, "Ben"), at(5, 2, "b", BEN, "Ben on holiday")], {})

    later, _ = await names.named([at(hour, 10 + hour, f"<@{BEN}>", ANA, "Ana") for hour in (0, 4, 6)], {})

    assert [one.content for one in later] == [f"<@Ben:{BEN}>", f"<@Ben:{BEN}>", f"<@Ben on holiday:{BEN}>"]


async def test_a_vector_of_words_without_the_name_is_made_again() -> None:
    vectors = {place: (np.zeros(2, dtype=np.float32), "model") for place in (0, 1)}

    _, kept = await AuthorNames().named([at(0, 1, "plain", BEN, "Ben"), at(1, 2, f"<@{BEN}>", BEN, "Ben")], vectors)

    assert set(kept) == {0}
