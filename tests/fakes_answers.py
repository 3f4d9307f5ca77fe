"""A stand-in for the store of questions and answers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from errors import DatabaseUnavailableError
from memory.answers.kept import Kept, KeptAnswer, KeptQuestion, Posted, Rating, State


@dataclass
class FakeAnswerStore:
    """Keeps questions in memory; while it is `away` it takes and knows nothing."""

    kept: dict[int, Kept] = field(default_factory=dict)
    ratings: dict[tuple[int, int], Rating] = field(default_factory=dict)
    away: bool = False

    async def asked(self, question: KeptQuestion) -> None:
        self._reach()
        self.kept.setdefault(
            question.question_id, Kept(question=question, state=State.ASKED, changed_at=question.asked_at)
        )

    async def ready(self, question_id: int, answer: KeptAnswer, *, now: datetime) -> None:
        self._change(question_id, State.READY, now, answer=answer)

    async def sending(self, question_id: int, *, now: datetime) -> None:
        self._change(question_id, State.SENDING, now)

    async def delivered(self, question_id: int, *, message_ids: Sequence[int], now: datetime) -> None:
        self._change(question_id, State.DELIVERED, now, message_ids=tuple(message_ids))

    async def taken_up(self, question_id: int, *, now: datetime) -> None:
        self._reach()

    async def give_up(self, question_id: int, *, now: datetime) -> None:
        self._change(question_id, State.GIVEN_UP, now)

    async def withdraw(self, question_ids: Collection[int], *, now: datetime) -> list[Posted]:
        self._reach()
        found = [self.kept[question_id] for question_id in question_ids if question_id in self.kept]
        for kept in found:
            if kept.state is not State.DELIVERED:
                self._change(kept.question.question_id, State.GIVEN_UP, now)
        return [
            Posted(kept.question.question_id, kept.question.channel_id, kept.message_id)
            for kept in found
            if kept.message_id is not None
        ]

    async def get(self, question_id: int) -> Kept | None:
        self._reach()
        return self.kept.get(question_id)

    async def owed(self, guild_ids: Collection[int], *, direct_messages: bool) -> list[Kept]:
        self._reach()
        return [
            kept
            for kept in self.kept.values()
            if kept.state not in {State.DELIVERED, State.GIVEN_UP}
            and (kept.question.guild_id in guild_ids or (kept.question.guild_id is None and direct_messages))
        ]

    async def count_since(self, since: datetime, *, asker_id: int, guild_id: int, before: int) -> int:
        self._reach()
        return sum(
            kept.question.asked_at >= since
            and (kept.question.asker_id, kept.question.guild_id) == (asker_id, guild_id)
            and kept.question.question_id < before
            and kept.state is not State.GIVEN_UP
            for kept in self.kept.values()
        )

    async def rate(self, question_id: int, rating: Rating, *, rater_id: int, now: datetime) -> bool:
        self._reach()
        self.ratings[question_id, rater_id] = rating
        return question_id in self.kept

    async def drop_old(self, now: datetime) -> None:
        self._reach()

    def _reach(self) -> None:
        if self.away:
            raise DatabaseUnavailableError("db:5432")

    def _change(self, question_id: int, state: State, now: datetime, **fields: object) -> None:
        self._reach()
        self.kept[question_id] = replace(self.kept[question_id], state=state, changed_at=now, **fields)  # type: ignore[arg-type]
