"""Compare chunks of a source with what is there, and make what shall be written of them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from memory.capture.erased import Erased, is_erased
from memory.embedding.embedder import Embedder
from memory.index.indexing import Draft, index_drafts
from memory.message import Message, Revision
from ops.promotion.compare import Compared, Differences, Verdict
from ops.promotion.mentions import NamesOfAuthors
from ops.promotion.own_answers import OwnAnswers
from ops.promotion.read import Read
from ops.promotion.records import CleanBatch, Refused, Vector
from ops.promotion.rejects import RefusedCsv, row_of_record
from ops.promotion.report import Tally
from ops.promotion.twins import Twins
from ops.promotion.vectors import Drafting
from ops.promotion.write import Piece

_EMBEDDED_AT_ONCE = 1000  # messages that are written together when the model has to work for them


@dataclass(frozen=True, slots=True)
class Kept:
    """What of a chunk concerns nobody who is forgotten."""

    messages: Sequence[Message]
    revisions: Sequence[Revision]
    vectors: Mapping[int, Vector]
    refused: Sequence[Refused]


class Comparer:
    """Sorts the messages of one chunk after the other, and counts."""

    def __init__(
        self,
        differences: Differences,
        twins: Twins,
        erased: Erased,
        own: OwnAnswers,
        tally: Tally,
        names: NamesOfAuthors,
    ) -> None:
        self._differences = differences
        self._twins = twins
        self._names = names
        self._erased = erased
        self._own = own
        self._tally = tally
        self._erased_ids: set[int] = set()

    async def compare(self, chunk: Read) -> tuple[Kept, list[Compared], list[Revision]]:
        """Return what is kept of a chunk, what each of its messages is, and the revisions that are new."""
        cleaned = replace(chunk.cleaned, messages=[self._own.marked(one) for one in chunk.cleaned.messages])
        kept = self._without_erased(cleaned)
        messages, vectors = await self._names.named(kept.messages, kept.vectors)
        kept = replace(kept, messages=messages, vectors=vectors)
        if not chunk.ours:
            known = await self._twins.known(kept.messages, chunk.source)
            kept = _without(kept, known)
            self._tally.add_known(len(known), chunk.source)
        compared, revisions = await self._differences.compare(kept.messages, kept.revisions)
        self._tally.add_cleaned(replace(chunk.cleaned, refused=list(kept.refused)), chunk.source)
        self._tally.add_compared(compared, chunk.source)
        self._tally.add_damage(chunk.damage, chunk.source)
        self._tally.add_command_bots(
            {bot: count for bot, count in cleaned.command_bots.items() if bot[0] not in self._own.author_ids}
        )
        return kept, compared, revisions

    def _without_erased(self, cleaned: CleanBatch) -> Kept:
        """Leave out the messages of the forgotten, what is told of these later, and answers that may repeat them."""
        if not self._erased.until:
            return Kept(cleaned.messages, cleaned.revisions, cleaned.vectors, cleaned.refused)
        self._erased_ids.update(
            one.message_id for one in cleaned.messages if is_erased(self._erased.until, one.author_id, one.sent_at)
        )
        places = [place for place, one in enumerate(cleaned.messages) if not self._is_left_out(one)]
        messages = [cleaned.messages[place] for place in places]
        refused = [one for one in cleaned.refused if not self._erased.covers_line(one.text)]
        answers = sum(self._erased.may_repeat(one) for one in cleaned.messages)
        self._tally.answers += answers
        self._tally.erased += len(cleaned.messages) - len(messages) - answers + len(cleaned.refused) - len(refused)
        ids = {one.message_id for one in messages}
        return Kept(
            messages=messages,
            revisions=[one for one in cleaned.revisions if one.message_id in ids],
            vectors={new: cleaned.vectors[old] for new, old in enumerate(places) if old in cleaned.vectors},
            refused=refused,
        )

    def _is_left_out(self, message: Message) -> bool:
        return message.message_id in self._erased_ids or self._erased.covers(message)


def _without(kept: Kept, places: Collection[int]) -> Kept:
    """Return what is kept of a chunk without the messages at some places."""
    if not places:
        return kept
    left = [place for place in range(len(kept.messages)) if place not in places]
    ids = {kept.messages[place].message_id for place in left}
    return Kept(
        messages=[kept.messages[place] for place in left],
        revisions=[one for one in kept.revisions if one.message_id in ids],
        vectors={new: kept.vectors[old] for new, old in enumerate(left) if old in kept.vectors},
        refused=kept.refused,
    )


class BatchBuilder:
    """Makes pieces that can be written."""

    def __init__(
        self,
        comparing: Comparer,
        drafting: Drafting,
        embedder: Embedder,
        refused: RefusedCsv,
        tally: Tally,
        *,
        size: int,
    ) -> None:
        self._comparing = comparing
        self._drafting = drafting
        self._embedder = embedder
        self._refused = refused
        self._tally = tally
        self._size = size
        self._done = 0

    async def pieces(self, chunks: AsyncIterator[Read]) -> AsyncGenerator[Piece]:
        """Yield what shall be written of each chunk; one that needs many vectors of the model comes in parts."""
        async for chunk in chunks:
            kept, compared, revisions = await self._comparing.compare(chunk)
            await asyncio.to_thread(self._refused.add, [row_of_record(one) for one in kept.refused])
            coming = [one for one in compared if one.changes]
            drafts = await self._drafting.drafts(kept.messages, kept.vectors, coming)
            expected = self._expected(compared, chunk.end_bytes)
            started_at, self._done = self._done, chunk.end_bytes
            for end, some, theirs in _parts(drafts, revisions):
                rows = await index_drafts(some, self._embedder)
                self._count(some)
                yield Piece(
                    rows=rows,
                    verdicts=[one.verdict for one in coming[end - len(some) : end]],
                    revisions=theirs,
                    expected=expected,
                    end_bytes=started_at + (chunk.end_bytes - started_at) * end // max(1, len(drafts)),
                )

    def _expected(self, compared: Sequence[Compared], end_bytes: int) -> int:
        """Return how many messages may be new in all, if the rest of the source is as new as this chunk."""
        new = sum(one.verdict is Verdict.NEW for one in compared)
        rest = self._tally.records * max(0, self._size - end_bytes) / max(1, end_bytes)
        return self._tally.verdicts[Verdict.NEW] + int(rest * new / max(1, len(compared)))

    def _count(self, drafts: Sequence[Draft]) -> None:
        lacking = sum(draft.lacks_vector for draft in drafts)
        self._tally.embedded += lacking
        self._tally.reused += sum(draft.vector is not None for draft in drafts)


def _parts(
    drafts: Sequence[Draft], revisions: Sequence[Revision]
) -> Iterator[tuple[int, Sequence[Draft], list[Revision]]]:
    """Yield drafts that are written together, where they end, and their revisions; those of no draft come last."""
    lacking = sum(draft.lacks_vector for draft in drafts)
    step = _EMBEDDED_AT_ONCE if lacking > _EMBEDDED_AT_ONCE else max(1, len(drafts))
    left = list(revisions)
    for start in range(0, len(drafts) - step, step):
        some = drafts[start : start + step]
        ids = {draft.message.message_id for draft in some}
        yield start + step, some, [one for one in left if one.message_id in ids]
        left = [one for one in left if one.message_id not in ids]
    yield len(drafts), drafts[(len(drafts) - 1) // step * step :] if drafts else (), left
