"""Know the questions that buttons name, and keep what people think of their answers."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.services import AnswerStore
from memory.answers.kept import Kept, Rating

MOST_KNOWN = 2000
"""Questions that are known where nothing keeps them, and ratings; the oldest are forgotten first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedQuestion:
    """A question as it can be asked once more, by the id of the command, message or press that asked it.

    `about` are the ids of the messages that it points at, `sources` those of the messages that its answer cites, by the
    numbers of its marks; `edited` and `deleted` are those of them that have changed since.
    """

    question_id: int
    text: str
    asker_id: int
    channel_id: int
    guild_id: int | None = None
    private: bool = False
    all_time: bool = False
    about: tuple[int, ...] = ()
    sources: tuple[tuple[int, int], ...] = ()
    edited: frozenset[int] = frozenset()
    deleted: frozenset[int] = frozenset()


class AskedQuestions(Protocol):
    """Knows questions by their ids; `get` and `rate` raise TemporaryError where nobody can look."""

    def note(self, question: AskedQuestion) -> None:
        """Learn of a question whose answer is about to be shown."""

    async def get(self, question_id: int) -> AskedQuestion | None:
        """Return a question; None when it is not known any more."""

    async def rate(self, question_id: int, rater_id: int, rating: Rating, *, at: datetime) -> bool:
        """Keep what somebody thinks of an answer, in place of what they thought before; False when it is not known."""


class KeptQuestions:
    """Knows the questions that the database keeps."""

    def __init__(self, store: AnswerStore) -> None:
        self._store = store

    def note(self, question: AskedQuestion) -> None:
        """Do nothing: whoever answers a question keeps it."""

    async def get(self, question_id: int) -> AskedQuestion | None:
        """Return a question that is kept."""
        kept = await self._store.get(question_id)
        return None if kept is None else _asked(kept)

    async def rate(self, question_id: int, rater_id: int, rating: Rating, *, at: datetime) -> bool:
        """Keep a rating."""
        return await self._store.rate(question_id, rating, rater_id=rater_id, now=at)


class RecentQuestions:
    """Knows the newest questions and ratings, as long as the program runs."""

    def __init__(self, *, most: int = MOST_KNOWN) -> None:
        self._most = most
        self._questions: OrderedDict[int, AskedQuestion] = OrderedDict()
        self.ratings: OrderedDict[tuple[int, int], Rating] = OrderedDict()
        """By the question and by who rates."""

    def note(self, question: AskedQuestion) -> None:
        """Know a question, and forget the oldest of too many."""
        self._questions[question.question_id] = question
        while len(self._questions) > self._most:
            self._questions.popitem(last=False)

    async def get(self, question_id: int) -> AskedQuestion | None:
        """Return a question that is among the newest."""
        return self._questions.get(question_id)

    async def rate(self, question_id: int, rater_id: int, rating: Rating, *, at: datetime) -> bool:
        """Keep a rating, and forget the oldest of too many."""
        if question_id not in self._questions:
            return False
        self.ratings[question_id, rater_id] = rating
        while len(self.ratings) > self._most:
            self.ratings.popitem(last=False)
        return True


def _asked(kept: Kept) -> AskedQuestion:
    question = kept.question
    return AskedQuestion(
        question_id=question.question_id,
        text=question.text,
        asker_id=question.asker_id,
        channel_id=question.channel_id,
        guild_id=question.guild_id,
        private=question.private,
        all_time=question.all_time,
        about=question.about,
        sources=() if kept.answer is None else tuple(kept.answer.sources.items()),
        edited=kept.edited,
        deleted=kept.deleted,
    )
