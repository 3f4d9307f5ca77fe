"""The bot's own answers are no evidence, whoever has exported them, and in whichever order they come."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from db.databases import Database
from memory.capture.journal import Journal
from memory.embedding.embedder import Embedder
from memory.message import Kind, Message
from ops.promotion.own_answers import find_own_answers
from ops.promotion.promote import MARKED, PromotionResult, promote
from ops.promotion.records import MessageSource
from ops.promotion.report import describe
from ops.promotion.sources.detect import open_source
from ops.promotion.undo import undo
from tests.builders import edit, message, minute, remember
from tests.promotions import NOW, PATIENCE, UTC_ZONE, CountingEmbedder, bring_in, column, means_of, stored
from tests.sources import source_of
from tests.unit.test_promotion_sources import ANA, BOT, CHANNEL, export, exported_csv, plainly, said, user
from util_async import no_progress

pytestmark = pytest.mark.server

QUESTION = plainly(1, "where is the spare key?")
ANSWER = plainly(2, "**ana** said: under the pot", author_id=BOT, author_name="Backscroll", kind=Kind.ANSWER)
BY_BOT = {"type": "ChatInputCommand", "author": {**user(BOT, "Backscroll"), "isBot": True}}


@dataclass(frozen=True, slots=True)
class Town:
    """Both memories and the folder of the sessions."""

    long_term: Database
    short_term: Database
    embedder: Embedder
    folder: Path

    async def promote(self, source: MessageSource) -> PromotionResult:
        """Promote a source as the script does, knowing what memories and sessions tell of the bot."""
        own = await find_own_answers((self.short_term, self.long_term), self.folder / "storage", timeout=PATIENCE)
        means = means_of(self.long_term, self.short_term, self.embedder, self.folder, own=own)
        return await promote(source, means, time_zone=UTC_ZONE, clock=lambda: NOW, report=no_progress)

    async def evidence(self) -> set[str]:
        """Return what is found in long-term memory: whose kind is no answer, or which is indexed."""
        found = {one.content for one in (await stored(self.long_term)).values() if one.kind is not Kind.ANSWER}
        for name in ("search_text", "embedding"):
            values = await column(self.long_term, name)
            found |= {one.content for number, one in (await stored(self.long_term)).items() if values[number]}
        return found


@pytest.fixture
def town(long_term: Database, short_term: Database, embedder: Embedder, tmp_path: Path) -> Town:
    return Town(long_term, short_term, CountingEmbedder(embedder), tmp_path)


def json_export(folder: Path) -> MessageSource:
    path = export(folder / "export.json", said(1, QUESTION.content), said(2, ANSWER.content, **BY_BOT))
    return open_source(path, mapping={}, time_zone=UTC_ZONE, me=None)


def csv_export(folder: Path) -> MessageSource:
    rows = [
        [f"{one.author_id}", one.author_name, one.sent_at.isoformat(), one.content, "", ""]
        for one in (QUESTION, ANSWER)
    ]
    path = exported_csv(folder / f"Home - general [{CHANNEL}].csv", *rows)
    return open_source(path, mapping={}, time_zone=UTC_ZONE, me=None)


exports = pytest.mark.parametrize("exported", [json_export, csv_export], ids=["JSON", "CSV without ids"])


@exports
async def test_an_export_before_the_session(town: Town, exported: Callable[[Path], MessageSource]) -> None:
    await town.promote(exported(town.folder))
    assert await town.evidence() == {QUESTION.content, ANSWER.content}  # nothing tells yet whose words those are

    promoted = await town.promote(source_of([QUESTION, ANSWER]))

    assert await town.evidence() == {QUESTION.content}
    assert promoted.tally.notes[MARKED] == (exported is csv_export)


@exports
async def test_the_session_before_an_export(town: Town, exported: Callable[[Path], MessageSource]) -> None:
    await town.promote(source_of([QUESTION, ANSWER]))

    await town.promote(exported(town.folder))

    assert await town.evidence() == {QUESTION.content}


@exports
@pytest.mark.parametrize("known", ["short-term memory", "the CSV of a session"])
async def test_a_session_that_was_not_promoted(
    town: Town, exported: Callable[[Path], MessageSource], known: str
) -> None:
    if known == "short-term memory":
        await remember(town.short_term, town.embedder, [ANSWER])
    else:
        journal_of(town.folder / "storage" / "demo" / "demo.csv", [message(1, "a,answer,\n,b"), ANSWER])

    await town.promote(exported(town.folder))

    assert await town.evidence() == {QUESTION.content}


def journal_of(path: Path, messages: list[Message]) -> None:
    path.parent.mkdir(parents=True)
    with closing(Journal(path)) as journal:
        journal.open()
        journal.record(messages)


async def test_a_later_edit_of_an_answer_makes_it_no_evidence(town: Town) -> None:
    edited = plainly(2, "**ana** said so", author_id=None, edited_at=minute(500))
    await town.promote(source_of([ANSWER]))

    await bring_in(source_of([edited]), means_of(town.long_term, town.short_term, town.embedder, town.folder))

    assert await town.evidence() == set()
    assert (await stored(town.long_term))[ANSWER.message_id].content == "**ana** said so"


async def test_whoever_bears_the_bots_name_in_the_terminal_is_heard_all_the_same(town: Town) -> None:
    answer = message(1, "an answer in the terminal", kind=Kind.ANSWER, author_id=BOT)

    await town.promote(source_of([answer], [message(2, "I am a person", author_id=BOT)]))

    assert await town.evidence() == {"I am a person"}


async def test_a_bot_that_answers_commands_and_is_not_known_is_told_of(town: Town) -> None:
    promoted = await town.promote(json_export(town.folder))

    assert f"1  answers of the bot Backscroll to commands, taken for evidence: --me {BOT}" in describe(
        promoted.tally, "it"
    )
    named = open_source(town.folder / "export.json", mapping={}, time_zone=UTC_ZONE, me=BOT)
    assert "--me" not in describe((await town.promote(named)).tally, "it")
    assert await town.evidence() == {QUESTION.content}


async def test_and_is_not_told_of_when_it_is_known(town: Town) -> None:
    await remember(town.short_term, town.embedder, [ANSWER])

    assert "--me" not in describe((await town.promote(json_export(town.folder))).tally, "it")
    assert QUESTION.author_id == ANA


async def test_what_is_known_to_be_an_answer_stays_one_when_the_batch_is_undone(town: Town) -> None:
    await town.promote(json_export(town.folder))
    promoted = await town.promote(source_of([edit(1, "unused", at=9, sent_at=minute(1)), ANSWER]))
    assert promoted.promotion_id is not None

    await undo(town.long_term, promoted.promotion_id, embedder=town.embedder, now=NOW, timeout=PATIENCE)

    assert await town.evidence() == {QUESTION.content}
