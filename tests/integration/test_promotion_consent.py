"""What may not be kept does not come into long-term memory by a promotion either."""

from pathlib import Path
from typing import Any

import pytest

from db.databases import Database
from memory.consent.opt_outs import OptOuts, Wish
from memory.consent.pauses import Pause
from memory.embedding.embedder import Embedder
from memory.guild_settings import IGNORED_CHANNELS, PAUSES, GuildSettings
from memory.message import Kind, Message
from ops.promotion.promote import PromotionResources
from tests.builders import message, minute
from tests.promotions import CountingEmbedder, bring_in, differ, means_of, stored
from tests.sources import source_of

pytestmark = pytest.mark.server

ANA, BEN, BOT = 400000000000000041, 400000000000000042, 400000000000000099


@pytest.fixture
def means(long_term: Database, short_term: Database, embedder: Embedder, tmp_path: Path) -> PromotionResources:
    return means_of(long_term, short_term, CountingEmbedder(embedder), tmp_path)


def said(number: int, content: str, **changes: Any) -> Message:
    return message(number, content, **{"guild_id": 2, "author_id": BEN, **changes})


async def opt_out(long_term: Database, wish: Wish = Wish.EVERYTHING) -> None:
    await OptOuts(long_term.sessions).set(ANA, wish, at=minute(3))


async def texts(long_term: Database) -> list[str]:
    return [one.content for one in (await stored(long_term)).values() if one.deleted_at is None]


async def test_rows_of_who_opted_out_and_what_repeats_them_stay_out(
    means: PromotionResources, long_term: Database
) -> None:
    await opt_out(long_term)
    source = source_of(
        [
            said(1, "the kiln is hot"),
            said(2, "sealed", author_id=ANA),
            said(5, "/chat sealed?", author_id=ANA, kind=Kind.COMMAND),
            said(6, "sealed indeed", author_id=BOT, kind=Kind.ANSWER, reply_to=5),
            said(7, "sealed", forwarded_from=2),
            said(8, "a question", kind=Kind.COMMAND),
        ]
    )

    previewed = await differ(source, means)
    promoted = await bring_in(source, means)

    assert await texts(long_term) == ["the kiln is hot", "a question"]
    assert promoted.tally.not_kept == previewed.not_kept == 4
    assert promoted.tally.records == 6


async def test_what_is_promoted_counts_as_deleted_once_it_was_edited_or_deleted_after_an_opt_out(
    means: PromotionResources, long_term: Database
) -> None:
    await bring_in(source_of([said(number, f"note {number}", author_id=ANA) for number in (1, 2, 3)]), means)
    await opt_out(long_term)

    await bring_in(
        source_of(
            [
                said(1, "sealed", author_id=ANA, edited_at=minute(9)),
                said(2, "note 2", author_id=ANA, deleted_at=minute(9)),
                said(3, "note 3", author_id=ANA),
            ]
        ),
        means,
    )

    assert await texts(long_term) == ["note 3"]
    assert "sealed" not in {one.content for one in (await stored(long_term)).values()}


async def test_ignored_channels_and_pauses_stay_out(means: PromotionResources, long_term: Database) -> None:
    settings = GuildSettings(long_term.sessions)
    await settings.set(2, IGNORED_CHANNELS, {30: minute(1)}, at=minute(1))
    await settings.set(2, PAUSES, (Pause(start=minute(10), end=minute(20)),), at=minute(1))

    await bring_in(source_of([said(2, "open"), said(3, "sealed", channel_id=30), said(15, "sealed")]), means)

    assert await texts(long_term) == ["open"]


async def test_who_only_does_not_want_to_be_found_is_promoted(means: PromotionResources, long_term: Database) -> None:
    await opt_out(long_term, Wish.WHO_KNOWS)

    await bring_in(source_of([said(2, "open", author_id=ANA)]), means)

    assert await texts(long_term) == ["open"]
