"""What a file says of channels and threads is kept beside its messages, and never against what Discord says."""

import json
from pathlib import Path

import pytest

from db.databases import Database
from memory.embedding.embedder import Embedder
from memory.places.state import PlaceKind
from ops.promotion.promote import PromotionResources
from ops.promotion.records import MessageSource
from ops.promotion.sources.detect import open_source
from ops.promotion.undo import undo
from tests.builders import message
from tests.integration.test_places_store import GUILD, place, read, thread, write
from tests.integration.test_places_writer import CHANNEL, POST, ids_in, in_post, post
from tests.promotions import NOW, PATIENCE, UTC_ZONE, bring_in, contents, means_of
from tests.sources import source_of


@pytest.fixture
def means(long_term: Database, short_term: Database, embedder: Embedder, tmp_path: Path) -> PromotionResources:
    return means_of(long_term, short_term, embedder, tmp_path)


def export(folder: Path, *, kind: str = "GuildPublicThread", name: str = "how to") -> MessageSource:
    """Return an export of POST as DiscordChatExporter writes it, with message 1."""
    channel = {"id": str(POST), "type": kind, "categoryId": str(CHANNEL), "category": "help", "name": name}
    said = {
        "id": "1",
        "type": "Default",
        "timestamp": "2026-11-03T10:00:00+00:00",
        "content": "note 1",
        "author": {"id": "7", "name": "ana"},
    }
    head = {"guild": {"id": str(GUILD)}, "channel": channel, "exportedAt": "2026-11-20T10:00:00+00:00"}
    path = folder / f"{name}.json"
    path.write_text(json.dumps(head | {"messages": [said]}), encoding="utf-8")
    return open_source(path, mapping={}, time_zone=UTC_ZONE, me=None)


async def test_an_export_fills_places_and_opens_its_thread_until_it_is_undone(
    means: PromotionResources, long_term: Database, tmp_path: Path
) -> None:
    before = await contents(long_term, but=("promotions", "facts"))

    promoted = await bring_in(export(tmp_path), means)

    (state,) = await read(long_term, POST)
    assert (state.kind, state.parent_id, state.name) == (PlaceKind.PUBLIC_THREAD, CHANNEL, "how to")
    assert await ids_in(long_term, CHANNEL) == {1}
    assert promoted.promotion_id is not None
    await undo(long_term, promoted.promotion_id, embedder=means.embedder, now=NOW, timeout=PATIENCE)
    assert await contents(long_term, but=("promotions", "facts")) == before


async def test_what_discord_has_said_of_a_thread_stays(
    means: PromotionResources, long_term: Database, tmp_path: Path
) -> None:
    said = thread(POST, kind=PlaceKind.PRIVATE_THREAD, name="ours alone")
    await write(long_term, said)

    await bring_in(export(tmp_path, name="a lie"), means)

    assert await read(long_term, POST) == [said]
    assert await ids_in(long_term, CHANNEL) == set()
    assert await ids_in(long_term, POST) == {1}


async def test_messages_of_an_earlier_session_learn_what_is_known_of_their_thread_by_now(
    means: PromotionResources, long_term: Database
) -> None:
    await write(long_term, place(CHANNEL), post())

    await bring_in(source_of([in_post(1), in_post(2, channel_id=POST, thread_id=None), message(9)]), means)

    assert await ids_in(long_term, CHANNEL) == {1, 2, 9}
