"""Answer a question for those who will read it; what it may use is computed anew before anything of it is shown."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Protocol

import discord

from agent.changed_answers import pages_of
from agent.progress import UNWATCHED, Watcher
from agent.types import Answer, Outcome, Question, Source
from bot.audience import Audience, Readers, audience_of
from bot.beyond import SETTLE_LIMIT, Beyond, ask_beyond_memory
from bot.caller import Caller
from bot.discord_search import Coverage
from bot.history.cited_check import COULD_NOT_BE_CHECKED, Checked
from bot.services import NOT_LOOKED_UP, Services
from memory.answers.kept import Kept
from memory.message import Message
from memory.preferences import Zone
from time_expressions.conventions import date_order
from time_expressions.window import Window

MOST_LOOKS = 3  # into private threads of which it is not known who has joined them

WAS_PAUSED = "Recording was paused during part of that time, so nothing is kept of what was said then."
NOT_SETTLED = "The newest messages were still being stored, so this answer may not know them."
CHANGED_JUST_NOW = "What I was about to quote has been edited or deleted. Please ask again in a minute."


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A question as it was asked; the caller tells by whom and where, `about` which messages it points at."""

    caller: Caller
    text: str
    private: bool
    all_time: bool = False
    notes: tuple[str, ...] = ()
    about: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An answer with the question that it was made for, and on whose clock to show it."""

    question: Question
    answer: Answer
    zone: Zone


class ChecksCited(Protocol):
    """Reads messages again in Discord, and has recorded what became of them."""

    async def check(self, messages: Collection[Message]) -> Checked:
        """Return which of them changed or went, and which could not be checked; nothing is raised."""


class Live(Watcher, Protocol):
    """Shows how an answer comes about."""

    def begin(self, question: Question, may_show: Callable[[Answer | None], Awaitable[bool]]) -> None:
        """Take note of the question, and of how to find out what may be shown of its answer by now."""


class Answerer:
    """Answers questions, and knows when an answer may not be shown any more.

    Without `coverage` nobody knows what memory has not read, and Discord's search is not asked; without a `cited_check`
    what an answer cites is shown as memory has it.
    """

    def __init__(
        self,
        services: Services,
        readers: Readers,
        *,
        coverage: Coverage | None = None,
        cited_check: ChecksCited | None = None,
    ) -> None:
        self._services = services
        self._readers = readers
        self._coverage = coverage
        self._cited_check = cited_check

    async def answer(self, asking: Asking, *, live: Live | None = None) -> Answered:
        """Return the answer from all that may be used, with notes on how it came about; show it `live` meanwhile."""
        zone = await self._zone(asking)
        settled = await self._services.recorder.settle(timeout=SETTLE_LIMIT, newest=False)
        question = self._question(asking, await self._places(asking, zone), zone)
        beyond = await self._beyond_memory(asking, question)
        if live is not None:
            live.begin(question, partial(self._may_show, asking, question))
        answer = await self._ask(question, partial(self._services.asker.ask, watcher=live or UNWATCHED))
        notes = [*asking.notes, *([] if settled else [NOT_SETTLED])]
        found = [f"[{source.number}]" for source in answer.sources if source.message.message_id in beyond.message_ids]
        notes += beyond.notes(", ".join(found), is_empty=not answer.sources)
        if answer.searched is not None and self._was_paused(asking.caller, answer.searched.windows):
            notes.append(WAS_PAUSED)
        if not zone.certain:
            notes.append(NOT_LOOKED_UP.format(zone.zone.key))
        return Answered(question=question, answer=replace(answer, notes=(*answer.notes, *notes)), zone=zone)

    async def _beyond_memory(self, asking: Asking, question: Question) -> Beyond:
        """Ask Discord's search about what memory has not read of the time of the question, and store what it finds."""
        return await ask_beyond_memory(
            asking.caller,
            places=question.places,
            parse=partial(self._services.asker.parse, question),
            services=self._services,
            coverage=self._coverage,
        )

    async def _ask(self, question: Question, ask: Callable[[Question], Awaitable[Answer]]) -> Answer:
        """Return an answer whose sources are as Discord has them now: asked again, once, when some have changed."""
        answer = await ask(question)
        checked = await self._check(answer)
        if checked.changed:
            await self._services.recorder.settle(timeout=SETTLE_LIMIT)
            outdated = {source.message for source in answer.sources if source.message.message_id in checked.changed}
            answer = await ask(question)
            if any(source.message in outdated for source in answer.sources):
                return Answer(text=CHANGED_JUST_NOW, outcome=Outcome.FAILED)
        if any(source.message.message_id in checked.unchecked for source in answer.sources):
            answer = replace(answer, notes=(*answer.notes, COULD_NOT_BE_CHECKED))
        return answer

    async def _check(self, answer: Answer) -> Checked:
        messages = [source.message for source in answer.sources]
        return await self._cited_check.check(messages) if self._cited_check and messages else Checked()

    async def rest(self, asking: Asking) -> Answered | None:
        """Return quotations from what the asker alone may read and a public answer may not use; None without any."""
        audience = await self._audience(replace(asking, private=False))
        if not audience.rest:
            return None
        zone = await self._zone(asking)
        question = self._question(replace(asking, private=True), audience.rest, zone)
        answer = await self._ask(question, self._services.asker.quote)
        return Answered(question=question, answer=answer, zone=zone) if answer.sources else None

    async def restored(self, asking: Asking, kept: Kept) -> Answered | None:
        """Return an answer that was kept, as it may be shown by now; None where it has to be made anew.

        That is so when rights have changed, and when a message that it cites was edited or is not to be found any more.
        """
        answer = kept.answer
        if answer is None or answer.outcome not in set(Outcome) or self._services.lookup is None:
            return None
        zone = await self._zone(asking)
        audience = await self._audience(asking, among=answer.places)
        if not answer.places <= audience.places:
            return None
        lookup = partial(self._services.lookup.lookup, answer.cites, places=answer.places)
        if self._cited_check is not None and (cited := await lookup()):
            await self._cited_check.check(cited.values())
        await self._services.recorder.settle(timeout=SETTLE_LIMIT)  # what the check, or a catch-up, has found
        found = await lookup()
        asked_at = kept.question.asked_at
        if any(not _is_unchanged(found.get(message_id), asked_at) for message_id in answer.cites):
            return None
        restored = Answer(
            text=answer.text,
            outcome=Outcome(answer.outcome),
            sources=tuple(
                Source(number, found[message_id], found.get(answer.beside.get(number, 0)))
                for number, message_id in answer.sources.items()
            ),
            notes=(*answer.notes, *([answer.footer] if answer.footer else [])),
            shown_places=answer.shown_places,
            pages=pages_of(answer),
        )
        return Answered(question=self._question(asking, answer.places, zone), answer=restored, zone=zone)

    async def readable(self, caller: Caller, message_ids: Collection[int]) -> dict[int, Message]:
        """Return those of some messages, by id, that whoever asks may read by now, as Discord has them now.

        Raises DatabaseUnavailableError.
        """
        lookup, readers = self._services.lookup, self._readers
        if lookup is None or not message_ids:
            return {}
        audience = await audience_of(caller, private=True, readers=readers, among=())
        found = await lookup.lookup(message_ids, places=audience.places | audience.joinable)
        in_threads = {message.place_id for message in found.values()} & audience.joinable
        audience = await audience_of(caller, private=True, readers=readers, among=in_threads)
        found = await lookup.lookup(message_ids, places=audience.places)
        changed = (await self._cited_check.check(found.values())).changed if self._cited_check and found else ()
        return {message_id: message for message_id, message in found.items() if message_id not in changed}

    async def is_outdated(self, asking: Asking, answered: Answered) -> bool:
        """Return whether an answer may tell of a place that it may not use any more."""
        audience = await self._audience(asking, among=answered.question.places)
        lost = answered.question.places - audience.places
        return _may_tell_of(answered.answer, lost, asking.caller.guild)

    async def still_allowed(self, asking: Asking, places: frozenset[int]) -> frozenset[int]:
        """Return those of some places that an answer may use by now."""
        return (await self._audience(asking, among=places)).places & places

    async def _may_show(self, asking: Asking, question: Question, draft: Answer | None) -> bool:
        """Return whether a draft may be shown by now; without one, whether channels may be named that may be used."""
        audience = await self._audience(asking, among=question.places)
        lost = question.places - audience.places
        if draft is None:
            return not lost
        return not _may_tell_of(draft, lost, asking.caller.guild) and not (await self._check(draft)).changed

    async def _places(self, asking: Asking, zone: Zone) -> frozenset[int]:
        """Return what may be used; for an answer in private also the asker's private threads in which there are hits.

        Discord has to be asked whether somebody has joined a thread, each for itself, so memory is asked first where
        there is something to show. What is found in threads of others is not looked at, and looked for once more
        without them.
        """
        audience = await self._audience(asking)
        places, left = audience.places, audience.joinable if asking.private else frozenset()
        for _ in range(MOST_LOOKS):
            if not left:
                break
            found = await self._services.asker.quote(self._question(asking, left, zone))
            hits = found.shown_places & left
            if not hits:
                break
            places |= (await self._audience(asking, among=hits)).places & hits
            left -= hits
        return places

    async def _audience(self, asking: Asking, among: frozenset[int] = frozenset()) -> Audience:
        """Return what may be used by now, with those private threads `among` some that the asker has joined."""
        audience = await audience_of(asking.caller, private=asking.private, readers=self._readers, among=among)
        return Audience() if audience.must_be_private and not asking.private else audience

    def _was_paused(self, caller: Caller, windows: Collection[Window]) -> bool:
        """Return whether nothing was kept, here or on the whole server, during some of a time that was searched."""
        places = caller.channel_id, getattr(caller.channel, "parent_id", None)
        return self._services.rules.was_paused(caller.guild_id, *places, windows=windows)

    async def _zone(self, asking: Asking) -> Zone:
        return await self._services.zone_of(asking.caller.user.id, asking.caller.guild_id)

    def _question(self, asking: Asking, places: frozenset[int], zone: Zone) -> Question:
        caller, services = asking.caller, self._services
        return Question(
            text=asking.text,
            channel_id=caller.channel_id or 0,
            guild=caller.guild_id,
            asker_id=caller.user.id,
            asker_name=caller.user.display_name,
            places=places,
            now=services.clock(),
            time_zone=zone.zone,
            private=asking.private,
            all_time=asking.all_time,
            date_order=date_order(
                locale=caller.locale and caller.locale.value, time_zone=zone.zone, setting=services.date_order
            ),
            about=asking.about,
            kept=services.keeps(caller),
            may_be_listed=partial(self._readers.members.still_here, caller.guild),
        )


def _is_unchanged(message: Message | None, since: datetime) -> bool:
    return message is not None and (message.edited_at is None or message.edited_at <= since)


def _may_tell_of(answer: Answer, lost: frozenset[int], guild: discord.Guild | None) -> bool:
    """Return whether an answer may tell of one of these places.

    Quotations tell of the places whose messages they were made from. Anything else may tell of all that was searched,
    by a number, a name or by what was not found; but nobody reads in a place that is gone, and channels come and go.
    """
    if lost & answer.shown_places:
        return True
    searched = answer.searched
    if answer.outcome is Outcome.QUOTED and not (answer.notes or (searched and searched.channels)):
        return False
    return any(guild is None or guild.get_channel_or_thread(place) is not None for place in lost)
