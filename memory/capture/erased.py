"""Keep out what forgotten people have said, wherever it comes back from."""

import logging
import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import datetime

from memory.capture.journal import JournalBatch
from memory.message import Kind, Message

logger = logging.getLogger(__name__)

_NUMBER = re.compile(r"\d+")


def is_erased(until: Mapping[int, datetime], author_id: int | None, sent_at: datetime) -> bool:
    """Return whether what somebody said at a moment is erased; `until` has the moment of each forgotten person."""
    if author_id is None or author_id not in until:
        return False
    return sent_at <= until[author_id]


def merged(*ledgers: Mapping[int, datetime]) -> dict[int, datetime]:
    """Return the union of ledgers; of two moments the later counts."""
    union: dict[int, datetime] = {}
    for ledger in ledgers:
        for number, erased_at in ledger.items():
            union[number] = max(erased_at, union.get(number, erased_at))
    return union


def digits_of(user_ids: Iterable[int]) -> frozenset[str]:
    """Return the digits of ids, which are what `has_number` looks for; those of webhooks are negative."""
    return frozenset(str(abs(user_id)) for user_id in user_ids)


def has_number(text: str, numbers: Set[str]) -> bool:
    """Return whether one of these numbers stands in a text, and not just as a part of another one."""
    return any(found[0] in numbers for found in _NUMBER.finditer(text))


def is_in_erased(channels: Mapping[int, datetime], message: Message) -> bool:
    """Return whether a message was sent to one of some channels or threads before that was erased."""
    if not channels:
        return False
    moments = (channels.get(message.channel_id), channels.get(message.place_id))
    return any(moment is not None and message.sent_at <= moment for moment in moments)


@dataclass(frozen=True, slots=True)
class ErasedItems:
    """What is erased whoever said it: messages one by one, and channels or threads, each up to a moment.

    Others' messages that forwarded what forgotten people had said are among the messages.
    """

    messages: frozenset[int] = frozenset()
    channels: Mapping[int, datetime] = field(default_factory=dict)


NO_ITEMS = ErasedItems()


@dataclass(slots=True)
class Erased:
    """Who is forgotten, and up to which moment of sending; what is kept out is counted, and logged the first time.

    A message without an author, such as the state that says that one was deleted, is nobody's and is let in. The
    running bot adds to what is erased; nothing is ever taken back.
    """

    until: Mapping[int, datetime] = field(default_factory=dict)
    copies: frozenset[int] = frozenset()
    """Messages that are erased one by one, as those of others are that forwarded what forgotten people had said."""
    channels: Mapping[int, datetime] = field(default_factory=dict)
    """Channels and threads, each with the moment up to which nothing of it is kept."""
    kept_out: int = 0

    def add(self, *, people: Mapping[int, datetime], messages: Iterable[int], channels: Mapping[int, datetime]) -> None:
        """Keep out more from now on."""
        self.until = merged(self.until, people)
        self.copies = self.copies.union(messages)
        self.channels = merged(self.channels, channels)

    def covers(self, message: Message) -> bool:
        """Return whether a message is one of a forgotten person, a forward of one, or an answer that may repeat one."""
        is_own = is_erased(self.until, message.author_id, message.sent_at)
        is_one = message.message_id in self.copies or is_in_erased(self.channels, message)
        return is_own or is_one or self.may_repeat(message)

    def may_repeat(self, message: Message) -> bool:
        """Return whether a message is an answer of the bot from before an erasure.

        What a forgotten person said is not kept, so nothing can tell any more which of the answers repeat it.
        """
        return bool(self.until) and message.kind is Kind.ANSWER and message.sent_at <= max(self.until.values())

    @property
    def has_any(self) -> bool:
        """Whether anything is erased."""
        return bool(self.until or self.copies or self.channels)

    def covers_line(self, text: str) -> bool:
        """Return whether a line that is no message holds the id of a forgotten person."""
        return has_number(text, digits_of(self.until))

    def keep_out(self, message: Message) -> bool:
        """Return whether a message is kept out, and count it then."""
        covered = self.has_any and self.covers(message)
        if covered:
            self._count(1)
        return covered

    def without(self, batch: JournalBatch) -> JournalBatch:
        """Return a batch of a journal without what is kept out, which is counted."""
        if not self.has_any:
            return batch
        messages = tuple(message for message in batch.messages if not self.covers(message))
        bad = tuple(record for record in batch.bad if not self.covers_line(record.text))
        self._count(len(batch.messages) + len(batch.bad) - len(messages) - len(bad))
        return replace(batch, messages=messages, bad=bad)

    def tell(self) -> None:
        """Log how much was kept out in all."""
        if self.kept_out:
            logger.info("%d messages or lines were kept out for the sake of forgotten people", self.kept_out)

    def _count(self, number: int) -> None:
        if number and not self.kept_out:
            logger.warning(
                "messages of people who are forgotten, or answers that may repeat them, are kept out of memory; where "
                "an older CSV was put back, python db_save.py forget takes them out of it as well"
            )
        self.kept_out += number
