"""A message that comes in two formats, with and without its id, is stored once, in whatever order they come."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from db.databases import Database
from memory.embedding.embedder import Embedder
from ops.promotion.promote import PromotionResources
from ops.promotion.report import KNOWN_OTHERWISE
from ops.promotion.sources.detect import open_source
from tests.promotions import UTC_ZONE, CountingEmbedder, bring_in, differ, means_of, stored
from tests.unit.test_promotion_sources import (
    ANA,
    BERLIN,
    BOT,
    CHANNEL,
    SENT,
    export,
    exported_csv,
    said,
    session_csv,
    snowflake,
    user,
    written,
)
from tests.unit.test_promotion_sources import plainly as stored_message

pytestmark = pytest.mark.server

TEXTS = ["hello there", "lol", "lol", "what about the glaze?"]
AT = [0, 1, 1, 2]
"""Minutes at which they are said, each a millisecond later than the one before."""


@dataclass(frozen=True, slots=True)
class Formats:
    """The same messages in several formats, each in a folder of its own."""

    folder: Path

    def json(self, *texts: str, **changes: Any) -> Path:
        messages = []
        for number, text in enumerate(texts or TEXTS):
            sent = SENT + timedelta(minutes=AT[number], milliseconds=number)
            message_id = (int(sent.timestamp() * 1000) - 1_420_070_400_000) << 22 | number
            messages.append(said(number, text, id=str(message_id), timestamp=sent.isoformat(), **changes))
        return export(self.folder / "json" / "export.json", *messages)

    def csv(self, *texts: str, form: str = "%Y-%m-%dT%H:%M:%S.%f+00:00", name: str = "ana") -> Path:
        rows = []
        for number, text in enumerate(texts or TEXTS):
            sent = SENT + timedelta(minutes=AT[number], milliseconds=number)
            rows.append([str(ANA), name, f"{sent:{form}}", text, "", ""])
        return exported_csv(self.folder / "csv" / f"Home - general [{CHANNEL}].csv", *rows)

    def text(self) -> Path:
        lines = ["=" * 62, "Guild: Home", "Channel: Talk / general", "=" * 62, ""]
        for number, text in enumerate(TEXTS):
            sent = (SENT + timedelta(minutes=AT[number], milliseconds=number)).astimezone(UTC_ZONE)
            lines += [f"[{sent:%d.%m.%Y %H:%M}] Ana", text, ""]
        return written(self.folder / "text" / f"general [{CHANNEL}].txt", "\n".join(lines))


@pytest.fixture
def formats(tmp_path: Path) -> Formats:
    return Formats(tmp_path)


@pytest.fixture
def means(long_term: Database, short_term: Database, embedder: Embedder, tmp_path: Path) -> PromotionResources:
    return means_of(long_term, short_term, CountingEmbedder(embedder), tmp_path)


async def promote(path: Path, means: PromotionResources) -> int:
    """Promote a file or folder; return how many messages were known from another format."""
    source = open_source(path, mapping={}, time_zone=UTC_ZONE, me=BOT)
    return (await bring_in(source, means)).tally.notes[KNOWN_OTHERWISE]


async def contents_of(long_term: Database) -> list[str]:
    return sorted(one.content for one in (await stored(long_term)).values())


PRECISIONS = ["%Y-%m-%dT%H:%M:%S.%f+00:00", "%Y-%m-%dT%H:%M:%S+00:00", "%Y-%m-%dT%H:%M+00:00"]


@pytest.mark.parametrize("form", PRECISIONS, ids=["milliseconds", "seconds", "minutes"])
@pytest.mark.parametrize("csv_first", [True, False], ids=["CSV first", "JSON first"])
async def test_a_channel_in_two_formats_is_stored_once(
    formats: Formats, means: PromotionResources, long_term: Database, form: str, csv_first: bool
) -> None:
    paths = [formats.csv(form=form), formats.json()]
    first, second = paths if csv_first else reversed(paths)

    assert await promote(first, means) == 0
    assert await promote(second, means) == len(TEXTS)

    assert await contents_of(long_term) == sorted(TEXTS)
    for path in paths:
        await promote(path, means)
    assert await contents_of(long_term) == sorted(TEXTS)


async def test_a_folder_with_both_formats_is_stored_once_with_the_ids_of_discord(
    formats: Formats, means: PromotionResources, long_term: Database
) -> None:
    formats.csv()
    formats.json()

    assert await promote(formats.folder, means) == len(TEXTS)

    assert await contents_of(long_term) == sorted(TEXTS)
    assert max(await stored(long_term)) < 2**62


@pytest.mark.parametrize("order", list(permutations(["json", "csv", "text"])), ids=str)
async def test_three_formats_in_any_order_are_stored_once(
    formats: Formats, means: PromotionResources, long_term: Database, order: tuple[str, ...]
) -> None:
    for name in order:
        await promote(getattr(formats, name)(), means)

    assert await contents_of(long_term) == sorted(TEXTS)


async def test_what_one_file_has_twice_and_the_other_once_is_stored_twice(
    formats: Formats, means: PromotionResources, long_term: Database
) -> None:
    await promote(formats.json("hello there", "lol"), means)

    await promote(formats.csv("hello there", "lol", "lol", form=PRECISIONS[2]), means)

    assert await contents_of(long_term) == ["hello there", "lol", "lol"]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        pytest.param("see <#123456789012345678> and <@7>!", "see #rules and @Ana Potter!", id="mentions"),
        pytest.param("nice <:kiln:123456789012345678>", "nice :kiln:", id="an emoji"),
    ],
)
@pytest.mark.parametrize("csv_first", [True, False], ids=["CSV first", "JSON first"])
async def test_mentions_that_one_format_names_are_no_other_words(
    formats: Formats, means: PromotionResources, long_term: Database, raw: str, shown: str, csv_first: bool
) -> None:
    paths = [formats.csv(shown, form=PRECISIONS[1]), formats.json(raw)]
    for path in paths if csv_first else reversed(paths):
        await promote(path, means)

    assert len(await stored(long_term)) == 1


async def test_an_edit_between_two_exports_makes_no_second_message(
    formats: Formats, means: PromotionResources, long_term: Database
) -> None:
    await promote(formats.csv("the first words"), means)

    await promote(formats.json("the better ones"), means)

    assert len(await stored(long_term)) == 1


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"author": user(99, "bo")}, id="another author"),
        pytest.param({"content": "other words"}, id="other words in the same second"),
    ],
)
async def test_messages_that_differ_stay_apart(
    formats: Formats, means: PromotionResources, long_term: Database, changes: dict[str, Any]
) -> None:
    await promote(formats.csv("hello there", form=PRECISIONS[1]), means)

    await promote(formats.json("hello there", **changes), means)

    assert len(await stored(long_term)) == 2


async def test_a_session_is_promoted_whole_whatever_an_export_without_ids_has_of_it(
    formats: Formats, means: PromotionResources, long_term: Database
) -> None:
    """An edit or deletion that comes later finds its message by the id alone."""
    await promote(formats.csv("hello there"), means)

    await promote(session_csv(formats.folder / "demo.csv", stored_message(0, "hello there")), means)

    assert snowflake(0) in await stored(long_term)


async def test_a_dry_run_tells_what_is_known(formats: Formats, means: PromotionResources) -> None:
    await promote(formats.json(), means)

    told = await differ(open_source(formats.csv(), mapping={}, time_zone=BERLIN, me=BOT), means)

    assert told.notes[KNOWN_OTHERWISE] == len(TEXTS)
    assert not told.has_effect
